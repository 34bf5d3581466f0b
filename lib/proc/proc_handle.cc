// Opening a private procfs, and files in it.
#include "proc/proc_handle.h"

#include "mounts/mount_calls.h"

#include <cstdint>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string>
#include <sys/stat.h>
#include <sys/vfs.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

static constexpr ino_t proc_root_inode = 1;

static bool is_procfs(int fd)
{
    struct statfs filesystem;
    return ::fstatfs(fd, &filesystem) == 0 && filesystem.f_type == PROC_SUPER_MAGIC;
}

static UniqueFd mount_privately(ProcHandle::Content content)
{
    UniqueFd fs = mount_calls::fsopen("proc");
    if (!fs)
        return UniqueFd();
    // Linux >= 5.8. An older kernel refuses the word and gives all of procfs.
    if (content == ProcHandle::Content::tasks)
        (void)mount_calls::fsconfig_string(fs.get(), "subset", "pid");
    if (mount_calls::fsconfig_create(fs.get()) < 0)
        return UniqueFd();
    return mount_calls::fsmount(fs.get(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

Result<ProcHandle> ProcHandle::open(Content content)
{
    UniqueFd root = mount_privately(content);
    if (root)
        return ProcHandle(std::move(root), true);

    root = UniqueFd(::open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!root)
        return errno_error("cannot open '/proc'");
    struct stat status;
    if (!is_procfs(root.get()) || ::fstat(root.get(), &status) < 0 || status.st_ino != proc_root_inode)
        return Error{"'/proc' is not a procfs, and this kernel allows no private one here"};
    return ProcHandle(std::move(root), false);
}

/// Which mount an open file is on (Linux >= 5.8; 0: cannot be told).
static uint64_t mount_id(int fd)
{
    struct statx status;
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) < 0 || (status.stx_mask & STATX_MNT_ID) == 0)
        return 0;
    return status.stx_mnt_id;
}

/// The lookup without openat2: no link is followed, and every component must be on the root's own mount.
static UniqueFd walk(int root, std::string_view path, int flags)
{
    const uint64_t mount = mount_id(root);
    std::string rest(path);
    // The two links that are meant to be followed, by what they say: the procfs may count processes as an outer pid
    // namespace does, so our own idea of our number would lead to somebody else.
    const std::string first = rest.substr(0, rest.find('/'));
    if (first == "self" || first == "thread-self") {
        char target[64];
        ssize_t size = ::readlinkat(root, first.c_str(), target, sizeof target);
        if (size <= 0 || size == static_cast<ssize_t>(sizeof target))
            return UniqueFd();
        rest.replace(0, first.size(), std::string_view(target, static_cast<size_t>(size)));
    }
    UniqueFd at(::fcntl(root, F_DUPFD_CLOEXEC, 3));
    while (at && !rest.empty()) {
        const std::string name = rest.substr(0, rest.find('/'));
        rest.erase(0, name.size() + 1);
        if (name == ".." || name.empty() || mount == 0) {
            errno = mount == 0 ? ENOSYS : EXDEV;
            return UniqueFd();
        }
        at = UniqueFd(::openat(at.get(), name.c_str(), (rest.empty() ? flags : O_PATH) | O_NOFOLLOW | O_CLOEXEC));
        if (at && mount_id(at.get()) != mount) {
            errno = EXDEV;
            return UniqueFd();
        }
    }
    return at;
}

Result<UniqueFd> ProcHandle::open_file(std::string_view path, int flags) const
{
    std::string text(path);
    open_how how{};
    how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
    UniqueFd fd;
    do
        fd = UniqueFd(static_cast<int>(::syscall(SYS_openat2, root_.get(), text.c_str(), &how, sizeof how)));
    while (!fd && errno == EAGAIN);
    if (!fd && errno == ENOSYS)
        fd = walk(root_.get(), path, flags);
    if (!fd)
        return errno_error("cannot open '/proc/" + text + "'");
    if (!is_procfs(fd.get()))
        return Error{"'/proc/" + text + "' is not on a procfs"};
    return fd;
}

Result<void> ProcHandle::write_file(std::string_view path, std::string_view text) const
{
    UniqueFd file = TRY(open_file(path, O_WRONLY));
    // One write: the kernel takes each as a whole value.
    ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0)
        return errno_error("cannot write '" + std::string(text) + "' to '/proc/" + std::string(path) + "'");
    if (static_cast<size_t>(written) != text.size())
        return Error{"cannot write all of '" + std::string(text) + "' to '/proc/" + std::string(path) + "'"};
    return {};
}
