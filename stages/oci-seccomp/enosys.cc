// The generator of the instructions that answer ENOSYS.
#include "enosys.h"

#include <cassert>
#include <cerrno>
#include <cstddef>
#include <linux/audit.h>
#include <linux/seccomp.h>

// arch/x86/include/uapi/asm/unistd.h; only x86 has it, but the generator is the same everywhere.
static constexpr uint32_t x32_bit = 0x40000000;
// arch/x86/entry/syscalls/syscall_64.tbl: x32's own calls have 512 to 547, "do not add new ones".
static constexpr uint32_t x32_own_first = x32_bit | 512;
static constexpr uint32_t x32_own_last = x32_bit | 547;
// arch/arm/include/uapi/asm/unistd.h: __ARM_NR_BASE, the private calls cacheflush, set_tls, ...
static constexpr uint32_t arm_private_first = 0x0f0000;

bool is_in_sequence(uint32_t audit_arch, bool is_x32, uint32_t number)
{
    if (is_x32)
        return number >= x32_bit && number < x32_own_first;
    if (audit_arch == AUDIT_ARCH_X86_64)
        return number < x32_bit;
    if (audit_arch == AUDIT_ARCH_ARM)
        return number < arm_private_first;
    return number <= 0x7fffffff;
}

namespace {

/// Where a jump goes: on to the next instruction, or to a place that is known at the end.
enum Target : uint8_t { next, skip_block, answer, filter };

struct Instruction {
    uint16_t code;
    uint32_t k;
    Target if_true = next;
    Target if_false = next;
};

void add_comparison(std::vector<Instruction>& block, const KnownCalls& known)
{
    if (known.is_x32) {
        block.push_back({BPF_JMP | BPF_JGT | BPF_K, x32_own_last, answer, next});
        block.push_back({BPF_JMP | BPF_JGE | BPF_K, x32_own_first, filter, next});
    } else if (known.audit_arch == AUDIT_ARCH_ARM) {
        block.push_back({BPF_JMP | BPF_JGE | BPF_K, arm_private_first, filter, next});
    }
    block.push_back({BPF_JMP | BPF_JGT | BPF_K, *known.highest, answer, filter});
}

}  // namespace

std::vector<sock_filter> make_enosys_prefix(std::span<const KnownCalls> architectures)
{
    std::vector<Instruction> code;
    std::vector<size_t> block_ends;  // for each instruction of `code`, where its block ends
    for (const KnownCalls& known : architectures) {
        if (!known.highest.has_value())
            continue;
        // Each block loads the architecture itself: it is entered with either word in the register.
        std::vector<Instruction> block{{BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)},
                                       {BPF_JMP | BPF_JEQ | BPF_K, known.audit_arch, next, skip_block},
                                       {BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)}};
        // Two tables behind one architecture: a call of the other one goes on to that one's block.
        if (known.audit_arch == AUDIT_ARCH_X86_64)
            block.push_back({BPF_JMP | BPF_JGE | BPF_K, x32_bit, known.is_x32 ? next : skip_block, known.is_x32 ? skip_block : next});
        add_comparison(block, known);
        size_t end = code.size() + block.size();
        code.insert(code.end(), block.begin(), block.end());
        block_ends.resize(end, end);
    }
    if (code.empty())
        return {};
    // No architecture of the list: the filter decides.
    code.push_back({BPF_JMP | BPF_JA, 1});
    size_t answer_at = code.size();
    code.push_back({BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS});
    block_ends.resize(code.size());

    std::vector<sock_filter> prefix;
    for (size_t at = 0; at < code.size(); at++) {
        auto distance = [&](Target target) {
            size_t to = target == next ? at + 1 : target == skip_block ? block_ends[at] : target == answer ? answer_at : answer_at + 1;
            assert(to > at && to - at - 1 <= 255);
            return static_cast<uint8_t>(to - at - 1);
        };
        const Instruction& instruction = code[at];
        bool compares = BPF_CLASS(instruction.code) == BPF_JMP && BPF_OP(instruction.code) != BPF_JA;
        prefix.push_back({instruction.code, compares ? distance(instruction.if_true) : uint8_t{0},
                          compares ? distance(instruction.if_false) : uint8_t{0}, instruction.k});
    }
    return prefix;
}
