// Mounts by fsopen, open_tree, mount_setattr and move_mount, or by mount(2) on descriptors.
#include "mounter.h"

#include "mounts/mount_calls.h"
#include "mounts/mount_options.h"
#include "proc/proc_handle.h"

#include <cstdio>
#include <cstring>
#include <sys/statvfs.h>

#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif

// fsconfig(2) takes no longer strings, and legacy file systems no comma in one.
static constexpr size_t max_fsconfig_string = 255;

std::vector<std::string_view> split_at_commas(std::string_view options)
{
    std::vector<std::string_view> words;
    bool quoted = false;
    size_t start = 0;
    for (size_t i = 0; i <= options.size(); i++) {
        if (i + 1 < options.size() && options[i] == '\\') {
            i++;
            continue;
        }
        if (i < options.size() && options[i] == '"')
            quoted = !quoted;
        if (i < options.size() && (options[i] != ',' || quoted))
            continue;
        if (i > start)
            words.push_back(options.substr(start, i - start));
        start = i + 1;
    }
    return words;
}

std::string mount_data(const std::vector<std::string_view>& options)
{
    std::string data;
    for (std::string_view option : options) {
        if (!data.empty())
            data += ',';
        data += option;
    }
    return data;
}

Result<void> Mounter::mount_by_fd(int source, const char* source_name, int target, const char* type, uint64_t flags, const char* data)
{
    ProcHandle proc = TRY(ProcHandle::open(ProcHandle::Content::tasks));
    // Relative to the procfs: it may be attached nowhere and then has no path.
    if (::fchdir(proc.fd()) < 0)
        return errno_error("cannot enter a procfs");
    char source_path[32];
    char target_path[32];
    ::snprintf(source_path, sizeof source_path, "self/fd/%d", source);
    ::snprintf(target_path, sizeof target_path, "self/fd/%d", target);
    if (::mount(source >= 0 ? source_path : source_name, target_path, type, flags, data) < 0)
        return errno_error("cannot mount");
    return {};
}

Result<UniqueFd> Mounter::find_attached(std::string_view destination) const
{
    return root_.open(destination, O_PATH, Links::refuse_last);
}

Result<Mounter::Source> Mounter::copy_mount(int dir, const std::string& path, bool recursive, SourceLinks links)
{
    unsigned flags = OPEN_TREE_CLONE | (recursive ? AT_RECURSIVE : 0) | (path.empty() ? AT_EMPTY_PATH : 0) |
                     (links == SourceLinks::bind_itself ? AT_SYMLINK_NOFOLLOW : 0);
    Source source{mount_calls::open_tree(dir, path.c_str(), flags), true, recursive};
    if (!source.fd && errno == ENOSYS) {
        source.is_copy = false;
        int nofollow = links == SourceLinks::bind_itself ? O_NOFOLLOW : 0;
        source.fd = UniqueFd(path.empty() ? ::fcntl(dir, F_DUPFD_CLOEXEC, 3) : ::openat(dir, path.c_str(), O_PATH | O_CLOEXEC | nofollow));
    }
    if (!source.fd)
        return errno_error("cannot bind '" + path + "'");
    return source;
}

/// The MS_... flags that a mount has, for a remount that is to keep them.
static uint64_t present_flags(int mount)
{
    static constexpr struct {
        unsigned long status;
        uint64_t flag;
    } pairs[] = {
        {ST_RDONLY, MS_RDONLY},   {ST_NOSUID, MS_NOSUID},         {ST_NODEV, MS_NODEV},       {ST_NOEXEC, MS_NOEXEC},
        {ST_NOATIME, MS_NOATIME}, {ST_NODIRATIME, MS_NODIRATIME}, {ST_RELATIME, MS_RELATIME},
    };
    struct statvfs status;
    uint64_t flags = 0;
    if (::fstatvfs(mount, &status) == 0)
        for (const auto& pair : pairs)
            if ((status.f_flag & pair.status) != 0)
                flags |= pair.flag;
    return flags;
}

/// By MS_REMOUNT, which sets all flags of one mount at once (Linux before 5.12 has nothing else).
static Result<void> remount(int mount, const AttributeChange& change)
{
    static constexpr struct {
        uint64_t attribute;
        uint64_t flag;
    } pairs[] = {
        {MOUNT_ATTR_RDONLY, MS_RDONLY},   {MOUNT_ATTR_NOSUID, MS_NOSUID},           {MOUNT_ATTR_NODEV, MS_NODEV},
        {MOUNT_ATTR_NOEXEC, MS_NOEXEC},   {MOUNT_ATTR_NODIRATIME, MS_NODIRATIME},
    };
    if (change.recursive)
        return Error{"recursive mount options need Linux 5.12 or newer (mount_setattr)", ENOSYS};
    const uint64_t before = present_flags(mount);
    uint64_t flags = before;
    for (const auto& pair : pairs) {
        if ((change.clear & pair.attribute) != 0)
            flags &= ~pair.flag;
        if ((change.set & pair.attribute) != 0)
            flags |= pair.flag;
    }
    if ((change.clear & MOUNT_ATTR__ATIME) != 0) {
        flags &= ~static_cast<uint64_t>(MS_NOATIME | MS_RELATIME | MS_STRICTATIME);
        flags |= (change.set & MOUNT_ATTR_NOATIME) != 0       ? MS_NOATIME
                 : (change.set & MOUNT_ATTR_STRICTATIME) != 0 ? MS_STRICTATIME
                                                              : MS_RELATIME;
    }
    Result<void> done = Mounter::mount_by_fd(-1, nullptr, mount, nullptr, MS_REMOUNT | MS_BIND | flags, nullptr);
    // Locked flags stay.
    if (!done.has_value() && done.error().error_number == EPERM && change.clear != 0)
        done = Mounter::mount_by_fd(-1, nullptr, mount, nullptr, MS_REMOUNT | MS_BIND | flags | before, nullptr);
    return done;
}

/// 0 or errno.
static int set_attributes(int mount, const AttributeChange& change)
{
    mount_calls::Attributes attributes{.set = change.set, .clear = change.clear};
    if (mount_calls::mount_setattr(mount, attributes, change.recursive) == 0)
        return 0;
    if (errno != EPERM || change.clear == 0)
        return errno;
    // Locked flags stay: clear what can be cleared, one by one.
    for (uint64_t bit = 1; bit <= MOUNT_ATTR_NOSYMFOLLOW; bit <<= 1) {
        if ((change.clear & bit) == 0 || (bit & MOUNT_ATTR__ATIME) != 0)
            continue;
        if (mount_calls::mount_setattr(mount, {.clear = bit}, change.recursive) < 0 && errno != EPERM)
            return errno;
    }
    uint64_t atime = change.clear & MOUNT_ATTR__ATIME;
    if (atime != 0)
        (void)mount_calls::mount_setattr(mount, {.set = change.set & MOUNT_ATTR__ATIME, .clear = atime}, change.recursive);
    uint64_t rest = change.set & ~static_cast<uint64_t>(MOUNT_ATTR__ATIME);
    return rest == 0 || mount_calls::mount_setattr(mount, {.set = rest}, change.recursive) == 0 ? 0 : errno;
}

Result<void> Mounter::change(int mount, const AttributeChange& change)
{
    if (change.is_empty())
        return {};
    int problem = set_attributes(mount, change);
    if (problem == ENOSYS)
        return remount(mount, change).with_context("cannot change the options of the mount");
    if (problem != 0)
        return Error{"cannot change the options of the mount", problem};
    return {};
}

Result<UniqueFd> Mounter::attach(Source source, int target, std::string_view destination, std::vector<AttributeChange> changes)
{
    bool changed = source.is_copy;
    if (source.is_copy) {
        for (const AttributeChange& change : changes) {
            int problem = change.is_empty() ? 0 : set_attributes(source.fd.get(), change);
            changed = changed && problem != ENOSYS;
            if (problem != 0 && problem != ENOSYS)
                return Error{"cannot change the options of the mount for '" + std::string(destination) + "'", problem};
        }
        if (mount_calls::move_mount(source.fd.get(), target) < 0)
            return errno_error("cannot mount on '" + std::string(destination) + "'");
    } else {
        TRY(mount_by_fd(source.fd.get(), nullptr, target, nullptr, MS_BIND | (source.recursive ? MS_REC : 0), nullptr)
                .with_context("'" + std::string(destination) + "'"));
        source.fd = TRY(find_attached(destination));
    }
    if (!changed)
        for (const AttributeChange& one : changes)
            TRY(change(source.fd.get(), one));
    return std::move(source.fd);
}

Result<void> Mounter::set_propagation(int mount, uint64_t flags)
{
    mount_calls::Attributes attributes{.propagation = flags & ~static_cast<uint64_t>(MS_REC)};
    if (mount_calls::mount_setattr(mount, attributes, (flags & MS_REC) != 0) == 0)
        return {};
    if (errno != ENOSYS)
        return errno_error("cannot set the propagation of the mount");
    return mount_by_fd(-1, nullptr, mount, nullptr, flags, nullptr).with_context("cannot set the propagation");
}

/// The last thing that the kernel has to say about a file system that it could not make (fsopen(2): messages are
/// read from its descriptor, each with a letter and a space before it).
static std::string kernel_words(int fs)
{
    char text[256];
    std::string words;
    ssize_t size;
    while ((size = ::read(fs, text, sizeof text)) > 2) {
        std::string_view line(text, static_cast<size_t>(size));
        while (line.ends_with('\n'))
            line.remove_suffix(1);
        if (line[0] == 'e')
            words = ": " + std::string(line.substr(2));
    }
    return words;
}

/// Whether the whole superblock is made read-only by `ro`, as mount(2) does it. The kernel's own file systems are shared:
/// one superblock serves other mounts too.
static bool has_own_superblock(std::string_view type)
{
    for (std::string_view shared : {"proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"})
        if (type == shared)
            return false;
    return true;
}

/// 0, or the errno; `words`: what the kernel says about it. ENOSYS: use mount(2).
static int configure(int fs, const NewFilesystem& filesystem, const std::vector<std::string_view>& options, std::string& words)
{
    static constexpr struct {
        uint64_t flag;
        const char* name;
    } superblock_flags[] = {{MS_SYNCHRONOUS, "sync"}, {MS_DIRSYNC, "dirsync"}, {MS_LAZYTIME, "lazytime"}, {MS_MANDLOCK, "mand"}};

    auto problem = [&] {
        int saved = errno;
        words = kernel_words(fs);
        return saved;
    };
    if (!filesystem.source.empty() && mount_calls::fsconfig_string(fs, "source", filesystem.source.c_str()) < 0)
        return problem();
    for (const auto& pair : superblock_flags)
        if ((filesystem.flags & pair.flag) != 0 && mount_calls::fsconfig_flag(fs, pair.name) < 0)
            return problem();
    if ((filesystem.flags & MS_RDONLY) != 0 && has_own_superblock(filesystem.type) && mount_calls::fsconfig_flag(fs, "ro") < 0)
        return problem();
    for (std::string_view option : options) {
        size_t equals = option.find('=');
        std::string key(option.substr(0, equals));
        int done = equals == std::string_view::npos ? mount_calls::fsconfig_flag(fs, key.c_str())
                                                    : mount_calls::fsconfig_string(fs, key.c_str(), std::string(option.substr(equals + 1)).c_str());
        if (done < 0)
            return problem();
    }
    return mount_calls::fsconfig_create(fs) < 0 ? problem() : 0;
}

Result<UniqueFd> Mounter::make(const NewFilesystem& filesystem, int target, std::string_view destination)
{
    const std::string attempted = "cannot mount a '" + filesystem.type + "' on '" + std::string(destination) + "'";
    std::vector<std::string_view> options;
    // Flags that fsconfig(2) has no word for.
    bool fits = filesystem.source.size() <= max_fsconfig_string && (filesystem.flags & (MS_I_VERSION | MS_SILENT)) == 0;
    for (std::string_view word : filesystem.options)
        for (std::string_view option : split_at_commas(word)) {
            options.push_back(option);
            fits = fits && option.size() <= max_fsconfig_string && option.find(',') == std::string_view::npos;
        }

    UniqueFd fs;
    if (fits) {
        fs = mount_calls::fsopen(filesystem.type.c_str());
        if (!fs && errno != ENOSYS)
            return errno == ENODEV ? Error{attempted + ": this kernel has no such file system", ENODEV} : errno_error(attempted);
    }
    if (!fs) {
        TRY(mount_by_fd(-1, filesystem.source.empty() ? "none" : filesystem.source.c_str(), target, filesystem.type.c_str(),
                        filesystem.flags & ~static_cast<uint64_t>(MS_REC), mount_data(options).c_str())
                .with_context(attempted));
        return find_attached(destination);
    }

    std::string words;
    int problem = configure(fs.get(), filesystem, options, words);
    if (problem != 0)
        return Error{attempted + words, problem};
    UniqueFd mount = mount_calls::fsmount(fs.get(), static_cast<unsigned>(attributes_of_flags(filesystem.flags)));
    if (!mount)
        return errno_error(attempted);
    if (mount_calls::move_mount(mount.get(), target) < 0)
        return errno_error(attempted);
    return mount;
}
