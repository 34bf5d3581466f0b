// An interpreter of classic BPF as seccomp uses it (Documentation/networking/filter.rst,
// kernel/seccomp.c: 32-bit loads from seccomp_data only).
#include "interpreter.h"

#include <cstring>
#include <linux/filter.h>

static Error bad(size_t at, const char* what)
{
    return Error{"the filter's instruction " + std::to_string(at) + " " + what};
}

Result<uint32_t> run_filter(std::string_view raw, const seccomp_data& call)
{
    uint32_t a = 0;
    uint32_t x = 0;
    uint32_t memory[BPF_MEMWORDS] = {};
    size_t length = raw.size() / sizeof(sock_filter);
    for (size_t at = 0; at < length; at++) {
        sock_filter instruction;  // copied: the text need not be aligned
        std::memcpy(&instruction, raw.data() + at * sizeof instruction, sizeof instruction);
        uint32_t k = instruction.k;
        uint32_t operand = BPF_SRC(instruction.code) == BPF_X ? x : k;
        switch (BPF_CLASS(instruction.code)) {
        case BPF_LD:
        case BPF_LDX: {
            uint32_t& to = BPF_CLASS(instruction.code) == BPF_LD ? a : x;
            if (BPF_MODE(instruction.code) == BPF_ABS && BPF_CLASS(instruction.code) == BPF_LD) {
                if (k % 4 != 0 || k + 4 > sizeof call || BPF_SIZE(instruction.code) != BPF_W)
                    return bad(at, "loads from outside of the system call's data");
                std::memcpy(&to, reinterpret_cast<const char*>(&call) + k, 4);
            } else if (BPF_MODE(instruction.code) == BPF_IMM) {
                to = k;
            } else if (BPF_MODE(instruction.code) == BPF_LEN) {
                to = sizeof call;
            } else if (BPF_MODE(instruction.code) == BPF_MEM && k < BPF_MEMWORDS) {
                to = memory[k];
            } else {
                return bad(at, "is unknown");
            }
            break;
        }
        case BPF_ST:
        case BPF_STX:
            if (k >= BPF_MEMWORDS)
                return bad(at, "stores outside of the scratch memory");
            memory[k] = BPF_CLASS(instruction.code) == BPF_ST ? a : x;
            break;
        case BPF_ALU:
            switch (BPF_OP(instruction.code)) {
            case BPF_ADD: a += operand; break;
            case BPF_SUB: a -= operand; break;
            case BPF_MUL: a *= operand; break;
            case BPF_DIV:
                if (operand == 0)
                    return bad(at, "divides by zero");
                a /= operand;
                break;
            case BPF_AND: a &= operand; break;
            case BPF_OR: a |= operand; break;
            case BPF_XOR: a ^= operand; break;
            case BPF_LSH: a = operand < 32 ? a << operand : 0; break;
            case BPF_RSH: a = operand < 32 ? a >> operand : 0; break;
            case BPF_NEG: a = -a; break;
            default: return bad(at, "is unknown");
            }
            break;
        case BPF_JMP: {
            bool holds = false;
            switch (BPF_OP(instruction.code)) {
            case BPF_JA: at += k; continue;
            case BPF_JEQ: holds = a == operand; break;
            case BPF_JGT: holds = a > operand; break;
            case BPF_JGE: holds = a >= operand; break;
            case BPF_JSET: holds = (a & operand) != 0; break;
            default: return bad(at, "is unknown");
            }
            at += holds ? instruction.jt : instruction.jf;
            break;
        }
        case BPF_RET:
            // The kernel looks at the action and the data of the value alone.
            return BPF_RVAL(instruction.code) == BPF_A ? a : k;
        case BPF_MISC:
            if (BPF_MISCOP(instruction.code) == BPF_TAX)
                x = a;
            else
                a = x;
            break;
        }
    }
    return Error{"the filter has a path that does not end with a return"};
}
