#include "mountinfo/mountinfo.h"

#include <doctest/doctest.h>

TEST_CASE("a line of mountinfo has its fields, with and without optional ones")
{
    std::string_view text = "36 35 0:30 /part /mount/a\\040b rw,nosuid shared:1 master:2 - cgroup cgroup rw,cpu,cpuacct\n"
                            "37 35 0:31 / /proc rw - proc proc rw\n";
    MountLine first = take_mount(text);
    CHECK(first.id == "36");
    CHECK(first.root == "/part");
    CHECK(unescape_path(first.point) == "/mount/a b");
    CHECK(first.type == "cgroup");
    CHECK(first.options == "rw,cpu,cpuacct");
    CHECK(take_mount(text).point == "/proc");
    CHECK(text.empty());
}

TEST_CASE("what is no line of mountinfo has no fields")
{
    std::string_view text = "nonsense\n";
    CHECK(take_mount(text).point == "");
    CHECK(text.empty());
}

TEST_CASE("escapes stand for one character each; half of one stays")
{
    CHECK(unescape_path("/a\\040b\\134") == "/a b\\");
    CHECK(unescape_path("/a\\04") == "/a\\04");
}
