// Making the mounts, each on a descriptor that was looked up inside the root.
#include "mounts.h"

#include "mountinfo/mountinfo.h"
#include "mounts/mount_calls.h"
#include "stage/stage.h"

#include "copy_tree.h"

#include <algorithm>
#include <climits>
#include <cstdio>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202
#endif

static constexpr ino_t proc_root_inode = 1;
static constexpr uint64_t relatime = 0;

static bool is_on(int fd, long magic)
{
    struct statfs filesystem;
    return ::fstatfs(fd, &filesystem) == 0 && static_cast<long>(filesystem.f_type) == magic;
}

bool may_cover_in_proc(std::string_view destination)
{
    // What resource views such as lxcfs replace. Anything else below /proc could take a label, a mask or a
    // setting to where its writer did not mean it (CVE-2015-3630, CVE-2019-16884).
    static constexpr std::string_view allowed[] = {
        "/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/net/dev", "/proc/slabinfo",
        "/proc/stat",    "/proc/swaps",     "/proc/uptime",  "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
    };
    return std::find(std::begin(allowed), std::end(allowed), destination) != std::end(allowed);
}

Result<Mount> parse_mount(const Directive& line)
{
    Mount mount{clean_path(line[0]), std::string(line[1]), std::string(line[2]), parse_mount_options(line.fields.subspan(3)), line.pointer};
    auto refused = [&](const std::string& why) {
        return Error{"cannot mount on '" + std::string(line[0]) + "': " + why}.with_pointer(line.pointer);
    };
    if (mount.destination == "/")
        return refused("it is the root of the container");
    if (mount.options.has(idmap) && !mount.is_bind())
        return refused("only a bind mount can be id-mapped");
    if ((mount.options.has(copy_symlink) || mount.options.has(source_nofollow)) && !mount.is_bind())
        return refused("only the source of a bind mount can be a link that is copied or not followed");
    if (mount.options.has(tmpcopyup) && (mount.is_bind() || mount.type != "tmpfs"))
        return refused("only a tmpfs can begin with a copy of what it covers (tmpcopyup)");
    if (mount.type.empty() && !mount.is_bind() && (mount.options.set_flags & MS_REMOUNT) == 0)
        return refused("it has neither a type nor the option 'bind'");
    if (mount.is_bind() && !mount.options.data.empty())
        return refused("a bind mount takes no option '" + std::string(mount.options.data[0]) + "' for a file system");
    if (mount.destination.starts_with("/proc/") && !may_cover_in_proc(mount.destination))
        return refused("only a few files of /proc may be covered");
    if (mount.destination == "/proc" && !mount.is_bind() && mount.type != "proc")
        return refused("/proc must be a procfs");
    return mount;
}

AttributeChange bind_change(const MountOptions& options, uint64_t present)
{
    AttributeChange change;
    constexpr uint64_t atime_field = MOUNT_ATTR__ATIME;
    change.set = attributes_of_flags(options.set_flags) & ~atime_field;
    change.clear = attributes_of_flags(options.clear_flags) & ~atime_field;
    // The times of access are one field: a word that sets one of its values replaces it; a word that clears a value
    // matters only when that value is the present one.
    uint64_t wanted = present;
    if ((options.set_flags & MS_NOATIME) != 0)
        wanted = MOUNT_ATTR_NOATIME;
    else if ((options.set_flags & MS_STRICTATIME) != 0)
        wanted = MOUNT_ATTR_STRICTATIME;
    else if ((options.set_flags & MS_RELATIME) != 0)
        wanted = relatime;
    else if ((options.clear_flags & MS_NOATIME) != 0 && present == MOUNT_ATTR_NOATIME)
        wanted = relatime;
    else if ((options.clear_flags & MS_STRICTATIME) != 0 && present == MOUNT_ATTR_STRICTATIME)
        wanted = relatime;
    else if ((options.clear_flags & MS_RELATIME) != 0 && present == relatime)
        wanted = MOUNT_ATTR_STRICTATIME;
    if (wanted != present) {
        change.set |= wanted;
        change.clear |= atime_field;
    }
    return change;
}

/// The value of the field for times of access of an existing mount.
static uint64_t present_atime(int mount)
{
    struct statvfs status;
    if (::fstatvfs(mount, &status) < 0)
        return relatime;
    return (status.f_flag & ST_NOATIME) != 0 ? MOUNT_ATTR_NOATIME : (status.f_flag & ST_RELATIME) != 0 ? relatime : MOUNT_ATTR_STRICTATIME;
}

/// The descriptor to mount on. What is missing is made: a directory, or a file for a source that is not one.
static Result<UniqueFd> open_destination(const Container& container, const Mount& mount, bool is_directory)
{
    Links links = mount.options.has(destination_nofollow) ? Links::refuse_last : Links::follow;
    const bool is_kernel_view = mount.type == "proc" || mount.type == "sysfs" || mount.destination == "/proc" || mount.destination == "/sys";
    if (is_kernel_view) {
        // A link here would take masks, read-only paths and labels elsewhere (CVE-2019-19921, CVE-2023-27561).
        Result<UniqueFd> there = container.root.open(mount.destination, O_PATH, Links::refuse_last);
        struct stat status;
        if (there.has_value() && (::fstat(there.value().get(), &status) < 0 || !S_ISDIR(status.st_mode)))
            return Error{"filesystem '" + (mount.type.empty() ? "bind" : mount.type) + "' must be mounted on ordinary directory; '" +
                         mount.destination + "' is none"};
        links = Links::refuse_last;
    }
    UniqueFd target = TRY(is_directory ? container.root.make_directories(mount.destination, 0755, links)
                                       : container.root.make_file(mount.destination, 0644, links));
    struct stat status;
    if (::fstat(target.get(), &status) < 0 || S_ISDIR(status.st_mode) != is_directory)
        return Error{"cannot mount on '" + mount.destination + "': it is " + (is_directory ? "a file, the source a directory" : "a directory, the source a file"),
                     ENOTDIR};
    // A link may have led into the container's procfs where the name did not say so.
    if (is_on(target.get(), PROC_SUPER_MAGIC) && mount.destination != "/proc" && mount.type != "proc" && !may_cover_in_proc(mount.destination))
        return Error{"cannot mount on '" + mount.destination + "': it leads into /proc, of which only a few files may be covered"};
    return target;
}

/// Says which mounts below `directory` keep the kernel from a new proc or sysfs: a user namespace gets none that shows
/// more than what its owner sees (fs/namespace.c, mount_too_revealing).
static std::string covering_mounts(std::string_view directory)
{
    Result<std::string> text = read_file("/proc/self/mountinfo", 16 << 20);
    std::string covers;
    std::string_view rest = text.has_value() ? std::string_view(text.value()) : std::string_view();
    while (!rest.empty()) {
        std::string_view point = take_mount(rest).point;
        if (point.starts_with(directory) && point.size() > directory.size() && point[directory.size()] == '/' && covers.size() < 200)
            covers += (covers.empty() ? "" : ", ") + std::string(point);
    }
    return covers.empty() ? "" : "; outside, these are covered, and a new one may not show them: " + covers;
}

/// A tmpfs starts with the mode of the directory that it covers, unless told otherwise.
static std::string tmpfs_mode(int target)
{
    struct stat status;
    char mode[16] = "";
    if (::fstat(target, &status) == 0)
        ::snprintf(mode, sizeof mode, "mode=%o", status.st_mode & 07777);
    return mode;
}

static bool has_option(const std::vector<std::string_view>& options, std::string_view key)
{
    for (std::string_view word : options)
        for (std::string_view option : split_at_commas(word))
            if (option.substr(0, option.find('=')) == key)
                return true;
    return false;
}

Result<void> take_sources(Container& container)
{
    for (const Directive& line : container.plan.directives()) {
        if (!line.is("init.mount-source"))
            continue;
        const int fd = static_cast<int>(TRY(parse_number(line[0]).with_pointer(line.pointer)));
        if (fd < 3 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
            return Error{"descriptor " + std::to_string(fd) + " is not open; 'oci-ns new' opens the sources of mounts for the program that it executes"}.with_pointer(
                line.pointer);
        container.sources.emplace_back(line.pointer, UniqueFd(fd));
    }
    return {};
}

/// What is to be bound: opened by oci-ns, or now.
static Result<Mounter::Source> open_source(Container& container, const Mount& mount)
{
    for (auto& [pointer, fd] : container.sources)
        if (fd && pointer == mount.pointer)
            return Mounter::Source{std::move(fd), true, mount.is_recursive()};
    if (mount.options.has(idmap))
        return Error{"cannot map the ids of '" + mount.source + "' from here; 'oci-ns new' does it, by the plan's 'ns.mount-source' line"};
    Mounter::SourceLinks links = mount.options.has(source_nofollow) ? Mounter::SourceLinks::bind_itself : Mounter::SourceLinks::follow;
    return Mounter::copy_mount(container.bundle.get(), mount.source, mount.is_recursive(), links);
}

static Result<UniqueFd> bind(Container& container, Mounter& mounter, const Mount& mount)
{
    if (mount.options.has(copy_symlink)) {
        char link[PATH_MAX];
        ssize_t size = ::readlinkat(container.bundle.get(), mount.source.c_str(), link, sizeof link - 1);
        if (size > 0) {
            link[size] = '\0';
            InRoot::Place place = TRY(container.root.find_place(mount.destination, true));
            if (::symlinkat(link, place.directory.get(), place.name.c_str()) < 0 && errno != EEXIST)
                return errno_error("cannot make the link '" + mount.destination + "'");
            return UniqueFd();
        }
    }
    Mounter::Source source = TRY(open_source(container, mount));
    struct stat status;
    if (::fstat(source.fd.get(), &status) < 0)
        return errno_error("cannot look at '" + mount.source + "'");
    if (mount.destination == "/proc" && (!is_on(source.fd.get(), PROC_SUPER_MAGIC) || status.st_ino != proc_root_inode))
        return Error{"cannot bind '" + mount.source + "' on '/proc': /proc must be a procfs"};

    UniqueFd target = TRY(open_destination(container, mount, S_ISDIR(status.st_mode)));
    constexpr uint64_t atime_words = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;
    const bool asks_for_atime = ((mount.options.set_flags | mount.options.clear_flags) & atime_words) != 0;
    std::vector<AttributeChange> changes;
    changes.push_back(bind_change(mount.options, asks_for_atime ? present_atime(source.fd.get()) : relatime));
    if (mount.options.set_attributes != 0 || mount.options.clear_attributes != 0)
        changes.push_back({mount.options.set_attributes, mount.options.clear_attributes, true});
    return mounter.attach(std::move(source), target.get(), mount.destination, std::move(changes));
}

/// The host's /sys, where the kernel gives no new sysfs: a user namespace without its own network namespace.
static Result<UniqueFd> bind_host_sysfs(Mounter& mounter, const Mount& mount, int target)
{
    Mounter::Source source = TRY(Mounter::copy_mount(AT_FDCWD, "/sys", true));
    // Recursive: what is mounted below belongs to the host.
    std::vector<AttributeChange> changes{{attributes_of_flags(mount.options.set_flags) & ~static_cast<uint64_t>(MOUNT_ATTR__ATIME), 0, true}};
    return mounter.attach(std::move(source), target, mount.destination, std::move(changes));
}

static Result<UniqueFd> make_filesystem(Container& container, Mounter& mounter, const Mount& mount)
{
    const bool is_tmpfs = mount.type == "tmpfs";
    Result<UniqueFd> before = is_tmpfs ? container.root.open(mount.destination, O_PATH) : Result<UniqueFd>(UniqueFd());
    UniqueFd target = TRY(open_destination(container, mount, true));

    NewFilesystem filesystem{mount.type, mount.source, mount.options.set_flags, mount.options.data};
    std::string mode;
    if (is_tmpfs && before.has_value() && !has_option(mount.options.data, "mode")) {
        mode = tmpfs_mode(target.get());
        filesystem.options.push_back(mode);
    }
    std::string context;
    const Directive* labelled = container.plan.find("init.mount-label");
    const std::string_view label = labelled != nullptr ? (*labelled)[0] : Field();
    const bool takes_label = is_tmpfs || mount.type == "mqueue" || mount.type == "devpts" || mount.type == "overlay";
    if (!label.empty() && takes_label && ::access("/sys/fs/selinux/enforce", F_OK) == 0) {
        // Quotes are for mount(2), which is taken when there is a comma; fsconfig(2) would take them for a part of the label.
        const bool has_comma = label.find(',') != std::string_view::npos;
        context = std::string(labelled->fields.size() > 1 ? (*labelled)[1] : "context") + "=" + (has_comma ? "\"" + std::string(label) + "\"" : std::string(label));
        filesystem.options.push_back(context);
    }

    const bool copies = is_tmpfs && mount.options.has(tmpcopyup);
    // Nodes, links and mount points are still to be made in /dev.
    const bool is_readonly_later = mount.destination == "/dev" && (mount.options.set_flags & MS_RDONLY) != 0;
    if (copies || is_readonly_later)
        filesystem.flags &= ~static_cast<uint64_t>(MS_RDONLY);
    Result<UniqueFd> made = mounter.make(filesystem, target.get(), mount.destination);
    if (!made.has_value() && made.error().error_number == EINVAL && mount.type == "devpts") {
        // gid=5 is the tty group of the default config; a user namespace may not have that id. The terminal
        // then belongs to its user's group.
        std::erase_if(filesystem.options, [](std::string_view option) { return option.starts_with("gid="); });
        made = mounter.make(filesystem, target.get(), mount.destination);
    }
    if (!made.has_value() && made.error().error_number == EPERM) {
        if (mount.type == "sysfs")
            return bind_host_sysfs(mounter, mount, target.get());
        if (mount.type == "proc")
            made.error().attempted += covering_mounts("/proc");
        if (mount.type == "mqueue")
            made.error().attempted += ": it belongs to the ipc namespace, which must be the container's own";
    }
    UniqueFd attached = TRY(std::move(made));
    if (copies) {
        UniqueFd covered(::openat(target.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!covered)
            return errno_error("cannot read '" + mount.destination + "' for tmpcopyup");
        TRY(copy_tree(covered.get(), attached.get()).with_context("cannot copy '" + mount.destination + "' up into its tmpfs"));
        if ((mount.options.set_flags & MS_RDONLY) != 0 && !is_readonly_later)
            TRY(mounter.change(attached.get(), {MOUNT_ATTR_RDONLY, 0, false}));
    }
    if (is_readonly_later)
        container.readonly_dev = UniqueFd(::fcntl(attached.get(), F_DUPFD_CLOEXEC, 3));
    if (mount.options.set_attributes != 0 || mount.options.clear_attributes != 0)
        TRY(mounter.change(attached.get(), {mount.options.set_attributes, mount.options.clear_attributes, true}));
    return attached;
}

/// `remount`: another look for a mount that is there already.
static Result<UniqueFd> remount(const Container& container, Mounter& mounter, const Mount& mount)
{
    UniqueFd there = TRY(open_in_container(container, mount.destination));
    if (mount.is_bind() || mount.options.data.empty())
        TRY(mounter.change(there.get(), bind_change(mount.options, present_atime(there.get()))));
    if (!mount.is_bind() && !mount.options.data.empty())
        TRY(Mounter::mount_by_fd(-1, nullptr, there.get(), nullptr, mount.options.set_flags, mount_data(mount.options.data).c_str())
                .with_context("cannot remount '" + mount.destination + "'"));
    return there;
}

/// After mounting, the path must lead to what was mounted: somebody may have put a link there meanwhile.
static Result<void> verify_kernel_view(Container& container, const Mount& mount, UniqueFd& mounted)
{
    const bool is_proc = mount.destination == "/proc";
    if (!is_proc && mount.destination != "/sys")
        return {};
    UniqueFd found = TRY(container.root.open(mount.destination, O_PATH | O_DIRECTORY, Links::refuse));
    struct stat a;
    struct stat b;
    if (::fstat(found.get(), &a) < 0 || ::fstat(mounted.get(), &b) < 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
        return Error{"'" + mount.destination + "' was exchanged while it was mounted"};
    if (is_proc && !is_on(mounted.get(), PROC_SUPER_MAGIC))
        return Error{"/proc must be a procfs"};
    (is_proc ? container.proc : container.sys).emplace(std::move(mounted));
    return {};
}

static Result<void> make_mount(Container& container, Mounter& mounter, const Mount& mount)
{
    UniqueFd mounted;
    if ((mount.options.set_flags & MS_REMOUNT) != 0) {
        mounted = TRY(remount(container, mounter, mount));
    } else if (mount.is_bind()) {
        mounted = TRY(bind(container, mounter, mount));
    } else if (mount.type == "cgroup" || mount.type == "cgroup2") {
        UniqueFd target = TRY(open_destination(container, mount, true));
        mounted = TRY(mount_cgroups(container, mounter, mount, target.get()));
    } else {
        mounted = TRY(make_filesystem(container, mounter, mount));
    }
    if (!mounted)
        return {};
    for (uint64_t flags : mount.options.propagation)
        TRY(mounter.set_propagation(mounted.get(), flags).with_context("'" + mount.destination + "'"));
    return verify_kernel_view(container, mount, mounted);
}

Result<void> make_mounts(Container& container)
{
    // All are read first: what is refused without a look at the system is refused before anything is done.
    std::vector<std::pair<const Directive*, Mount>> mounts;
    for (const Directive& line : container.plan.directives())
        if (line.is("init.mount"))
            mounts.emplace_back(&line, TRY(parse_mount(line)));
    Mounter mounter(container.root);
    for (const auto& [line, mount] : mounts) {
        stage::step("mount " + mount.destination);
        TRY(make_mount(container, mounter, mount).with_pointer(line->pointer));
    }
    return {};
}
