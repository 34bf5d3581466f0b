// A recursive copy by descriptors; the source is hostile.
#include "copy_tree.h"

#include "fd/fd.h"

#include <climits>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>

// The source is a tree in the image: deeper ones are somebody's joke.
static constexpr int max_depth = 256;

static Result<void> copy_content(int from, int to)
{
    char buffer[16384];
    ssize_t size;
    while ((size = ::read(from, buffer, sizeof buffer)) != 0) {
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return errno_error("cannot read");
        TRY(write_all(to, std::string_view(buffer, static_cast<size_t>(size))));
    }
    return {};
}

/// Owner before mode: a change of the owner clears the set-user-ID bits.
static Result<void> copy_attributes(int fd, const struct stat& status)
{
    const struct timespec times[2] = {status.st_atim, status.st_mtim};
    if (::fchown(fd, status.st_uid, status.st_gid) < 0 || ::fchmod(fd, status.st_mode & 07777) < 0 || ::futimens(fd, times) < 0)
        return errno_error("cannot copy owner, mode and times");
    return {};
}

static Result<void> copy_directory(int from, int to, int depth);

static Result<void> copy_entry(int from, int to, const char* name, int depth)
{
    struct stat status;
    if (::fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno_error("cannot look at it");
    if (S_ISDIR(status.st_mode)) {
        if (::mkdirat(to, name, 0700) < 0)
            return errno_error("cannot make the directory");
        UniqueFd source(::openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        UniqueFd copy(::openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!source || !copy)
            return errno_error("cannot open the directory");
        TRY(copy_directory(source.get(), copy.get(), depth + 1));
        return copy_attributes(copy.get(), status);
    }
    if (S_ISREG(status.st_mode)) {
        // O_NONBLOCK: it may be a fifo by now.
        UniqueFd source(::openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        UniqueFd copy(::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!source || !copy)
            return errno_error("cannot open it");
        TRY(copy_content(source.get(), copy.get()));
        return copy_attributes(copy.get(), status);
    }
    if (S_ISLNK(status.st_mode)) {
        char target[PATH_MAX];
        ssize_t size = ::readlinkat(from, name, target, sizeof target - 1);
        if (size < 0)
            return errno_error("cannot read the link");
        target[size] = '\0';
        if (::symlinkat(target, to, name) < 0)
            return errno_error("cannot make the link");
    } else if (::mknodat(to, name, status.st_mode, status.st_rdev) < 0) {
        // A user namespace cannot have device nodes.
        return errno == EPERM ? Result<void>() : errno_error("cannot make the node");
    } else if (::fchmodat(to, name, status.st_mode & 07777, 0) < 0) {
        return errno_error("cannot set the mode");
    }
    if (::fchownat(to, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
        return errno_error("cannot set the owner");
    return {};
}

static Result<void> copy_directory(int from, int to, int depth)
{
    if (depth > max_depth)
        return Error{"too many directories one below the other"};
    int duplicate = ::openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    std::unique_ptr<DIR, int (*)(DIR*)> directory(duplicate < 0 ? nullptr : ::fdopendir(duplicate), ::closedir);
    if (!directory)
        return errno_error("cannot read the directory");
    while (const dirent* entry = ::readdir(directory.get())) {
        if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0)
            continue;
        TRY(copy_entry(from, to, entry->d_name, depth).with_context("'" + std::string(entry->d_name) + "'"));
    }
    return {};
}

Result<void> copy_tree(int from, int to)
{
    // `to` may be open for its path only (fsmount gives such a descriptor).
    UniqueFd readable(::openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!readable)
        return errno_error("cannot open the new file system");
    return copy_directory(from, readable.get(), 0);
}
