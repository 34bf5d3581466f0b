// A container as its state tells it.
#pragma once

#include "cgroup/cgroup.h"
#include "context.h"
#include "plan/plan.h"
#include "process/process.h"
#include "state/state.h"

#include <optional>
#include <string>
#include <vector>

/// The runtime-spec's statuses, and paused, which the field adds.
enum class Status { creating, created, running, paused, stopped };
const char* status_word(Status status);

/// What the state directory holds, read once.
struct Container {
    ContainerState state;
    std::string bundle;
    std::string created;  ///< when it was made; empty: it has not been
    ProcessId init;      ///< pid 0: not there yet, or of an earlier boot
    bool stale = false;  ///< made before the last boot
    bool is_being_made = false;  ///< or being deleted before it was made
    std::vector<CgroupLocation> cgroups;
    std::vector<std::string> resctrl;  ///< its groups, in the order of joining

    /// Finds container `id`; a missing one is the error `container 'ID' does not exist`.
    static Result<Container> find(const StateRoot& root, const std::string& id);

    Result<Status> status() const;
    /// The plan it was made from.
    Result<Plan> plan() const;
};

/// What the OCI state needs beside the plan.
struct StateFacts {
    std::string id;
    std::string status;
    pid_t pid = 0;
    std::string bundle;
    std::string created;  ///< empty: left out
    std::string owner;    ///< empty: left out
};

/// The OCI state as JSON, with `rootfs`, `created` and `owner` as engines know them. `plan` (may be
/// null) gives version, root and annotations. `separator` stands before each key: empty for one
/// line, a newline and spaces for people.
std::string state_json(const StateFacts& facts, const Plan* plan, const std::string& separator);

/// What state.json says beside what the plan does.
struct StateFile {
    const std::string& id;
    ProcessId init;
    const std::string& bundle;
    const std::string& created;
    const std::vector<CgroupLocation>& cgroups;
};

/// state.json in the shape that readers of runc's know: who is the first process, where are its namespaces and cgroups, what are its limits.
std::string runc_state_json(const StateFile& facts, const Plan& plan);

/// The absolute path of the root file system in the plan; empty: none.
std::string rootfs_path(const Plan& plan, const std::string& bundle);

/// The name of a user id in /etc/passwd, or `#ID`.
std::string user_name(uid_t uid);

/// What `oci-cgroup create` prints.
struct CreatedCgroups {
    std::vector<CgroupLocation> locations;
    std::vector<std::string> resctrl;
};
Result<CreatedCgroups> parse_created_cgroups(std::string_view text);
