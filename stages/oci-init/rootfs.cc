// Propagation, the root mount, pivot_root.
#include "rootfs.h"

#include "mounter.h"
#include "mounts/mount_calls.h"
#include "mounts/mount_options.h"
#include "stage/stage.h"

#include <climits>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

bool plan_has_namespace(const Plan& plan, std::string_view kind)
{
    for (const Directive& line : plan.directives())
        if ((line.is("ns.new") || line.is("ns.join")) && line[0] == kind)
            return true;
    return false;
}

/// A plan with a mount namespace, executed where there is none, would take the host's mounts apart.
static Result<void> check_mount_namespace()
{
    if (::getpid() == 1)
        return {};
    char parent_path[48];
    ::snprintf(parent_path, sizeof parent_path, "/proc/%d/ns/mnt", ::getppid());
    struct stat ours;
    struct stat parents;
    if (::stat("/proc/self/ns/mnt", &ours) == 0 && ::stat(parent_path, &parents) == 0 && ours.st_ino == parents.st_ino &&
        ours.st_dev == parents.st_dev)
        return Error{"the plan asks for a mount namespace, but this process is in that of its parent; run it by oci-ns"};
    return {};
}

/// The mount that holds the open directory, if it is shared, must not be: what is attached on it would travel.
static Result<void> make_holder_private(int directory)
{
    UniqueFd at(::fcntl(directory, F_DUPFD_CLOEXEC, 3));
    for (;;) {
        struct statx status;
        if (!at || ::statx(at.get(), "", AT_EMPTY_PATH, 0, &status) < 0)
            return errno_error("cannot find the mount that holds the root file system");
        // Linux >= 5.8.
        if ((status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
            break;
        at = UniqueFd(::openat(at.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    return Mounter::mount_by_fd(-1, nullptr, at.get(), nullptr, MS_PRIVATE, nullptr);
}

/// For messages.
static std::string absolute_path(int directory, const std::string& path)
{
    if (path.starts_with('/'))
        return path;
    char link[32];
    char target[PATH_MAX];
    ::snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    const ssize_t size = ::readlink(link, target, sizeof target);
    return size > 0 ? std::string(target, static_cast<size_t>(size)) + "/" + path : path;
}

Result<InRoot> prepare_root(const Plan& plan, int bundle, bool has_mount_namespace)
{
    const Directive* root = plan.find("init.root");
    if (root == nullptr)
        return Error{"there is no root file system: the plan has no 'init.root' line"}.with_pointer("/root");
    const std::string path((*root)[0]);
    const Directive* propagation = plan.find("init.root-propagation");
    uint64_t flags = propagation != nullptr ? propagation_flag((*propagation)[0]) : 0;
    if (propagation != nullptr && flags == 0)
        return Error{"unknown propagation '" + std::string((*propagation)[0]) + "'"}.with_pointer(propagation->pointer);
    if (plan.find("init.no-pivot") != nullptr && (flags & MS_PRIVATE) != 0)
        return Error{"a private root cannot be had without pivot_root: it would hold the host's mounts for ever"}.with_pointer(
            propagation->pointer);

    UniqueFd directory(::openat(bundle, path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) {
        const int problem = errno;
        return Error{"cannot open the root file system '" + absolute_path(bundle, path) + "'", problem}.with_pointer(root->pointer == "/root" ? "/root/path" : root->pointer);
    }
    if (!has_mount_namespace)
        return InRoot(std::move(directory));

    TRY(check_mount_namespace());
    stage::step("set the propagation of /");
    // Slave: what the host mounts later still arrives, what we mount does not travel. A shared root is asked for when
    // mounts made in a volume are to reach the host.
    const bool stays_shared = (flags & MS_SHARED) != 0;
    const uint64_t first = stays_shared || (flags & MS_PRIVATE) != 0 ? flags | MS_REC : MS_SLAVE | MS_REC;
    if (::mount(nullptr, "/", nullptr, first, nullptr) < 0)
        return errno_error("cannot set the propagation of '/'");
    if (stays_shared)
        TRY(make_holder_private(directory.get()));

    stage::step("make the root file system a mount");
    Mounter::Source copy = TRY(Mounter::copy_mount(directory.get(), "", true).with_pointer(root->pointer));
    const bool is_copy = copy.is_copy;
    InRoot outside(UniqueFd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)));
    Mounter mounter(outside);
    if (is_copy)
        return InRoot(TRY(mounter.attach(std::move(copy), directory.get(), path).with_pointer(root->pointer)));
    TRY(Mounter::mount_by_fd(copy.fd.get(), nullptr, directory.get(), nullptr, MS_BIND | MS_REC, nullptr).with_pointer(root->pointer));
    UniqueFd mounted(::openat(bundle, path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!mounted)
        return errno_error("cannot open the root file system '" + path + "'").with_pointer(root->pointer);
    return InRoot(std::move(mounted));
}

Result<void> finish_root(Container& container)
{
    const Directive* root = container.plan.find("init.root");
    if (container.readonly_dev) {
        stage::step("make /dev read-only");
        Mounter mounter(container.root);
        TRY(mounter.change(container.readonly_dev.get(), {MOUNT_ATTR_RDONLY, 0, false}).with_context("'/dev'"));
        container.readonly_dev.reset();
    }
    if ((*root)[1] != "ro")
        return {};
    if (!container.has_mount_namespace)
        return Error{"a read-only root needs a mount namespace"}.with_pointer(root->pointer);
    stage::step("make the root read-only");
    Mounter mounter(container.root);
    return mounter.change(container.root.fd(), {MOUNT_ATTR_RDONLY, 0, false}).with_pointer(root->pointer);
}

/// The host's procfs and sysfs would stay reachable for a process that escapes from a chroot.
static Result<void> hide_host_views()
{
    for (const char* view : {"/proc", "/sys"}) {
        if (::umount2(view, MNT_DETACH) == 0 || errno == EINVAL || errno == ENOENT)
            continue;
        // Locked in a user namespace: covered instead.
        if (::mount("tmpfs", view, "tmpfs", MS_RDONLY, "size=4k") < 0)
            return errno_error(std::string("cannot hide the host's '") + view + "'");
    }
    return {};
}

static Result<void> pivot()
{
    UniqueFd old_root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!old_root)
        return errno_error("cannot open '/'");
    // The old root is stacked on the new one (man 2 pivot_root) and taken away from there.
    if (::syscall(SYS_pivot_root, ".", ".") < 0)
        return errno_error("cannot change the root");
    if (::fchdir(old_root.get()) < 0)
        return errno_error("cannot enter the old root");
    // Slave, not private: an unmount on the host in this very moment must still reach these copies, or it would find
    // its device busy.
    if (::mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr) < 0)
        return errno_error("cannot cut the old root off");
    if (::umount2(".", MNT_DETACH) < 0)
        return errno_error("cannot unmount the old root");
    return {};
}

Result<void> enter_root(Container& container)
{
    const Plan& plan = container.plan;
    if (::fchdir(container.root.fd()) < 0)
        return errno_error("cannot enter the root file system");
    if (container.has_mount_namespace && plan.find("init.no-pivot") == nullptr) {
        stage::step("pivot_root");
        TRY(pivot());
    } else {
        if (container.has_mount_namespace) {
            stage::step("move the root");
            TRY(hide_host_views());
            if (::mount(".", "/", nullptr, MS_MOVE, nullptr) < 0)
                return errno_error("cannot move the root file system to '/'");
        }
        stage::step("chroot");
        if (::chroot(".") < 0)
            return errno_error("cannot change the root");
    }
    if (::chdir("/") < 0)
        return errno_error("cannot enter the root");

    const Directive* propagation = plan.find("init.root-propagation");
    if (propagation == nullptr || !container.has_mount_namespace)
        return {};
    stage::step("set the propagation of the root");
    if (::mount(nullptr, "/", nullptr, propagation_flag((*propagation)[0]), nullptr) < 0)
        return errno_error("cannot set the propagation of the root").with_pointer(propagation->pointer);
    return {};
}
