// Giving a cgroup that exists other limits.
#pragma once

#include "device_rules.h"
#include "limit_writes.h"
#include "rdt.h"
#include "result/result.h"
#include "systemd.h"

#include <span>
#include <vector>

/// Puts `limits` in force, and `devices`, if there are any, in the place of all device rules the cgroup had from us.
/// What is not named stays as it is. If one is refused, all have their old values again (controllers that were enabled
/// for them stay enabled). `cgroups`: the cgroup in its hierarchies. `unit`, if it is one of systemd, gets the
/// same as its properties; null: it is none.
Result<void> update_cgroup(std::vector<OpenCgroup> cgroups, std::span<const Directive> limits,
                           std::span<const DeviceRule> devices, const RdtRequest& rdt = {}, const OwnedUnit* unit = nullptr);
