// Finding, sealing and executing PROGRAM.
#include "executable.h"

#include "process/process.h"
#include "process/program.h"
#include "process/read_only_folder.h"
#include "stage/stage.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

extern char** environ;

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

Result<void> Executable::find()
{
    const std::string& name = words_[0];
    if (name.find('/') != std::string::npos) {
        path_ = name;
        if (::access(path_.c_str(), X_OK) < 0)
            return program_error("cannot execute '" + name + "'", errno);
        return {};
    }
    path_ = TRY(find_in_path(name));
    return {};
}

static Result<UniqueFd> make_memory_file(const char* name)
{
    // Linux 6.3 wants to be told that it is for executing, and may forbid it otherwise (vm.memfd_noexec).
    UniqueFd file(static_cast<int>(::syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC)));
    if (!file && errno == EINVAL)
        file = UniqueFd(static_cast<int>(::syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING)));
    if (!file)
        return errno_error("cannot make a memory file");
    return file;
}

Result<void> Executable::seal(Copy copy)
{
    const std::string what = "cannot seal '" + path_ + "'";
    UniqueFd from(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status;
    if (!from || ::fstat(from.get(), &status) < 0)
        return program_error(what, errno);
    if (!S_ISREG(status.st_mode))
        return program_error(what, EACCES);
    char start[2];
    if (::pread(from.get(), start, sizeof start, 0) == 2 && start[0] == '#' && start[1] == '!')
        return Error{what + ": it is a script, whose interpreter would have to open it by name", 0, {}, exit_cannot_execute};

    UniqueFd to = TRY(make_memory_file(path_.c_str() + path_.rfind('/') + 1).with_context(what));
    off_t left = status.st_size;
    while (left > 0) {
        ssize_t n = ::sendfile(to.get(), from.get(), nullptr, static_cast<size_t>(left));
        if (n <= 0)
            return Error{what, n < 0 ? errno : ENODATA};
        left -= n;
    }
    const mode_t mode = copy == Copy::readable ? 0555 : 0111;
    if (::fchmod(to.get(), mode) < 0 || ::fcntl(to.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return errno_error(what);
    sealed_ = std::move(to);
    return {};
}

Result<bool> Executable::mount_read_only()
{
    const size_t slash = path_.rfind('/');
    if (slash == std::string::npos)
        return false;
    // A script's interpreter would open it by its name, not by this mount.
    UniqueFd from(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    char start[2];
    if (!from || ::pread(from.get(), start, sizeof start, 0) != 2 || (start[0] == '#' && start[1] == '!'))
        return false;
    std::optional<ReadOnlyFolder> folder = ReadOnlyFolder::mount(path_.substr(0, slash));
    if (folder)
        sealed_ = folder->open(path_.substr(slash + 1));
    return static_cast<bool>(sealed_);
}

Result<void> Executable::use(UniqueFd program)
{
    struct statvfs status;
    if (::fstatvfs(program.get(), &status) < 0 || (status.f_flag & ST_RDONLY) == 0)
        return Error{"--program-fd: the program is not on a read-only mount", 0, {}, exit_usage};
    sealed_ = std::move(program);
    return {};
}

Result<void> Executable::protect()
{
    if (TRY(mount_read_only()))
        return {};
    return seal();
}

/// Nobody who finds this program in /proc/PID/exe can write it: its mount is read-only, or it is a sealed copy.
static bool runs_from_unwritable_file()
{
    UniqueFd own(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    struct statvfs status;
    if (!own || ::fstatvfs(own.get(), &status) < 0)
        return false;
    const int seals = ::fcntl(own.get(), F_GET_SEALS);
    return (status.f_flag & ST_RDONLY) != 0 || (seals >= 0 && (seals & F_SEAL_WRITE) != 0);
}

Result<void> Executable::protect_itself(std::span<const int> handed_on)
{
    if (runs_from_unwritable_file())
        return {};
    char path[PATH_MAX];
    ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
    UniqueFd file(::open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC));
    if (size <= 0 || size == static_cast<ssize_t>(sizeof path) || !file)
        return errno_error("cannot read '/proc/self'");
    const std::string arguments = TRY(read_all(file.get(), 16 << 20));
    std::vector<std::string> words;
    for (size_t at = 0; at < arguments.size();) {
        size_t end = std::min(arguments.find('\0', at), arguments.size());
        words.push_back(arguments.substr(at, end - at));
        at = end + 1;
    }
    Executable itself(std::move(words));
    itself.path_.assign(path, static_cast<size_t>(size));
    TRY(itself.protect());
    stage::step("execute itself from where nobody can write it");
    return itself.become(handed_on);
}

Error Executable::execute(std::span<const int> handed_on)
{
    if (path_.empty()) {
        Result<void> found = find();
        if (!found.has_value())
            return std::move(found).error();
    }
    stage::step("execute the program");
    return become(handed_on);
}

Error Executable::become(std::span<const int> handed_on)
{
    for (int fd : handed_on)
        if (::fcntl(fd, F_SETFD, 0) < 0)
            return errno_error("cannot hand on descriptor " + std::to_string(fd));
    const std::vector<char*> arguments = pointers_to(words_);
    if (sealed_)
        ::syscall(SYS_execveat, sealed_.get(), "", arguments.data(), environ, AT_EMPTY_PATH);
    else
        ::execve(path_.c_str(), arguments.data(), environ);
    int problem = errno;
    // The file is there: then the kernel means what the file needs.
    if (problem == ENOENT && (sealed_ || ::access(path_.c_str(), F_OK) == 0))
        return Error{"cannot execute '" + name() + "': the interpreter that it names is missing", ENOENT, {}, exit_cannot_execute};
    return program_error("cannot execute '" + name() + "'", problem);
}
