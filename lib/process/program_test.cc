// Tests of the search for PROGRAM.
#include "process/program.h"

#include "fd/fd.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

/// A folder with one file `tool`, and PATH set to it and an empty one before it.
struct Folder {
    explicit Folder(mode_t mode)
    {
        char name[] = "/tmp/program_test.XXXXXX";
        path = ::mkdtemp(name);
        UniqueFd file(::open((path + "/tool").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, mode));
        old_path = ::getenv("PATH");
        ::setenv("PATH", ("/no-such-folder:" + path).c_str(), 1);
    }
    ~Folder()
    {
        ::setenv("PATH", old_path.c_str(), 1);
        ::unlink((path + "/tool").c_str());
        ::rmdir(path.c_str());
    }
    std::string path;
    std::string old_path;
};

TEST_CASE("a name is looked up in PATH, a path is taken as it is")
{
    Folder folder(0755);
    CHECK(find_in_path("tool").value() == folder.path + "/tool");
    CHECK(find_in_path(folder.path + "/tool").value() == folder.path + "/tool");
}

TEST_CASE("what is not there is 127, what is not executable 126")
{
    Folder folder(0644);
    CHECK(find_in_path("no-such-tool").error().message() == "cannot find 'no-such-tool' in PATH: No such file or directory");
    CHECK(find_in_path("no-such-tool").error().exit_code == 127);
    CHECK(find_in_path("tool").error().message() == "cannot find 'tool' in PATH: Permission denied");
    CHECK(find_in_path("tool").error().exit_code == 126);
    CHECK(find_in_path(folder.path).error().exit_code == 126);
    CHECK(find_in_path("").error().exit_code == 127);
    CHECK(find_in_path("./no-such-tool").error().message() == "cannot execute './no-such-tool': No such file or directory");
}

TEST_CASE("ENOENT for a file that is there speaks of its interpreter")
{
    Folder folder(0755);
    CHECK(execution_error(folder.path + "/tool", ENOENT).attempted == "cannot execute '" + folder.path + "/tool': the interpreter that it names is missing");
    CHECK(execution_error(folder.path + "/tool", ENOENT).exit_code == 126);
    CHECK(execution_error(folder.path + "/gone", ENOENT).exit_code == 127);
    CHECK(execution_error(folder.path + "/tool", ENOEXEC).exit_code == 126);
}
