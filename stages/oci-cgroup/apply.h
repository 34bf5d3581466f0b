// Writing limits to a cgroup, and what was there back again.
#pragma once

#include "device_rules.h"
#include "limit_writes.h"
#include "result/result.h"

#include <string>
#include <vector>

/// What a file said before a limit was written to it. `cgroup` outlives it.
struct OldValue {
    const CgroupDir* cgroup;
    std::string file;
    std::string value;
};

/// Writes those of `writes` that belong to the cgroup at `location`. Those that depend on each other are tried again
/// until none gets further; the error is that of the first that does not. With `replaced` what was there before is
/// added to it, also when there is an error.
Result<void> write_limits(const CgroupDir& cgroup, const CgroupLocation& location, std::span<const LimitWrite> writes,
                          std::vector<OldValue>* replaced = nullptr);

/// Writes the lines in their order to the devices.allow and devices.deny of `cgroup`.
Result<void> write_device_lines(const CgroupDir& cgroup, std::span<const DeviceLine> lines);

/// Writes the old values, the youngest first. All are tried; the error is that of the first that is refused.
Result<void> write_back(const std::vector<OldValue>& replaced);

/// What to write so that `file`, which says `text`, says it again after the write. Empty: nothing can be.
std::string old_value(const LimitWrite& write, std::string_view text);
