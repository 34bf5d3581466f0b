// Which hierarchies there are, and where a path leads in them.
#include "hierarchy.h"

#include <doctest/doctest.h>

static constexpr std::string_view hybrid_mountinfo =
    "23 1 0:21 / /sys rw,nosuid - sysfs sysfs rw\n"
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/systemd rw,nosuid shared:9 - cgroup cgroup rw,xattr,name=systemd\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "34 31 0:31 /docker/a\\040b /mnt/nested rw - cgroup cgroup rw,memory,clone_children\n"
    "35 31 0:31 / /sys/fs/cgroup/my\\040memory rw - cgroup cgroup rw,memory,clone_children\n"
    "36 31 0:31 /docker/c /mnt/later rw - cgroup cgroup rw,memory,clone_children\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n"
    "42 31 0:39 / /mnt/cgroupish rw - cgroupfoo cgroup rw,cpu\n";

TEST_CASE("each hierarchy of a hybrid host is found once, with the mount of its whole tree")
{
    std::vector<Hierarchy> found = parse_hierarchies(hybrid_mountinfo);

    REQUIRE(found.size() == 4);
    CHECK(found[0].controllers == "name=systemd");
    CHECK(found[1].controllers == "cpu,cpuacct");
    CHECK(found[1].mountpoint == "/sys/fs/cgroup/cpu,cpuacct");
    CHECK(found[1].has_controller("cpuacct"));
    CHECK_FALSE(found[1].has_controller("cpus"));
    CHECK(found[2].controllers == "memory");
    CHECK(found[2].mountpoint == "/sys/fs/cgroup/my memory");
    CHECK(found[2].mount_root == "/");
    CHECK(found[3].version == 2);
    CHECK(found[3].controllers == "");
}

TEST_CASE("the caller's cgroup is seen from the root of the mount")
{
    constexpr std::string_view text = "9:name=systemd:/user/x\n4:memory:/docker/abc/sub\n2:cpu,cpuacct:/\n0::/docker/abc\n";

    CHECK(parse_own_cgroup(text, {1, "name=systemd", "/m", "/"}) == "/user/x");
    CHECK(parse_own_cgroup(text, {1, "memory", "/m", "/docker/abc"}) == "/sub");
    CHECK(parse_own_cgroup(text, {1, "cpu,cpuacct", "/m", "/"}) == "/");
    CHECK(parse_own_cgroup(text, {2, "", "/m", "/"}) == "/docker/abc");
    CHECK(parse_own_cgroup(text, {2, "", "/m", "/docker/abc"}) == "/");
}

TEST_CASE("a caller outside of the mounted tree counts as at its root")
{
    CHECK(parse_own_cgroup("0::/../../other\n", {2, "", "/m", "/"}) == "/");
    CHECK(parse_own_cgroup("0::/docker/abcdef\n", {2, "", "/m", "/docker/abc"}) == "/");
    CHECK(parse_own_cgroup("4:memory:/a\n", {1, "pids", "/m", "/"}) == "/");
}

TEST_CASE("a relative path is below the caller's cgroup on v1 and beside it on v2")
{
    CHECK(default_parent(1, "/user/x") == "/user/x");
    CHECK(default_parent(1, "/") == "/");
    CHECK(default_parent(2, "/user/x") == "/user");
    CHECK(default_parent(2, "/user") == "/");
    CHECK(default_parent(2, "/") == "/");
}

TEST_CASE("a path is cleaned, and refused when it leads up or is the root")
{
    CHECK(clean_path("//a/./b//").value() == "/a/b");
    CHECK(clean_path("box").value() == "/box");
    CHECK(clean_path("..a/b..").value() == "/..a/b..");
    for (const char* bad : {"", "/", "/./", "..", "../x", "/a/../b", "a/.."})
        CHECK_FALSE(clean_path(bad).has_value());
}
