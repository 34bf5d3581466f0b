// Making a container's cgroup with every limit in force.
#pragma once

#include "cgroup/cgroup.h"
#include "device_rules.h"
#include "plan/plan.h"
#include "result/result.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

/// What is asked for.
struct CgroupRequest {
    std::string path;        ///< as locate() takes it
    Field path_where = "-";  ///< where it came from, for errors
    bool path_was_asked_for = false;
    std::span<const Directive> limits;
    std::span<const DeviceRule> devices;
    /// Without a path and without limits asked for it is fine not to be permitted to make a cgroup.
    bool tolerate_denied = false;
    std::optional<uid_t> owner;  ///< gets the cgroup of v2 and those of its files that the kernel lets be delegated
    Field owner_where = "-";
    int journal_fd = -1;  ///< -1: no journal
};

/// Makes the cgroup in every hierarchy, or takes over an empty one that is there, and gives it its limits.
///
/// No process enters before all limits are in force: whoever joins later is never in it unlimited. If
/// anything fails, everything that was made is removed again: better no cgroup than one that lies
/// about its limits. Each directory stands in the journal before it is made.
///
/// Returns where it is; a hierarchy in which making it was not permitted and may be tolerated is left out.
Result<std::vector<CgroupLocation>> create_cgroup(const CgroupRequest& request);
