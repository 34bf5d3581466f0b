// A container's cgroup as a unit of systemd: its name, its properties, and asking oci-cgroup-systemd(8) for it.
#pragma once

#include "device_rules.h"
#include "limit_writes.h"
#include "plan/plan.h"
#include "result/result.h"

#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// Who makes the cgroup: we by ourselves, systemd, or systemd where it can be reached and the path does not speak against it.
enum class CgroupManager { cgroupfs, systemd, automatic };

Result<CgroupManager> parse_cgroup_manager(std::string_view word);

/// Which unit.
struct UnitName {
    std::string unit;   ///< `PREFIX-NAME.scope`
    std::string slice;  ///< empty: the manager's usual one
};

/// Whether `path` has the form that systemd's cgroups are asked for with: SLICE:PREFIX:NAME.
bool is_unit_path(std::string_view path);

/// SLICE:PREFIX:NAME, of which SLICE and PREFIX may be empty; a NAME that ends in .slice is the whole name. An empty path: `ocirun-ID.scope`.
/// Characters that a unit's name cannot have are written as systemd escapes them, `\x2b`.
Result<UnitName> parse_unit_path(std::string_view path, std::string_view id);

/// systemd's properties for what is written to the cgroup's files, as `NAME=VALUE` in GVariant's text format. What systemd has no property for
/// is not among them: it is in force by the files alone.
std::vector<std::string> limit_properties(std::span<const LimitWrite> writes);

/// The device rules as the unit's own. Never stricter than the rules: what systemd cannot express it allows, and the rules themselves are
/// in force beside it.
std::vector<std::string> device_properties(std::span<const DeviceRule> rules);

/// A unit to be started.
struct UnitStart {
    UnitName name;
    std::string id;                       ///< for its description
    pid_t pid = 0;                        ///< the process that holds it; 0: none, for a slice
    std::vector<std::string> properties;
    std::vector<std::string> limits = {};  ///< properties that a systemd which is too old for them does without
    int journal_fd = -1;
    std::string test_step = {};           ///< --test-step of oci-cgroup-systemd
};

/// A unit that is there.
struct OwnedUnit {
    std::string manager;  ///< "system" or "user"
    std::string name;
};

/// Changes properties of the unit until it ends, all or none, but for those that this systemd does not have. Returns what to set so that they are what they
/// were.
Result<std::vector<std::string>> set_unit_properties(const OwnedUnit& unit, std::span<const std::string> properties);

/// Starts the unit by oci-cgroup-systemd(8), and returns its cgroup below the root of each hierarchy.
Result<std::string> start_unit(const UnitStart& start);
