// Tests of what the probes read out of CRIU's words and of kernel configurations.
#include "probe.h"
#include "report.h"

#include <algorithm>
#include <doctest/doctest.h>

TEST_CASE("the version is the number behind 'Version:'")
{
    CHECK(parse_version("Version: 3.17.1\n") == "3.17.1");
    CHECK(parse_version("Version: 4.0\nGitID: v4.0\n") == "4.0");
    CHECK(parse_version("Warn: something\nVersion: 3.19-dirty\n") == "3.19");
    CHECK(parse_version("no such thing") == "");
}

TEST_CASE("error lines lose their time stamps, and the first five are kept")
{
    CHECK(error_lines("Looks good.\n").empty());
    CHECK(error_lines("(00.0123) Warn  (criu/x.c:1): careful\n(00.0124) Error (criu/y.c:2): bad\n") ==
          std::vector<std::string>{"Error (criu/y.c:2): bad"});
    CHECK(error_lines("Error (a)\nError (b)\nError (c)\nError (d)\nError (e)\nError (f)").size() == 5);
}

TEST_CASE("the remedy depends on what CRIU says")
{
    CHECK(remedy_for("Error (criu/vdso.c:381): vdso: Unexpected rt vDSO area bounds", "3.17.1", "6.18") ==
          "install a newer CRIU: 3.17.1 does not know the vDSO of Linux 6.18");
    CHECK(remedy_for("Error (x): CONFIG_UNIX_DIAG is off", "3.17.1", "6.1").find("boot a kernel") == 0);
    CHECK(remedy_for("Error (x): Operation not permitted", "3.17.1", "6.1").find("run it as root") == 0);
    CHECK(remedy_for("Error (x): something else", "3.17.1", "6.1") == "'criu check -v4' tells more");
}

TEST_CASE("an option is there when it is built in or a module, not when its name only begins like one")
{
    std::vector<std::string> missing = missing_kernel_options("\nCONFIG_CHECKPOINT_RESTORE=y\nCONFIG_UNIX_DIAG=m\n# CONFIG_TUN is not set\n"
                                                              "CONFIG_EPOLL_EXTRA=y\nCONFIG_EVENTFD=n\n");
    auto is_missing = [&](const char* name) { return std::find(missing.begin(), missing.end(), name) != missing.end(); };
    CHECK_FALSE(is_missing("CONFIG_CHECKPOINT_RESTORE"));
    CHECK_FALSE(is_missing("CONFIG_UNIX_DIAG"));
    CHECK(is_missing("CONFIG_TUN"));
    CHECK(is_missing("CONFIG_EPOLL"));
    CHECK(is_missing("CONFIG_EVENTFD"));
}

TEST_CASE("the report says the answer first, then why and what to do")
{
    Probe probe;
    probe.program = "/usr/sbin/criu";
    probe.version = "3.17.1";
    probe.kernel = "6.1";
    probe.features = {{"pre-dump", "mem_dirty_track", true}, {"lazy-pages", "uffd-noncoop", false}};
    CHECK(report_text(probe) == "checkpoint and restore work here\ncriu: /usr/sbin/criu, version 3.17.1\nkernel: 6.1\n"
                                "pre-dump: yes\nlazy-pages: no\n");
    CHECK(report_json(probe) == "{\"works\":true,\"program\":\"/usr/sbin/criu\",\"version\":\"3.17.1\",\"kernel\":\"6.1\",\"obstacles\":[],"
                                "\"errors\":[],\"features\":{\"pre-dump\":true,\"lazy-pages\":false},\"missingKernelOptions\":null}\n");

    probe.features.clear();
    probe.obstacles = {{"CRIU needs root", "run this as root"}};
    probe.missing_options = {"CONFIG_TUN"};
    CHECK(report_text(probe) == "checkpoint and restore do not work here\n  why: CRIU needs root\n  do:  run this as root\n"
                                "criu: /usr/sbin/criu, version 3.17.1\nkernel: 6.1\nnot in this kernel, needed for some processes: CONFIG_TUN\n");
    CHECK(report_json(probe).find("\"obstacles\":[{\"reason\":\"CRIU needs root\",\"remedy\":\"run this as root\"}]") != std::string::npos);
}
