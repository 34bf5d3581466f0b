// oci-ns and oci-init, which it becomes: started in the same way for the first process of a container and for one of `exec`.
#pragma once

#include "console.h"
#include "plan/plan.h"
#include "stages.h"

#include <string>
#include <vector>

/// Gives the plan to a stage that was started before it was there, and waits at the other end of the pipe.
Result<void> pass_plan(UniqueFd pipe, const std::string& plan_text, const Signals& signals);

/// What the two are to do, beside the options that both always get.
struct NamespacesRequest {
    std::vector<std::string> outside;  ///< verb and options of oci-ns
    std::vector<std::string> inside;   ///< of oci-init
    int plan_fd = -1;
    int filter_fd = -1;
    int start_fd = -1;                 ///< -1: the program is executed at once
    int preserved_fds = 0;
    /// Into a container that runs: its processes see oci-ns, which must be executed from where they cannot write it.
    bool joins_others = false;
};

struct Namespaces {
    ChildProcess process;  ///< oci-ns
    UniqueFd control;      ///< our end of the control socket
};
Result<Namespaces> start_namespaces(Stages& stages, const NamespacesRequest& request);

/// The plan's line for the descriptors of socket activation; empty: there are none. oci-init adds LISTEN_PID.
std::string listen_line();

/// The master of a new terminal goes to `console_socket`, or is set up in the foreground: then it is the result.
Result<UniqueFd> receive_terminal(UniqueFd master, const std::string& console_socket, const Plan& plan);

/// A pidfd of the process goes over the socket at `path`; an empty one: nowhere.
Result<void> send_pidfd(const std::string& path, pid_t pid);
