// The search for PROGRAM, and its errors.
#include "process/program.h"

#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

Error program_error(const std::string& what, int error_number)
{
    bool is_missing = error_number == ENOENT || error_number == ENOTDIR;
    return Error{what, error_number, {}, is_missing ? exit_not_found : exit_cannot_execute};
}

/// 0, or the errno that execve(2) would give for a reason that can be seen from outside.
static int problem_with(const std::string& path)
{
    struct stat status;
    if (::stat(path.c_str(), &status) < 0)
        return errno;
    if (!S_ISREG(status.st_mode))
        return EACCES;
    // By the effective ids, as execve does; access(2) takes the real ones.
    return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

Result<std::string> find_in_path(const std::string& name)
{
    if (name.empty())
        return program_error("cannot execute ''", ENOENT);
    if (name.find('/') != std::string::npos) {
        int problem = problem_with(name);
        if (problem != 0)
            return program_error("cannot execute '" + name + "'", problem);
        return name;
    }
    const char* path = ::getenv("PATH");
    std::string_view folders(path != nullptr ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    int kept = ENOENT;
    for (;;) {
        size_t colon = folders.find(':');
        // An empty part of PATH is the present directory (POSIX 8.3).
        std::string candidate(colon == 0 || folders.empty() ? std::string_view(".") : folders.substr(0, colon));
        candidate += "/" + name;
        int problem = problem_with(candidate);
        if (problem == 0)
            return candidate;
        // A folder that we may not enter says nothing about the program.
        if (problem == EACCES && ::faccessat(AT_FDCWD, candidate.c_str(), F_OK, AT_EACCESS) == 0)
            kept = EACCES;
        if (colon == std::string_view::npos)
            break;
        folders.remove_prefix(colon + 1);
    }
    return program_error("cannot find '" + name + "' in PATH", kept);
}

Error execution_error(const std::string& path, int error_number)
{
    if (error_number == ENOENT && ::faccessat(AT_FDCWD, path.c_str(), F_OK, 0) == 0)
        return Error{"cannot execute '" + path + "': the interpreter that it names is missing", ENOENT, {}, exit_cannot_execute};
    return program_error("cannot execute '" + path + "'", error_number);
}
