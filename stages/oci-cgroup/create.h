// Making a container's cgroup with every limit in force.
#pragma once

#include "cgroup/cgroup.h"
#include "device_rules.h"
#include "plan/plan.h"
#include "result/result.h"
#include "systemd.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

/// What is asked for.
struct CgroupRequest {
    std::string path;        ///< as locate() takes it; empty: one named as the container is good
    Field path_where = "-";  ///< where it came from, for errors
    std::span<const Directive> limits;
    std::span<const DeviceRule> devices;
    /// Without a path and without limits asked for it is fine not to be permitted to make a cgroup.
    bool tolerate_denied = false;
    std::optional<uid_t> owner;  ///< gets the cgroup of v2 and those of its files that the kernel lets be delegated
    Field owner_where = "-";
    int journal_fd = -1;  ///< -1: no journal

    CgroupManager manager = CgroupManager::cgroupfs;
    std::string name = {};  ///< of the container
    pid_t pid = 0;          ///< with systemd: the process that holds the scope until others are in it
    std::vector<std::string> unit_properties = {};  ///< besides those of the limits, as `NAME=VALUE`
    const Directive* subgroup = nullptr;            ///< cgroup.subgroup: not the unit's cgroup but one below it
    const Directive* delegate = nullptr;            ///< cgroup.delegate: one more below that, for the container to manage
    std::string unit_test_step = {};                ///< --test-step of oci-cgroup-systemd
};

/// Makes the cgroup in every hierarchy, or takes over an empty one that is there, and gives it its limits.
///
/// No process enters before all limits are in force: whoever joins later is never in it unlimited. If
/// anything fails, everything that was made is removed again: better no cgroup than one that lies
/// about its limits. Each directory stands in the journal before it is made.
///
/// With systemd as the manager it is the cgroup of a transient unit, which systemd makes and limits; what it cannot do is done by us. On an error
/// the unit is left to whoever asked: it ends with its process.
///
/// Returns where it is; a hierarchy in which making it was not permitted and may be tolerated is left out.
Result<std::vector<CgroupLocation>> create_cgroup(const CgroupRequest& request);
