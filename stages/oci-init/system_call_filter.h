// The container's system-call filter and its listener.
#pragma once

#include "fd/fd.h"
#include "plan/plan.h"

#include <string>

/// A compiled filter, ready to be loaded, with the connection to whoever gets its notifications.
class SystemCallFilter {
public:
    /// Reads the filter from `filter_fd` (-1: none). A plan that asks for a filter and a missing descriptor are an error: never
    /// run without it.
    static Result<SystemCallFilter> prepare(const Plan& plan, int filter_fd);

    /// Connects to the listener's socket (`seccomp.listener`), which is a path of the host, if there is a listener and no
    /// `agent` that somebody else has connected to.
    Result<void> connect(UniqueFd agent);

    /// Loads it for this process. Without no_new_privs this needs CAP_SYS_ADMIN, with it nothing.
    /// `state`: the OCI state, for the listener; `pid`: of this process, when it is not the one of the state.
    Result<void> load(const std::string& state, std::string_view pid = {});

    /// Whether there is a listener, who is told the state.
    bool notifies() const { return !agent_path_.empty(); }

private:
    std::string filter_;
    unsigned flags_ = 0;
    UniqueFd agent_;
    std::string agent_path_;
    std::string agent_pointer_;
    std::string pointer_;
    std::string metadata_;
};
