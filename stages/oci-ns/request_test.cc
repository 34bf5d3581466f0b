// What can be asked for, and what is refused.
#include "request.h"

#include <doctest/doctest.h>

static Result<Request> request_of(const std::string& lines)
{
    Plan plan = TRY(Plan::parse("plan 1\n" + lines + "end\n", "ns"));
    Request request;
    TRY(add_plan(request, plan));
    TRY(check(request));
    return request;
}

static std::string refusal(const std::string& lines)
{
    Result<Request> request = request_of(lines);
    return request.has_value() ? "accepted" : request.error().message();
}

TEST_CASE("a cgroup of /proc is found below the directory of another")
{
    CHECK(path_below("/sys/fs/cgroup/a/b", "/a/b/sub/c") == "sub/c");
    CHECK(path_below("/sys/fs/cgroup/a/b", "/a/b") == "");
    CHECK(path_below("/sys/fs/cgroup/a/b", "/a/bc/d") == "");
    CHECK(path_below("/sys/fs/cgroup/a/b", "/x/y") == "");
    CHECK(path_below("/sys/fs/cgroup/a/a", "/a/a/a") == "a");
    CHECK(path_below("/sys/fs/cgroup/a", "/a/x/a") == "x/a");
    CHECK(path_below("/sys/fs/cgroup/a", "/") == "");
    CHECK(path_below("/sys/fs/cgroup/a", "/../../a/b") == "");
    CHECK(path_below("/sys/fs/cgroup/a", "") == "");
}

TEST_CASE("a plan becomes a request")
{
    Result<Request> request = request_of("ns.new\t/linux/namespaces/0\tpid\n"
                                         "ns.new\t/linux/namespaces/1\tuser\n"
                                         "ns.join\t/linux/namespaces/2\tnetwork\t/run/netns/blue\n"
                                         "ns.uid-map\t/linux/uidMappings/0\t0\t100000\t65536\n"
                                         "ns.cgroup\t-\t1\tcpu,cpuacct\t/sys/fs/cgroup/cpu,cpuacct\t/box\n"
                                         "ns.cgroup\t-\t2\t\t/sys/fs/cgroup/unified\t/box\n");

    REQUIRE(request.has_value());
    CHECK(request.value().new_flags == (CLONE_NEWPID | CLONE_NEWUSER));
    CHECK(request.value().new_pointer == "/linux/namespaces/0");
    REQUIRE(request.value().joins.size() == 1);
    CHECK(request.value().joins[0].kind->flag == CLONE_NEWNET);
    CHECK(request.value().joins[0].pointer == "/linux/namespaces/2");
    REQUIRE(request.value().uid_map.size() == 1);
    CHECK(request.value().uid_map[0].host == 100000);
    REQUIRE(request.value().cgroups.size() == 2);
    CHECK(request.value().cgroups[0].directory == "/sys/fs/cgroup/cpu,cpuacct/box");
    CHECK_FALSE(request.value().cgroups[0].is_v2);
    CHECK(request.value().cgroups[1].is_v2);
}

TEST_CASE("every kind of namespace is known by the name of the runtime-spec, of the option and of /proc")
{
    CHECK(find_kind("network") == find_kind("net"));
    CHECK(find_kind("mount") == find_kind("mnt"));
    CHECK(find_kind("nonsense") == nullptr);
    CHECK(find_kind(static_cast<uint64_t>(CLONE_NEWTIME))->name == "time");
}

TEST_CASE("what contradicts itself is refused with the pointer of the line that does")
{
    CHECK(refusal("ns.join\t/a\tnetwork\t/x\nns.join\t/b\tnetwork\t/y\n") == "/b: two network namespaces are to be joined");
    CHECK(refusal("ns.new\t/a\tnetwork\nns.join\t/b\tnetwork\t/y\n") == "/b: a network namespace is to be made and another one joined");
    CHECK(refusal("ns.uid-map\t/u\t0\t0\t1\n") == "/u: ids are mapped, but there is no user namespace to map them in");
    CHECK(refusal("ns.join\t/a\tuser\t/x\nns.uid-map\t/u\t0\t0\t1\n") == "accepted");
    CHECK(refusal("ns.cgroup\t-\t2\t\t/c\t/a\nns.cgroup\t-\t2\t\t/c\t/b\n") ==
          "two cgroups of version 2 are to be joined; a process is in one only");
    CHECK(refusal("ns.cgroup\t-\t2\t\t/c\t/a/..\n") == "ns.cgroup: expected absolute paths without '..', found '/c' and '/a/..'");
    CHECK(refusal("ns.cgroup\t-\t2\t\t/c\t/a/..b\n") == "accepted");
    CHECK(refusal("ns.resctrl\t-\t/r/../x\n") == "ns.resctrl: expected an absolute path without '..', found '/r/../x'");
    CHECK(refusal("ns.resctrl\t-\t/r/a\nns.resctrl\t-\t/r/a/mon_groups/b\n") == "accepted");
}

TEST_CASE("--join takes a kind and a path, in which there may be an equals sign")
{
    Result<Join> join = parse_join("net=/run/netns/a=b");

    REQUIRE(join.has_value());
    CHECK(join.value().kind->name == "network");
    CHECK(join.value().path == "/run/netns/a=b");
    for (const char* bad : {"", "net", "net=", "=path", "nets=/x"}) {
        Result<Join> refused = parse_join(bad);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().exit_code == exit_usage);
    }
}

TEST_CASE("kinds are named as in a sentence")
{
    CHECK(kind_names(0) == "");
    CHECK(kind_names(CLONE_NEWPID) == "pid");
    CHECK(kind_names(CLONE_NEWPID | CLONE_NEWNS) == "pid and mount");
    CHECK(kind_names(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUSER) == "user, pid and mount");
}
