// Tests of whole filters, run by the interpreter.
#include "compile.h"

#include "interpreter.h"

#include <cerrno>
#include <doctest/doctest.h>
#include <linux/audit.h>
#include <seccomp.h>

/// A compiled plan that can be asked.
struct Filter {
    explicit Filter(const std::string& lines, CompileOptions options = {})
    {
        Plan plan = Plan::parse("plan 1\n" + lines + "end\n", "seccomp").value();
        Result<Compiled> result = compile(read_profile(plan).value().value(), options);
        if (result.has_value())
            compiled = std::move(result).value();
        else
            error = result.error().message();
    }
    uint32_t number(uint32_t arch, uint32_t nr, std::vector<uint64_t> arguments = {}) const
    {
        seccomp_data call{};
        call.arch = arch;
        call.nr = static_cast<int>(nr);
        for (size_t i = 0; i < arguments.size(); i++)
            call.args[i] = arguments[i];
        return run_filter(compiled.raw, call).value();
    }
    uint32_t operator()(const char* name, std::vector<uint64_t> arguments = {}) const
    {
        return number(seccomp_arch_native(), static_cast<uint32_t>(seccomp_syscall_resolve_name(name)), std::move(arguments));
    }
    Compiled compiled;
    std::string error;
};

static std::string with_default(const char* action, const char* number = "")
{
    return std::string("seccomp.default\t/linux/seccomp/defaultAction\t") + action + "\t" + number + "\n";
}
static std::string rule(const char* action, const char* names, const std::string& conditions = "", const char* number = "")
{
    return std::string("seccomp.rule\t/linux/seccomp/syscalls/0\t") + action + "\t" + number + "\t" + names +
           (conditions.empty() ? "" : "\t" + conditions) + "\n";
}

static const std::string deny = with_default("SCMP_ACT_ERRNO", "1");
static constexpr uint32_t eperm = SCMP_ACT_ERRNO(EPERM);
static constexpr uint32_t enosys = SCMP_ACT_ERRNO(ENOSYS);

TEST_CASE("a rule's names get its action, all others the default")
{
    Filter filter(deny + rule("SCMP_ACT_ALLOW", "read,write") + rule("SCMP_ACT_ERRNO", "getpid", "", "22") + rule("SCMP_ACT_KILL_PROCESS", "reboot"));
    CHECK(filter("read") == SCMP_ACT_ALLOW);
    CHECK(filter("write") == SCMP_ACT_ALLOW);
    CHECK(filter("getpid") == SCMP_ACT_ERRNO(22));
    CHECK(filter("reboot") == SCMP_ACT_KILL_PROCESS);
    CHECK(filter("close") == eperm);
}

TEST_CASE("every operator compares the whole 64 bits")
{
    struct {
        const char* condition;
        uint64_t holds;
        uint64_t fails;
    } cases[] = {
        {"0:SCMP_CMP_NE:4294967296:0", 0, 4294967296},
        {"0:SCMP_CMP_LT:4294967297:0", 4294967296, 4294967297},
        {"0:SCMP_CMP_LE:4294967297:0", 4294967297, 4294967298},
        {"0:SCMP_CMP_EQ:4294967297:0", 4294967297, 1},
        {"0:SCMP_CMP_GE:4294967297:0", 4294967297, 4294967296},
        {"0:SCMP_CMP_GT:4294967297:0", 4294967298, 4294967297},
        {"0:SCMP_CMP_MASKED_EQ:1095216660480:4294967296", 4294967301, 8589934597},
    };
    for (const auto& one : cases) {
        CAPTURE(one.condition);
        Filter filter(deny + rule("SCMP_ACT_ALLOW", "personality", one.condition));
        CHECK(filter("personality", {one.holds}) == SCMP_ACT_ALLOW);
        CHECK(filter("personality", {one.fails}) == eperm);
    }
}

TEST_CASE("conditions on different arguments must all hold")
{
    Filter filter(deny + rule("SCMP_ACT_ALLOW", "socket", "0:SCMP_CMP_EQ:1:0\t2:SCMP_CMP_EQ:9:0"));
    CHECK(filter("socket", {1, 0, 9}) == SCMP_ACT_ALLOW);
    CHECK(filter("socket", {1, 0, 8}) == eperm);
    CHECK(filter("socket", {2, 0, 9}) == eperm);
}

TEST_CASE("conditions on one argument are alternatives")
{
    Filter filter(deny + rule("SCMP_ACT_ALLOW", "socket", "0:SCMP_CMP_EQ:1:0\t0:SCMP_CMP_EQ:2:0"));
    CHECK(filter("socket", {1}) == SCMP_ACT_ALLOW);
    CHECK(filter("socket", {2}) == SCMP_ACT_ALLOW);
    CHECK(filter("socket", {3}) == eperm);
}

TEST_CASE("a rule that says what the default says, or that nobody knows, is passed over with a note")
{
    Filter filter(deny + rule("SCMP_ACT_ERRNO", "getpid", "", "1") + rule("SCMP_ACT_ALLOW", "read,no_such_call"));
    CHECK(filter("getpid") == eperm);
    REQUIRE(filter.compiled.notes.size() == 2);
    CHECK(filter.compiled.notes[0] == "/linux/seccomp/syscalls/0: 'getpid' gets the default action in any case; passed over");
    CHECK(filter.compiled.notes[1] == "/linux/seccomp/syscalls/0: 'no_such_call' is no system call that libseccomp knows; passed over");

    Filter strict(deny + rule("SCMP_ACT_ALLOW", "no_such_call"), {.enosys = true, .strict = true});
    CHECK(strict.error == "/linux/seccomp/syscalls/0: unknown system call 'no_such_call'");
}

TEST_CASE("the same rule twice is one; a contradicting one is refused")
{
    CHECK(Filter(deny + rule("SCMP_ACT_ALLOW", "read") + rule("SCMP_ACT_ALLOW", "read")).error == "");
    CHECK(Filter(deny + rule("SCMP_ACT_ALLOW", "socket", "0:SCMP_CMP_EQ:1:0") + rule("SCMP_ACT_ERRNO", "socket", "0:SCMP_CMP_EQ:1:0", "9")).error ==
          "/linux/seccomp/syscalls/0: the rule for 'socket' contradicts an earlier one with the same conditions");
}

TEST_CASE("many rules make a tree that answers the same")
{
    std::string names;
    for (int number = 0; number < 300; number++)
        if (char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number); name != nullptr) {
            if (number % 3 != 0)
                names += (names.empty() ? "" : ",") + std::string(name);
            free(name);
        }
    Filter filter(deny + rule("SCMP_ACT_ALLOW", names.c_str()));
    for (uint32_t number = 0; number < 300; number++) {
        char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
        if (name == nullptr)
            continue;
        free(name);
        CAPTURE(number);
        CHECK(filter.number(seccomp_arch_native(), number) == (number % 3 != 0 ? SCMP_ACT_ALLOW : number == 299 ? enosys : eperm));
    }
}

TEST_CASE("calls newer than the profile get ENOSYS where the default would deny them")
{
    for (const char* action : {"SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"}) {
        CAPTURE(action);
        Filter filter(with_default(action) + rule("SCMP_ACT_ALLOW", "read,statx"));
        CHECK(filter("clone3") == enosys);
        CHECK(filter("statx") == SCMP_ACT_ALLOW);
        CHECK(is_denial(filter("close")));
        CHECK(filter("close") != enosys);
    }
    for (const char* action : {"SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"}) {
        CAPTURE(action);
        Filter filter(with_default(action) + rule("SCMP_ACT_KILL", "reboot"));
        CHECK(filter("clone3") != enosys);
    }
}

TEST_CASE("a name that got no rule counts as known, and --no-enosys leaves all to the default")
{
    Filter known(deny + rule("SCMP_ACT_ALLOW", "read") + rule("SCMP_ACT_ERRNO", "clone3", "", "1"));
    CHECK(known("clone3") == eperm);
    CHECK(known.number(seccomp_arch_native(), 4000) == enosys);

    Filter off(deny + rule("SCMP_ACT_ALLOW", "read"), {.enosys = false, .strict = false});
    CHECK(off("clone3") == eperm);
}

TEST_CASE("without a rule nothing is known, so all is denied as asked")
{
    CHECK(Filter(with_default("SCMP_ACT_KILL_PROCESS"))("clone3") == SCMP_ACT_KILL_PROCESS);
}

#ifdef __x86_64__
TEST_CASE("the filter covers the architectures of the list; another one kills")
{
    std::string rules = rule("SCMP_ACT_ALLOW", "read,getpid");
    Filter one(deny + rules);
    Filter three(deny + "seccomp.arch\t-\tSCMP_ARCH_X86\nseccomp.arch\t-\tSCMP_ARCH_X32\nseccomp.arch\t-\tSCMP_ARCH_ARM\n" + rules);

    CHECK(one.number(AUDIT_ARCH_X86_64, 0) == SCMP_ACT_ALLOW);
    CHECK(one.number(AUDIT_ARCH_I386, 3) == SCMP_ACT_KILL_PROCESS);
    CHECK(one.number(AUDIT_ARCH_X86_64, 0x40000000) == SCMP_ACT_KILL_PROCESS);
    CHECK(three.number(AUDIT_ARCH_X86_64, 0) == SCMP_ACT_ALLOW);
    CHECK(three.number(AUDIT_ARCH_I386, 3) == SCMP_ACT_ALLOW);
    CHECK(three.number(AUDIT_ARCH_I386, 4) == eperm);
    CHECK(three.number(AUDIT_ARCH_X86_64, 0x40000000) == SCMP_ACT_ALLOW);
    CHECK(three.number(AUDIT_ARCH_ARM, 3) == SCMP_ACT_KILL_PROCESS);
}

TEST_CASE("a call behind socketcall counts by its own number too")
{
    // socket(2) on x86 is socketcall(2), 102, with 1, and 359 since Linux 4.3.
    Filter filter(deny + "seccomp.arch\t-\tSCMP_ARCH_X86\n" + rule("SCMP_ACT_ALLOW", "read,socket"));
    CHECK(filter.number(AUDIT_ARCH_I386, 102, {1}) == SCMP_ACT_ALLOW);
    CHECK(filter.number(AUDIT_ARCH_I386, 102, {2}) == eperm);
    CHECK(filter.number(AUDIT_ARCH_I386, 359) == SCMP_ACT_ALLOW);
    CHECK(filter.number(AUDIT_ARCH_I386, 358) == eperm);
    CHECK(filter.number(AUDIT_ARCH_I386, 360) == enosys);
}

TEST_CASE("a name that only another architecture has adds no instruction")
{
    CHECK(Filter(deny + rule("SCMP_ACT_ALLOW", "read,socketcall")).compiled.raw == Filter(deny + rule("SCMP_ACT_ALLOW", "read")).compiled.raw);
}
#endif

TEST_CASE("a filter that is larger than the kernel takes is refused with a sentence")
{
    std::string rules;
    for (int value = 0; value < 1200; value++)
        rules += rule("SCMP_ACT_ALLOW", "personality", "0:SCMP_CMP_EQ:" + std::to_string(value * 4294967297) + ":0");
    Filter filter(deny + rules);
    CHECK(filter.error != "");
    CAPTURE(filter.error);
    CHECK(filter.error.find("instructions; the kernel takes 4096") != std::string::npos);
}
