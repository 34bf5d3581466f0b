// Tests of the interpreter: the instructions that a filter may have, and what is refused.
#include "interpreter.h"

#include <cstddef>
#include <doctest/doctest.h>
#include <linux/filter.h>
#include <string>

static Result<uint32_t> run(std::initializer_list<sock_filter> code, uint64_t argument = 0)
{
    seccomp_data call{};
    call.nr = 7;
    call.arch = 9;
    call.args[0] = argument;
    return run_filter({reinterpret_cast<const char*>(code.begin()), code.size() * sizeof(sock_filter)}, call);
}

TEST_CASE("loads, arithmetic, scratch memory and both registers work")
{
    CHECK(run({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)), BPF_STMT(BPF_RET | BPF_A, 0)}).value() == 7);
    CHECK(run({BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_RET | BPF_A, 0)}).value() == sizeof(seccomp_data));
    CHECK(run({BPF_STMT(BPF_LD | BPF_IMM, 12), BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LDX | BPF_MEM, 3),
               BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)), BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
               BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 1), BPF_STMT(BPF_RET | BPF_A, 0)})
              .value() == 42);
    CHECK(run({BPF_STMT(BPF_LD | BPF_IMM, 5), BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_ALU | BPF_MUL | BPF_X, 0),
               BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 24), BPF_STMT(BPF_RET | BPF_A, 0)})
              .value() == 24);
}

TEST_CASE("jumps go forward by the distance that the comparison chooses")
{
    std::initializer_list<sock_filter> code = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 10, 1, 0),
                 BPF_STMT(BPF_RET | BPF_K, 1), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1), BPF_STMT(BPF_RET | BPF_K, 2),
                 BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_RET | BPF_K, 3), BPF_STMT(BPF_RET | BPF_K, 4)};
    CHECK(run(code, 9).value() == 1);
    CHECK(run(code, 11).value() == 2);
    CHECK(run(code, 12).value() == 4);
}

TEST_CASE("what the kernel would not take is an error")
{
    CHECK(run({BPF_STMT(BPF_LD | BPF_IMM, 5)}).error().attempted == "the filter has a path that does not end with a return");
    CHECK(run({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(seccomp_data)), BPF_STMT(BPF_RET | BPF_A, 0)}).error().attempted ==
          "the filter's instruction 0 loads from outside of the system call's data");
    CHECK_FALSE(run({BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_STMT(BPF_RET | BPF_A, 0)}).has_value());
    CHECK_FALSE(run({BPF_STMT(BPF_ST, BPF_MEMWORDS), BPF_STMT(BPF_RET | BPF_K, 0)}).has_value());
    CHECK_FALSE(run({BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0)}).has_value());
    CHECK_FALSE(run({BPF_STMT(BPF_JMP | BPF_JA, 5), BPF_STMT(BPF_RET | BPF_K, 0)}).has_value());
}
