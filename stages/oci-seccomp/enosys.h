// ENOSYS for system calls that are newer than the profile.
#pragma once

#include <cstdint>
#include <linux/filter.h>
#include <optional>
#include <span>
#include <vector>

/// What a profile knows of one architecture of the kernel.
struct KnownCalls {
    uint32_t audit_arch;              ///< seccomp_data.arch
    std::optional<uint32_t> highest;  ///< the highest number that the profile names; nothing: none
    bool is_x32 = false;              ///< calls of AUDIT_ARCH_X86_64 with __X32_SYSCALL_BIT, which is in `highest` too
};

/// Whether `number` is one by which "newer" can be told: not one of those that lie apart from the
/// sequence of numbers (ARM's private calls, x32's own 512 to 547).
bool is_in_sequence(uint32_t audit_arch, bool is_x32, uint32_t number);

/// Instructions to put before a filter: a call with a number in the architecture's sequence above
/// `highest` gets ENOSYS, every other one goes on to the filter. Empty when nothing is known of any
/// architecture. They only load nr and arch and compare with constants, so that the kernel can
/// still tell which calls are always allowed (Linux 5.11, seccomp_is_const_allow).
std::vector<sock_filter> make_enosys_prefix(std::span<const KnownCalls> architectures);
