// Locations, and what is refused without any cgroup at hand. The rest is in tests/oci-cgroup.
#include "cgroup/cgroup.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

TEST_CASE("a location survives the way through a line, whatever its path contains")
{
    CgroupLocation location{1, "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/a\tb\\c"};
    std::string line = location_line(location);

    CHECK(line == "1\tcpu,cpuacct\t/sys/fs/cgroup/cpu,cpuacct\t/a\\tb\\\\c\n");
    line.pop_back();
    Result<CgroupLocation> read = parse_location_line(line);
    REQUIRE(read.has_value());
    CHECK(read.value().version == 1);
    CHECK(read.value().path == location.path);
    CHECK(read.value().directory() == "/sys/fs/cgroup/cpu,cpuacct/a\tb\\c");
    CHECK(read.value().has_controller("cpuacct"));
    CHECK_FALSE(read.value().has_controller("cpua"));
}

TEST_CASE("a location that leads elsewhere is refused")
{
    for (const char* bad : {"", "2\t\t/sys/fs/cgroup", "3\t\t/sys/fs/cgroup\t/a", "2\t\t/sys/fs/cgroup\ta", "2\t\tsys\t/a", "2\t\t/sys/fs/cgroup\t/a/../b",
                            "2\t\t/sys/../x\t/a", "2\t\t/sys/fs/cgroup\t/a\tmore", "2\t\t/sys/fs/cgroup\t/a\\"})
        CHECK_FALSE(parse_location_line(bad).has_value());
}

TEST_CASE("`..` is a component, not two dots in a name")
{
    CHECK(has_dot_dot(".."));
    CHECK(has_dot_dot("/a/.."));
    CHECK(has_dot_dot("../a"));
    CHECK_FALSE(has_dot_dot("/a..b/..c/d.."));
    CHECK_FALSE(has_dot_dot(""));
}

TEST_CASE("a container is frozen and killed by the v1 freezer, else by v2")
{
    std::vector<CgroupLocation> hybrid{{1, "memory", "/m", "/a"}, {2, "", "/u", "/a"}, {1, "freezer", "/f", "/a"}};

    CHECK(location_to_kill(hybrid)->mountpoint == "/f");
    CHECK(location_to_kill(std::span(hybrid).first(2))->mountpoint == "/u");
    CHECK(location_to_kill(std::span(hybrid).first(1))->mountpoint == "/m");
    CHECK(location_to_kill({}) == nullptr);
    CHECK(is_frozen({}).value() == false);
}

TEST_CASE("a directory that is not on a cgroup file system is never taken for a cgroup")
{
    char folder[] = "/tmp/cgroup-test.XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);

    CHECK(CgroupDir::open(folder).error().message() == "'" + std::string(folder) + "' is not on a cgroup file system");
    CHECK_FALSE(kill_processes(folder).has_value());
    CHECK_FALSE(remove_cgroup(folder).has_value());
    CHECK_FALSE(remove_empty_cgroup(folder).has_value());
    CHECK(::rmdir(folder) == 0);  // it was still there
}

TEST_CASE("a cgroup that does not exist is an answer")
{
    CHECK_FALSE(CgroupDir::open("/tmp/no-such-cgroup").value().has_value());
    CHECK(kill_processes("/tmp/no-such-cgroup").has_value());
    CHECK(remove_cgroup("/tmp/no-such-cgroup").has_value());
    CHECK(remove_empty_cgroup("/tmp/no-such-cgroup").value());
}

TEST_CASE("who is inside is one process or several")
{
    CHECK(who_is_inside(std::vector<pid_t>{5}) == "process 5 is in it");
    CHECK(who_is_inside(std::vector<pid_t>{5, 7}) == "processes 5, 7 are in it");
}

TEST_CASE("files are named by one component that is not followed")
{
    char folder[] = "/tmp/cgroup-test.XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    std::string link = std::string(folder) + "/link";
    REQUIRE(::symlink("/etc/passwd", link.c_str()) == 0);
    CgroupDir directory(UniqueFd(::open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)), 2, folder);

    for (const char* bad : {"", ".", "..", "../x", "/etc/passwd", "a/b", "link"}) {
        CHECK_FALSE(directory.read(bad).has_value());
        CHECK_FALSE(directory.write(bad, "x").has_value());
        if (std::string_view(bad) != "link")
            CHECK_FALSE(directory.has(bad));
    }
    CHECK(directory.write("pids.max", "-7").error().message() == "cannot write '-7' to 'pids.max': No such file or directory");
    CHECK_FALSE(directory.read_if_exists("pids.max").value().has_value());
    ::unlink(link.c_str());
    ::rmdir(folder);
}
