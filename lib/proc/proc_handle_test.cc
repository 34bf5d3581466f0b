#include "proc/proc_handle.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

TEST_CASE("a file of procfs is read through the handle, whichever kind this kernel allows")
{
    Result<ProcHandle> proc = ProcHandle::open(ProcHandle::Content::tasks);
    REQUIRE(proc.has_value());

    Result<UniqueFd> status = proc.value().open_file("self/stat", O_RDONLY);
    REQUIRE(status.has_value());
    Result<std::string> text = read_all(status.value().get(), 4096);
    REQUIRE(text.has_value());
    CHECK(text.value().starts_with(std::to_string(::getpid()) + " ("));
}

TEST_CASE("the handle leads to nothing but procfs")
{
    Result<ProcHandle> proc = ProcHandle::open(ProcHandle::Content::all);
    REQUIRE(proc.has_value());

    for (const char* path : {"self/root/etc/passwd", "self/cwd", "self/exe", "self/fd/0", "../etc/passwd", "/etc/passwd"}) {
        CAPTURE(path);
        CHECK_FALSE(proc.value().open_file(path, O_RDONLY).has_value());
    }
}

TEST_CASE("a private handle for tasks shows no kernel settings")
{
    Result<ProcHandle> proc = ProcHandle::open(ProcHandle::Content::tasks);
    REQUIRE(proc.has_value());
    if (!proc.value().is_private())
        return;  // without privilege the handle is /proc itself

    Result<UniqueFd> file = proc.value().open_file("sys/kernel/core_pattern", O_RDONLY);
    REQUIRE_FALSE(file.has_value());
    CHECK(file.error().error_number == ENOENT);
}
