// Covering parts of the root file system, by descriptors only.
#include "hidden_paths.h"

#include "mounter.h"
#include "mounts/mount_calls.h"
#include "stage/stage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

bool is_null_device(int fd)
{
    struct stat status;
    return ::fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

Result<UniqueFd> open_null_device()
{
    UniqueFd null(::open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!null)
        return errno_error("cannot open '/dev/null'");
    if (!is_null_device(null.get()))
        return Error{"'/dev/null' is not the null device"};
    return null;
}

Result<UniqueFd> open_in_container(const Container& container, std::string_view path)
{
    std::string clean = clean_path(path);
    for (const auto& [prefix, mount] : {std::pair<std::string_view, const std::optional<InRoot>&>{"/proc/", container.proc}, {"/sys/", container.sys}}) {
        if (mount && clean.starts_with(prefix))
            return mount->open(std::string_view(clean).substr(prefix.size()), O_PATH);
    }
    return container.root.open(clean, O_PATH);
}

static bool is_missing(const Result<UniqueFd>& opened)
{
    return !opened.has_value() && (opened.error().error_number == ENOENT || opened.error().error_number == ENOTDIR);
}

/// A path, or a link in the image, may lead to the root itself. What is mounted there would be on top of the root that is
/// entered, and do nothing.
static bool is_root(const Container& container, std::string_view path, int found)
{
    // Nearly all are looked up in a mount that is not the root's.
    const std::string clean = clean_path(path);
    if ((container.proc && clean.starts_with("/proc/")) || (container.sys && clean.starts_with("/sys/")))
        return false;
    struct stat root;
    struct stat there;
    return ::fstat(container.root.fd(), &root) == 0 && ::fstat(found, &there) == 0 && root.st_dev == there.st_dev && root.st_ino == there.st_ino;
}

Result<void> make_paths_readonly(Container& container)
{
    Mounter mounter(container.root);
    for (const Directive& line : container.plan.directives()) {
        if (!line.is("init.readonly-path"))
            continue;
        Result<UniqueFd> opened = open_in_container(container, line[0]);
        if (is_missing(opened))
            continue;
        UniqueFd target = TRY(std::move(opened).with_pointer(line.pointer));
        stage::step("make read-only " + std::string(line[0]));
        if (is_root(container, line[0], target.get())) {
            TRY(mounter.change(container.root.fd(), {MOUNT_ATTR_RDONLY, 0, false}).with_pointer(line.pointer));
            continue;
        }
        // Bound on itself: the flags that the mount has stay, one is added.
        Mounter::Source copy = TRY(Mounter::copy_mount(target.get(), "", true).with_pointer(line.pointer));
        TRY(mounter.attach(std::move(copy), target.get(), line[0], {{MOUNT_ATTR_RDONLY, 0, false}}).with_pointer(line.pointer));
    }
    return {};
}

/// The one empty directory that all masked directories are covered with: the first attaches it, others copy that mount.
static Result<void> mask_directory(Mounter& mounter, UniqueFd& empty, int target, std::string_view path)
{
    if (empty) {
        Mounter::Source copy = TRY(Mounter::copy_mount(empty.get(), "", false));
        TRY(mounter.attach(std::move(copy), target, path));
        return {};
    }
    NewFilesystem tmpfs{"tmpfs", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, {"mode=555", "size=4k", "nr_inodes=1"}};
    empty = TRY(mounter.make(tmpfs, target, path));
    return {};
}

/// The host's null device, which all masked files are covered with. Read-only: its reads and writes are as ever, but its owner and
/// mode, which are the host's, cannot be changed by way of it. The first is changed so, others copy that mount.
static Result<void> mask_file(Mounter& mounter, UniqueFd& covering, int null, int target, std::string_view path)
{
    const bool is_first = !covering;
    Mounter::Source copy = TRY(Mounter::copy_mount(is_first ? null : covering.get(), "", false));
    std::vector<AttributeChange> changes;
    if (is_first)
        changes.push_back({MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, false});
    UniqueFd attached = TRY(mounter.attach(std::move(copy), target, path, std::move(changes)));
    if (is_first)
        covering = std::move(attached);
    return {};
}

Result<void> mask_paths(Container& container)
{
    Mounter mounter(container.root);
    UniqueFd empty;
    UniqueFd null;
    for (const Directive& line : container.plan.directives()) {
        if (!line.is("init.masked-path"))
            continue;
        Result<UniqueFd> opened = open_in_container(container, line[0]);
        if (is_missing(opened))
            continue;
        UniqueFd target = TRY(std::move(opened).with_pointer(line.pointer));
        struct stat status;
        if (::fstat(target.get(), &status) < 0)
            return errno_error("cannot look at '" + std::string(line[0]) + "'").with_pointer(line.pointer);
        if (is_root(container, line[0], target.get()))
            return Error{"cannot mask '" + std::string(line[0]) + "': it is the root of the container"}.with_pointer(line.pointer);
        stage::step("mask " + std::string(line[0]));
        if (S_ISDIR(status.st_mode))
            TRY(mask_directory(mounter, empty, target.get(), line[0]).with_pointer(line.pointer));
        else
            TRY(mask_file(mounter, null, container.null.get(), target.get(), line[0]).with_pointer(line.pointer));
    }
    return {};
}
