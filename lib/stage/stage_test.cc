// The wire form of errors, and steps.
#include "stage/stage.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

TEST_CASE("an error survives the wire")
{
    std::string line = stage::error_line(Error{"cannot do 'a\tb'\nat all", 22, "/process/args/0", 126});
    CHECK(line.back() == '\n');
    CHECK(line.find('\n') == line.size() - 1);
    stage::StageError parsed = stage::parse_error_line(line.substr(0, line.size() - 1)).value();
    CHECK(parsed.error.message() == "/process/args/0: cannot do 'a\tb'\nat all: Invalid argument");
    CHECK(parsed.error.exit_code == 126);
    CHECK_FALSE(stage::parse_error_line("oci-ns\tx").has_value());
    CHECK_FALSE(stage::parse_error_line("").has_value());
}

TEST_CASE("all steps are kept in order where they are asked for, and no more than fit")
{
    int fd = ::memfd_create("steps", MFD_CLOEXEC);
    size_t position = 0;
    REQUIRE(stage::prepare_step_file(fd, true).has_value());
    CHECK(stage::steps_since(fd, position).empty());
    stage::set_name("oci-ns");
    stage::set_step_fd(fd);
    stage::step("clone");
    stage::set_name("oci-init");
    stage::step("two\nlines");
    CHECK(stage::steps_since(fd, position) == "oci-ns: clone\noci-init: two lines\n");
    CHECK(stage::steps_since(fd, position).empty());
    stage::step("later");
    CHECK(stage::steps_since(fd, position) == "oci-init: later\n");
    CHECK(stage::last_step(fd, "oci-ns") == "clone");
    for (int i = 0; i < 3000; i++)
        stage::step(std::string(100, 'x'));
    const size_t size = stage::steps_since(fd, position).size();
    CHECK(size > 200 * 1024);
    CHECK(size % 111 == 0);
    stage::set_step_fd(-1);

    int plain = ::memfd_create("steps", MFD_CLOEXEC);
    REQUIRE(stage::prepare_step_file(plain, false).has_value());
    stage::set_step_fd(plain);
    stage::step("clone");
    position = 0;
    CHECK(stage::steps_since(plain, position).empty());
    CHECK(stage::last_step(plain, "oci-init") == "clone");
    stage::set_step_fd(-1);
    ::close(fd);
    ::close(plain);
}

TEST_CASE("the last step of each program is kept apart")
{
    int fd = ::memfd_create("steps", MFD_CLOEXEC);
    const char* before = stage::name();
    stage::set_step_fd(fd);
    stage::set_name("oci-ns");
    stage::step("a long step that is overwritten");
    stage::step("clone");
    stage::set_name("oci-init");
    stage::step(std::string(1000, 'x'));
    stage::set_step_fd(-1);
    stage::set_name(before);

    CHECK(stage::last_step(fd, "oci-ns") == "clone");
    CHECK(stage::last_step(fd, "oci-init").size() == 255);
    CHECK(stage::last_step(fd, "oci-cgroup").empty());
    CHECK(stage::last_step(fd, "unknown").empty());
    ::close(fd);
}
