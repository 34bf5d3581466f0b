// A container's unit of systemd, as its journal tells it.
#pragma once

#include "cgroup/cgroup.h"
#include "context.h"
#include "result/result.h"
#include "state/state.h"

#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

/// The journal's line `unit`.
struct Unit {
    std::string manager;      ///< "system" or "user"
    std::string name;
    std::string description;  ///< by which it is known from one that somebody else has given this name
};

/// Nothing: systemd does not manage the container's cgroup.
std::optional<Unit> find_unit(const std::vector<JournalEntry>& journal);

/// The line `cgroup.unit` of a plan for oci-cgroup; empty: there is no unit.
std::string unit_line(const std::optional<Unit>& unit);

/// Kills what is in the unit, stops it, and has it forgotten; one that is gone is fine.
Result<void> stop_unit(const Context& context, const Unit& unit);

/// Where the container's cgroup is below that of the unit, with a slash before it; empty: it is the unit's own.
std::string path_below_unit(const Unit& unit, std::span<const CgroupLocation> cgroups);

/// Moves a process into the unit's cgroup, or into one that is `below` it.
Result<void> attach_to_unit(const Context& context, const Unit& unit, pid_t pid, const std::string& below);

/// The variables by which a manager is found, as they are in our own environment.
std::vector<std::string> manager_environment();
