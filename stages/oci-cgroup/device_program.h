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

/// What becomes of the programs that are attached to the cgroup.
enum class OtherPrograms {
    keep,         ///< they are of others (an unused cgroup has none): all of them have to allow
    remove,       ///< they are left of an earlier use of the cgroup, and nobody is in it
    replace_ours, ///< the one that was attached here before goes in the same moment, those of others stay
};

/// Loads the program and attaches it to the cgroup, so that others may attach theirs beside it.
/// EPERM in the error: the caller may not (CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN).
Result<void> attach_device_program(int cgroup, std::span<const bpf_insn> program, OtherPrograms others);
