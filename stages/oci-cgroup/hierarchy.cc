// Finding the cgroup hierarchies.
#include "hierarchy.h"

#include "fd/fd.h"
#include "mountinfo/mountinfo.h"
#include "scan/scan.h"

#include <algorithm>
#include <fcntl.h>
#include <iterator>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static constexpr const char* usual_mountpoint = "/sys/fs/cgroup";

// What can stand in the options of a v1 mount beside flags such as rw, xattr, clone_children (man 7 cgroups).
static constexpr std::string_view known_controllers[] = {"cpu",     "cpuacct",  "cpuset", "memory",     "devices",  "freezer", "blkio", "pids",
                                                         "hugetlb", "net_cls", "net_prio", "perf_event", "rdma", "misc"};

bool Hierarchy::has_controller(std::string_view controller) const
{
    return CgroupLocation{version, controllers, {}, {}}.has_controller(controller);
}

static std::string controllers_of(std::string_view options)
{
    std::string controllers;
    while (!options.empty()) {
        std::string_view option = take(options, ',');
        if (!option.starts_with("name=") && std::find(std::begin(known_controllers), std::end(known_controllers), option) == std::end(known_controllers))
            continue;
        if (!controllers.empty())
            controllers += ',';
        controllers += option;
    }
    return controllers;
}

std::vector<Hierarchy> parse_hierarchies(std::string_view mountinfo)
{
    std::vector<Hierarchy> found;
    while (!mountinfo.empty()) {
        const MountLine mount = take_mount(mountinfo);
        if (mount.type != "cgroup" && mount.type != "cgroup2")
            continue;
        const bool is_v1 = mount.type == "cgroup";
        Hierarchy hierarchy{is_v1 ? 1 : 2, is_v1 ? controllers_of(mount.options) : "", unescape_path(mount.point), unescape_path(mount.root)};
        // A v1 mount without a controller and without a name cannot be.
        if (hierarchy.version == 1 && hierarchy.controllers.empty())
            continue;
        auto same = std::find_if(found.begin(), found.end(), [&](const Hierarchy& other) {
            return other.version == hierarchy.version && other.controllers == hierarchy.controllers;
        });
        if (same == found.end())
            found.push_back(std::move(hierarchy));
        // Mounted more than once (bind mounts of containers): the whole tree is better than a part of it.
        else if (same->mount_root != "/" && hierarchy.mount_root == "/")
            *same = std::move(hierarchy);
    }
    return found;
}

Result<std::vector<Hierarchy>> find_hierarchies()
{
    struct statfs file_system;
    if (::statfs(usual_mountpoint, &file_system) == 0 && file_system.f_type == CGROUP2_SUPER_MAGIC)
        return std::vector<Hierarchy>{{2, "", usual_mountpoint, "/"}};
    std::vector<Hierarchy> found = parse_hierarchies(TRY(read_file("/proc/self/mountinfo", 64 << 20)));
    if (found.empty())
        return Error{"no cgroup hierarchy is mounted"};
    return found;
}

/// Whether `path` is `ancestor` or below it.
static bool is_at_or_below(std::string_view path, std::string_view ancestor)
{
    return ancestor == "/" || path == ancestor || (path.starts_with(ancestor) && path[ancestor.size()] == '/');
}

std::string parse_own_cgroup(std::string_view proc_cgroup, const Hierarchy& hierarchy)
{
    while (!proc_cgroup.empty()) {
        // 4:memory:/user/session or 0::/user/session
        std::string_view line = take_line(proc_cgroup);
        std::string_view id = take(line, ':');
        std::string_view controllers = take(line, ':');
        if (hierarchy.version == 2 ? id != "0" : (id == "0" || controllers != hierarchy.controllers))
            continue;
        // Outside of the cgroup namespace's root the kernel writes /../..
        if (!line.starts_with('/') || has_dot_dot(line) || !is_at_or_below(line, hierarchy.mount_root))
            return "/";
        if (hierarchy.mount_root != "/")
            line.remove_prefix(hierarchy.mount_root.size());
        return line.empty() ? "/" : std::string(line);
    }
    return "/";
}

std::string default_parent(int version, std::string_view own_cgroup)
{
    if (version == 1 || own_cgroup == "/")
        return std::string(own_cgroup);
    std::string_view parent = own_cgroup.substr(0, own_cgroup.rfind('/'));
    return parent.empty() ? "/" : std::string(parent);
}

Result<std::string> clean_path(std::string_view path)
{
    if (has_dot_dot(path))
        return Error{"cgroup path '" + std::string(path) + "' contains '..'"};
    std::string clean;
    std::string_view rest = path;
    while (!rest.empty()) {
        std::string_view component = take(rest, '/');
        if (component.empty() || component == ".")
            continue;
        clean += '/';
        clean += component;
    }
    if (clean.empty())
        return Error{"cgroup path '" + std::string(path) + "' names the root of the hierarchy"};
    return clean;
}

int open_cgroup(int mount, const std::string& path)
{
    return open_beneath(mount, path == "/" ? "." : path.c_str() + 1, O_RDONLY | O_DIRECTORY);
}

std::string parent_of(const std::string& path)
{
    size_t slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// On v2 the mount's root is known only to mountinfo, which a plain host need not read: there the
/// caller's cgroup is found below the mount point.
static Result<void> find_mount_root(Hierarchy& hierarchy, std::string_view proc_cgroup)
{
    std::string own = hierarchy.mountpoint + parse_own_cgroup(proc_cgroup, hierarchy);
    struct stat status;
    if (::stat(own.c_str(), &status) == 0)
        return {};
    for (Hierarchy& other : parse_hierarchies(TRY(read_file("/proc/self/mountinfo", 64 << 20))))
        if (other.version == 2 && other.mountpoint == hierarchy.mountpoint)
            hierarchy.mount_root = std::move(other.mount_root);
    return {};
}

Result<std::vector<CgroupLocation>> locate(const std::vector<Hierarchy>& hierarchies, std::string_view path)
{
    std::string clean = TRY(clean_path(path));
    std::vector<CgroupLocation> locations;
    locations.reserve(hierarchies.size());
    if (path.starts_with('/')) {
        for (const Hierarchy& hierarchy : hierarchies)
            locations.push_back({hierarchy.version, hierarchy.controllers, hierarchy.mountpoint, clean});
        return locations;
    }
    std::string proc_cgroup = TRY(read_file("/proc/self/cgroup", 64 << 20));
    for (Hierarchy hierarchy : hierarchies) {
        if (hierarchy.version == 2)
            TRY(find_mount_root(hierarchy, proc_cgroup));
        std::string parent = default_parent(hierarchy.version, parse_own_cgroup(proc_cgroup, hierarchy));
        locations.push_back({hierarchy.version, hierarchy.controllers, hierarchy.mountpoint, parent == "/" ? clean : parent + clean});
    }
    return locations;
}

Result<std::optional<OpenCgroup>> open_existing(CgroupLocation location)
{
    std::optional<CgroupDir> dir = TRY(CgroupDir::open(location.directory()));
    return dir ? std::optional(OpenCgroup{std::move(location), std::move(*dir)}) : std::nullopt;
}

Result<std::vector<OpenCgroup>> open_existing(std::vector<CgroupLocation> locations)
{
    std::vector<OpenCgroup> existing;
    for (CgroupLocation& location : locations)
        if (std::optional<OpenCgroup> cgroup = TRY(open_existing(std::move(location))))
            existing.push_back(std::move(*cgroup));
    return existing;
}

Result<std::vector<OpenCgroup>> find_existing(const std::string& path)
{
    std::vector<OpenCgroup> existing = TRY(open_existing(TRY(locate(TRY(find_hierarchies()), path))));
    if (existing.empty())
        return Error{"cgroup '" + path + "' does not exist in any hierarchy", ENOENT};
    return existing;
}

std::vector<CgroupLocation> locations_of(std::span<const OpenCgroup> cgroups)
{
    std::vector<CgroupLocation> locations;
    for (const OpenCgroup& cgroup : cgroups)
        locations.push_back(cgroup.location);
    return locations;
}

const OpenCgroup* find_controller(std::span<const OpenCgroup> cgroups, std::string_view controller)
{
    const OpenCgroup* v2 = nullptr;
    for (const OpenCgroup& cgroup : cgroups) {
        if (cgroup.location.version == 1 && cgroup.location.has_controller(controller))
            return &cgroup;
        if (cgroup.location.version == 2)
            v2 = &cgroup;
    }
    return v2;
}
