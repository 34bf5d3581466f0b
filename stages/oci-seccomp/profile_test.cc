// Tests of the reading of a profile.
#include "profile.h"

#include <doctest/doctest.h>
#include <linux/seccomp.h>
#include <seccomp.h>

static Plan plan_of(const std::string& lines) { return Plan::parse("plan 1\n" + lines + "end\n", "seccomp").value(); }

/// The sentence with which a plan is refused; empty: it is not.
static std::string refusal(const std::string& lines)
{
    Plan plan = plan_of(lines);
    Result<std::optional<Profile>> profile = read_profile(plan);
    return profile.has_value() ? "" : profile.error().message();
}

static const std::string allow_all = "seccomp.default\t/linux/seccomp/defaultAction\tSCMP_ACT_ALLOW\t\n";

TEST_CASE("every action has its kernel value, and EPERM where no errnoRet is given")
{
    CHECK(parse_action("SCMP_ACT_KILL", "").value() == SECCOMP_RET_KILL_THREAD);
    CHECK(parse_action("SCMP_ACT_KILL_THREAD", "").value() == SECCOMP_RET_KILL_THREAD);
    CHECK(parse_action("SCMP_ACT_KILL_PROCESS", "").value() == SECCOMP_RET_KILL_PROCESS);
    CHECK(parse_action("SCMP_ACT_TRAP", "").value() == SECCOMP_RET_TRAP);
    CHECK(parse_action("SCMP_ACT_ERRNO", "").value() == (SECCOMP_RET_ERRNO | EPERM));
    CHECK(parse_action("SCMP_ACT_ERRNO", "38").value() == (SECCOMP_RET_ERRNO | 38));
    CHECK(parse_action("SCMP_ACT_ERRNO", "0").value() == SECCOMP_RET_ERRNO);
    CHECK(parse_action("SCMP_ACT_TRACE", "").value() == (SECCOMP_RET_TRACE | EPERM));
    CHECK(parse_action("SCMP_ACT_TRACE", "65535").value() == (SECCOMP_RET_TRACE | 65535));
    CHECK(parse_action("SCMP_ACT_ALLOW", "").value() == SECCOMP_RET_ALLOW);
    CHECK(parse_action("SCMP_ACT_LOG", "").value() == SECCOMP_RET_LOG);
    CHECK(parse_action("SCMP_ACT_NOTIFY", "").value() == SECCOMP_RET_USER_NOTIF);
}

TEST_CASE("an action that is unknown, or has a number that does not fit, is refused")
{
    CHECK(parse_action("SCMP_ACT_FOO", "").error().attempted == "unknown seccomp action 'SCMP_ACT_FOO'");
    CHECK(parse_action("SCMP_ACT_ALLOW", "1").error().attempted == "action 'SCMP_ACT_ALLOW' takes no errnoRet");
    CHECK(parse_action("SCMP_ACT_ERRNO", "4096").error().attempted == "errnoRet 4096 of 'SCMP_ACT_ERRNO' is larger than 4095");
    CHECK(parse_action("SCMP_ACT_TRACE", "65536").error().attempted == "errnoRet 65536 of 'SCMP_ACT_TRACE' is larger than 65535");
    CHECK_FALSE(parse_action("SCMP_ACT_ERRNO", "-1").has_value());
}

TEST_CASE("an action is named with its number")
{
    CHECK(action_name(SECCOMP_RET_ERRNO | 38) == "SCMP_ACT_ERRNO (38)");
    CHECK(action_name(SECCOMP_RET_KILL_THREAD) == "SCMP_ACT_KILL_THREAD");
    CHECK(action_name(SECCOMP_RET_USER_NOTIF) == "SCMP_ACT_NOTIFY");
}

TEST_CASE("errors, traps and kills deny; the rest leaves the call to somebody")
{
    for (uint32_t action : {uint32_t{SECCOMP_RET_ERRNO}, uint32_t{SECCOMP_RET_TRAP}, uint32_t{SECCOMP_RET_KILL_THREAD}, uint32_t{SECCOMP_RET_KILL_PROCESS}})
        CHECK(is_denial(action));
    for (uint32_t action : {uint32_t{SECCOMP_RET_ALLOW}, uint32_t{SECCOMP_RET_LOG}, uint32_t{SECCOMP_RET_TRACE}, uint32_t{SECCOMP_RET_USER_NOTIF}})
        CHECK_FALSE(is_denial(action));
}

TEST_CASE("every architecture that the runtime-spec names is known")
{
    for (const char* name : {"X86", "X86_64", "X32", "ARM", "AARCH64", "MIPS", "MIPS64", "MIPS64N32", "MIPSEL", "MIPSEL64", "MIPSEL64N32",
                             "PPC", "PPC64", "PPC64LE", "S390", "S390X", "RISCV64", "LOONGARCH64", "PARISC", "PARISC64", "M68K", "SH", "SHEB"}) {
        CAPTURE(name);
        CHECK(parse_architecture(std::string("SCMP_ARCH_") + name).has_value());
    }
    CHECK(parse_architecture("SCMP_ARCH_VAX").error().attempted == "unknown seccomp architecture 'SCMP_ARCH_VAX'");
    CHECK_FALSE(parse_architecture("X86_64").has_value());
    CHECK_FALSE(parse_architecture("SCMP_ARCH_").has_value());
}

#ifdef __x86_64__
TEST_CASE("architectures of the machine's own family have a token, foreign ones add nothing")
{
    CHECK(parse_architecture("SCMP_ARCH_X86").value() == SCMP_ARCH_X86);
    CHECK(parse_architecture("SCMP_ARCH_X32").value() == SCMP_ARCH_X32);
    CHECK(parse_architecture("SCMP_ARCH_AARCH64").value() == std::nullopt);
    CHECK(parse_architecture("SCMP_ARCH_M68K").value() == std::nullopt);

    Plan plan = plan_of(allow_all + "seccomp.arch\t-\tSCMP_ARCH_S390X\nseccomp.arch\t-\tSCMP_ARCH_X86_64\n"
                                    "seccomp.arch\t-\tSCMP_ARCH_X86\nseccomp.arch\t-\tSCMP_ARCH_X86\n");
    Profile profile = read_profile(plan).value().value();
    CHECK(profile.architectures == std::vector<uint32_t>{SCMP_ARCH_X86});
}
#endif

TEST_CASE("a condition is index, operator and two 64-bit numbers")
{
    Condition condition = parse_condition("5:SCMP_CMP_MASKED_EQ:18446744073709551615:2114060288").value();
    CHECK(condition.index == 5);
    CHECK(condition.op == Operator::masked_eq);
    CHECK(condition.value == UINT64_MAX);
    CHECK(condition.value_two == 2114060288);

    CHECK(parse_condition("0:SCMP_CMP_NE:1:").value().op == Operator::ne);
    CHECK(parse_condition("0:SCMP_CMP_GT:1:").value().op == Operator::gt);
}

TEST_CASE("a condition that is none is refused")
{
    CHECK(parse_condition("0:SCMP_CMP_EQ:1").error().attempted == "condition '0:SCMP_CMP_EQ:1' is not INDEX:OP:VALUE:VALUE-TWO");
    CHECK_FALSE(parse_condition("0:SCMP_CMP_EQ:1:2:3").has_value());
    CHECK_FALSE(parse_condition("").has_value());
    CHECK(parse_condition("6:SCMP_CMP_EQ:1:0").error().attempted == "argument index 6: a system call has the arguments 0 to 5");
    CHECK(parse_condition("0:SCMP_CMP_LIKE:1:0").error().attempted == "unknown seccomp operator 'SCMP_CMP_LIKE'");
    CHECK_FALSE(parse_condition("0:SCMP_CMP_EQ:18446744073709551616:0").has_value());
    CHECK_FALSE(parse_condition("0:SCMP_CMP_EQ:-1:0").has_value());
}

TEST_CASE("conditions on different arguments stay together, a repeated argument makes alternatives")
{
    Condition a0{0, Operator::eq, 1, 0};
    Condition a1{1, Operator::eq, 2, 0};
    Condition a0_too{0, Operator::eq, 3, 0};

    CHECK(kernel_rules({}).size() == 1);
    CHECK(kernel_rules({}).at(0).empty());

    std::vector<std::vector<Condition>> together = kernel_rules({a0, a1});
    REQUIRE(together.size() == 1);
    CHECK(together[0].size() == 2);

    std::vector<std::vector<Condition>> alternatives = kernel_rules({a0, a1, a0_too});
    REQUIRE(alternatives.size() == 3);
    CHECK(alternatives[1].size() == 1);
    CHECK(alternatives[1][0].index == 1);
}

TEST_CASE("a plan without seccomp lines has no profile; one with rules needs a default")
{
    Plan plan = plan_of("init.cwd\t-\t/\n");
    CHECK_FALSE(read_profile(plan).value().has_value());
    CHECK(refusal("seccomp.rule\t-\tSCMP_ACT_ALLOW\t\tread\n") == "/linux/seccomp: the plan has 'seccomp.rule' but no 'seccomp.default'");
}

TEST_CASE("NOTIFY is refused as default and for write, because the runtime could wait for itself")
{
    CHECK(refusal("seccomp.default\t/linux/seccomp/defaultAction\tSCMP_ACT_NOTIFY\t\n") ==
          "/linux/seccomp/defaultAction: SCMP_ACT_NOTIFY cannot be used as default action");
    CHECK(refusal(allow_all + "seccomp.rule\t/linux/seccomp/syscalls/0\tSCMP_ACT_NOTIFY\t\tread,write\n") ==
          "/linux/seccomp/syscalls/0: SCMP_ACT_NOTIFY cannot be used for the write syscall");
    CHECK(refusal(allow_all + "seccomp.rule\t-\tSCMP_ACT_NOTIFY\t\tread,writev\n") == "");
}

TEST_CASE("an error of a line carries its JSON pointer")
{
    CHECK(refusal(allow_all + "seccomp.rule\t/linux/seccomp/syscalls/7\tSCMP_ACT_FOO\t\tread\n") ==
          "/linux/seccomp/syscalls/7: unknown seccomp action 'SCMP_ACT_FOO'");
    CHECK(refusal(allow_all + "seccomp.arch\t/linux/seccomp/architectures/1\tSCMP_ARCH_VAX\n") ==
          "/linux/seccomp/architectures/1: unknown seccomp architecture 'SCMP_ARCH_VAX'");
}
