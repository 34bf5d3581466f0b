// Device rules as a BPF program, which is how cgroup v2 is told of them.
#pragma once

#include "device_rules.h"
#include "result/result.h"

#include <linux/bpf.h>
#include <span>
#include <vector>

/// A program of type BPF_PROG_TYPE_CGROUP_DEVICE that answers 1 (allow) or 0 by the rules: each kind
/// of access that is asked for is decided by the last rule that matches it; without one it is allowed, as
/// the parents' programs allow it.
std::vector<bpf_insn> device_program(std::span<const DeviceRule> rules);

/// Loads the program and attaches it to the cgroup, beside those that are there: all of them have to
/// allow. EPERM in the error: the caller may not (CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN).
Result<void> attach_device_program(int cgroup, std::span<const bpf_insn> program);
