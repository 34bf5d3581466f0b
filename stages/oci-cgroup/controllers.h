// cgroup v2: which controllers a cgroup has, and handing them on to it.
#pragma once

#include "limit_writes.h"
#include "result/result.h"

#include <string>
#include <string_view>

/// Enables the controllers that `writes` need in cgroup.subtree_control of all cgroups above `path` (below the
/// hierarchy that is mounted at `mount`), where `cgroup` does not have them yet. A parent that cannot is named in the
/// error. With `for_accounts` also cpu, io, memory and pids where that is possible: without them nobody can tell what
/// the container uses, or that it ran out of memory.
Result<void> hand_on_controllers(int mount, const std::string& path, const CgroupDir& cgroup,
                                 std::span<const LimitWrite> writes, bool for_accounts);
