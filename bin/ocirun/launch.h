// Making a container: the order in which the stages run.
#pragma once

#include "console.h"
#include "container.h"
#include "context.h"
#include "stages.h"

#include <string>

/// What `create` and `run` ask for.
struct LaunchRequest {
    std::string id;
    std::string bundle;          ///< empty: the working directory
    std::string config;          ///< empty: config.json in the bundle
    std::string console_socket;
    std::string pid_file;
    std::string pidfd_socket;
    int preserve_fds = 0;
    bool no_pivot = false;
    bool no_new_keyring = false;
    bool foreground = false;     ///< the terminal is relayed; without it a terminal needs a console socket
    bool start_later = false;    ///< `create`: the first process waits on the start socket
};

/// A container that is made, its first process waiting for `start` or `commit`.
struct Launched {
    ContainerState state;
    Plan plan;
    std::string bundle;
    ProcessId init;
    ChildProcess init_child;  ///< kills the process if the container is given up
    Stages stages;
    UniqueFd control;
    UniqueFd master;          ///< of the terminal, in the foreground
};

/// Makes the container. A signal that asks us to end is an error, too. On an error nothing is left of it, and the poststop hooks have run if others had.
Result<Launched> launch(const Context& context, const StateRoot& root, const LaunchRequest& request, const Signals& signals);

/// Lets the program run; returns when it has been executed. Then runs the poststart hooks.
Result<void> start_program(Launched& launched, const Signals& signals);

/// Ends a container whose lock is held: undoes it, runs its poststop hooks (a failure of one is only a warning). Does nothing
/// when `state` is not the entry of its id any more.
Result<void> destroy(const Context& context, const StateRoot& root, ContainerState& state, const Plan* plan, const std::string& bundle);

/// Writes `pid` to the file, complete or not at all; a link is refused.
Result<void> write_pid_file(const std::string& path, pid_t pid);

/// To be called first in main: descriptors 0, 1, 2 exist, and nothing above them is inherited by
/// accident (CVE-2024-21626). Remembers which were open.
void secure_descriptors();

/// Tells oci-init the container's state, and, for a filter's agent, which process it is itself. To the agent it is connected
/// here: a socket of the host may be out of reach in there.
Result<void> send_state(int control, const Plan& plan, const std::string& state, pid_t pid);

/// How many descriptors from 3 on are to reach the program: `preserve` and those of socket activation
/// (LISTEN_FDS meant for us). Fails if one of them was not open when secure_descriptors() ran.
Result<int> prepare_descriptors(int preserve);
/// LISTEN_FDS if LISTEN_PID is our own pid, else 0 (man 3 sd_listen_fds).
int listen_fds();

/// The filter of the plan's seccomp lines, in a memory file `into`: from the cache in the state root,
/// or compiled by oci-seccomp. Does nothing when the plan has none.
Result<void> provide_filter(const Context& context, const StateRoot& root, Stages& stages, const std::string& plan_text, int into, const Signals& signals);

/// Gives a container's cgroup the limits of a plan that says where it is (`cgroup.location`, `cgroup.unit`): all or none.
Result<void> change_limits(Stages& stages, const std::string& plan_text);

/// A file that oci-spec is to read. Opening a fifo does not wait for its writer; a directory is refused.
Result<UniqueFd> open_input(const std::string& path);

/// The plan's text with more lines before its `end`.
std::string with_lines(const std::string& plan_text, const std::string& lines);
/// A line `DIRECTIVE - VERSION ...` for each location.
std::string cgroup_lines(std::string_view directive, const std::vector<CgroupLocation>& locations);
/// The line `ns.resctrl - DIRECTORY` for each group.
std::string resctrl_lines(const std::vector<std::string>& groups);
