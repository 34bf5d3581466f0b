// Tests of the ENOSYS prefix, run by the interpreter.
#include "enosys.h"

#include "interpreter.h"

#include <cerrno>
#include <doctest/doctest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string>

static constexpr uint32_t enosys = SECCOMP_RET_ERRNO | ENOSYS;
static constexpr uint32_t x32 = 0x40000000;

/// What the prefix, followed by a filter that traps everything, answers.
static uint32_t answer(std::initializer_list<KnownCalls> known, uint32_t arch, uint32_t number)
{
    std::vector<sock_filter> code = make_enosys_prefix({known.begin(), known.size()});
    code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
    seccomp_data call{};
    call.arch = arch;
    call.nr = static_cast<int>(number);
    std::string_view raw(reinterpret_cast<const char*>(code.data()), code.size() * sizeof(sock_filter));
    return run_filter(raw, call).value();
}

TEST_CASE("a call above the highest known number gets ENOSYS, the highest itself goes to the filter")
{
    CHECK(answer({{AUDIT_ARCH_AARCH64, 439}}, AUDIT_ARCH_AARCH64, 440) == enosys);
    CHECK(answer({{AUDIT_ARCH_AARCH64, 439}}, AUDIT_ARCH_AARCH64, 439) == SECCOMP_RET_TRAP);
    CHECK(answer({{AUDIT_ARCH_AARCH64, 439}}, AUDIT_ARCH_AARCH64, 0) == SECCOMP_RET_TRAP);
}

TEST_CASE("an architecture without known calls, or not in the list, goes to the filter")
{
    CHECK(make_enosys_prefix({}).empty());
    KnownCalls nothing{AUDIT_ARCH_AARCH64, std::nullopt};
    CHECK(make_enosys_prefix({&nothing, 1}).empty());
    CHECK(answer({{AUDIT_ARCH_X86_64, std::nullopt}, {AUDIT_ARCH_I386, 100}}, AUDIT_ARCH_X86_64, 1000) == SECCOMP_RET_TRAP);
    CHECK(answer({{AUDIT_ARCH_X86_64, 300}, {AUDIT_ARCH_I386, 100}}, AUDIT_ARCH_S390X, 1000) == SECCOMP_RET_TRAP);
}

TEST_CASE("each architecture has its own limit")
{
    auto known = {KnownCalls{AUDIT_ARCH_X86_64, 435}, KnownCalls{AUDIT_ARCH_I386, 384}, KnownCalls{AUDIT_ARCH_X86_64, x32 | 435, true}};

    CHECK(answer(known, AUDIT_ARCH_X86_64, 435) == SECCOMP_RET_TRAP);
    CHECK(answer(known, AUDIT_ARCH_X86_64, 436) == enosys);
    CHECK(answer(known, AUDIT_ARCH_X86_64, x32 - 1) == enosys);
    CHECK(answer(known, AUDIT_ARCH_I386, 384) == SECCOMP_RET_TRAP);
    CHECK(answer(known, AUDIT_ARCH_I386, 385) == enosys);
    CHECK(answer(known, AUDIT_ARCH_X86_64, x32 | 435) == SECCOMP_RET_TRAP);
    CHECK(answer(known, AUDIT_ARCH_X86_64, x32 | 436) == enosys);
}

TEST_CASE("an x32 call is not taken for the architecture that its number spells")
{
    // x32's close(2) is 0x40000003, which is AUDIT_ARCH_I386.
    auto known = {KnownCalls{AUDIT_ARCH_X86_64, 1}, KnownCalls{AUDIT_ARCH_I386, 0}};
    static_assert(AUDIT_ARCH_I386 == (x32 | 3));

    CHECK(answer(known, AUDIT_ARCH_X86_64, x32 | 3) == SECCOMP_RET_TRAP);
}

TEST_CASE("x32 calls go to the filter when x32 is not in the list")
{
    CHECK(answer({{AUDIT_ARCH_X86_64, 435}}, AUDIT_ARCH_X86_64, x32 | 1000) == SECCOMP_RET_TRAP);
}

TEST_CASE("x32's own numbers 512 to 547 lie apart from the sequence")
{
    auto known = {KnownCalls{AUDIT_ARCH_X86_64, x32 | 435, true}};
    CHECK(answer(known, AUDIT_ARCH_X86_64, x32 | 511) == enosys);
    CHECK(answer(known, AUDIT_ARCH_X86_64, x32 | 512) == SECCOMP_RET_TRAP);
    CHECK(answer(known, AUDIT_ARCH_X86_64, x32 | 547) == SECCOMP_RET_TRAP);
    CHECK(answer(known, AUDIT_ARCH_X86_64, x32 | 548) == enosys);
    CHECK(answer(known, AUDIT_ARCH_X86_64, 436) == SECCOMP_RET_TRAP);  // no 64-bit limit is known

    CHECK(is_in_sequence(AUDIT_ARCH_X86_64, true, x32 | 435));
    CHECK_FALSE(is_in_sequence(AUDIT_ARCH_X86_64, true, x32 | 545));
    CHECK_FALSE(is_in_sequence(AUDIT_ARCH_X86_64, false, x32 | 1));
}

TEST_CASE("ARM's private calls lie apart from the sequence")
{
    CHECK(answer({{AUDIT_ARCH_ARM, 439}}, AUDIT_ARCH_ARM, 440) == enosys);
    CHECK(answer({{AUDIT_ARCH_ARM, 439}}, AUDIT_ARCH_ARM, 0x0f0002) == SECCOMP_RET_TRAP);
    CHECK_FALSE(is_in_sequence(AUDIT_ARCH_ARM, false, 0x0f0002));
    CHECK(is_in_sequence(AUDIT_ARCH_ARM, false, 439));
}
