// Tests of lib/seccomp: what is refused before the kernel is asked, and the flags.
#include "seccomp/filter.h"

#include <doctest/doctest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

static std::string raw_of(std::initializer_list<sock_filter> instructions)
{
    return std::string(reinterpret_cast<const char*>(instructions.begin()), instructions.size() * sizeof(sock_filter));
}

static Plan plan_of(const std::string& lines) { return Plan::parse("plan 1\n" + lines + "end\n", "seccomp").value(); }

TEST_CASE("a filter that is empty, broken or too long is refused before the kernel sees it")
{
    CHECK(check_filter("").error().attempted ==
          "the filter is empty: the plan that it comes from asks for none (no linux.seccomp in config.json), or compiling it failed");
    CHECK(check_filter("123456789").error().attempted ==
          "the filter is not an array of struct sock_filter: 9 bytes are not a multiple of 8");
    CHECK(check_filter(std::string(8 * 4096, 'x')).has_value());
    CHECK(check_filter(std::string(8 * 4097, 'x')).error().attempted == "the filter has 4097 instructions; the kernel takes 4096");
}

TEST_CASE("a flag is known with and without its prefix, and no other")
{
    CHECK(filter_flag("SECCOMP_FILTER_FLAG_TSYNC").value() == 1);
    CHECK(filter_flag("LOG").value() == 2);
    CHECK(filter_flag("SPEC_ALLOW").value() == 4);
    CHECK(filter_flag("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV").value() == 32);
    CHECK(filter_flag("NEW_LISTENER").error().attempted.starts_with("unknown seccomp flag 'NEW_LISTENER'"));
    CHECK_FALSE(filter_flag("").has_value());
}

TEST_CASE("a plan without flags means SPEC_ALLOW, one with an empty flag means none")
{
    CHECK(filter_flags(plan_of("")).value() == 4);
    CHECK(filter_flags(plan_of("seccomp.flag\t/linux/seccomp/flags\t\n")).value() == 0);
    CHECK(filter_flags(plan_of("seccomp.flag\t-\tTSYNC\nseccomp.flag\t-\tSECCOMP_FILTER_FLAG_LOG\n")).value() == 3);

    Result<unsigned> unknown = filter_flags(plan_of("seccomp.flag\t/linux/seccomp/flags/0\tX\n"));
    REQUIRE_FALSE(unknown.has_value());
    CHECK(unknown.error().pointer == "/linux/seccomp/flags/0");
}

TEST_CASE("a filter notifies when one of its returns does")
{
    std::string allow = raw_of({BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)});
    std::string notify = raw_of({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SECCOMP_RET_USER_NOTIF), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)});

    CHECK_FALSE(filter_notifies(allow));
    CHECK(filter_notifies(notify));
    CHECK_FALSE(filter_notifies(notify.substr(0, 8)));  // a constant that only looks like it
}
