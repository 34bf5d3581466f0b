// The mount of type cgroup: the container's own part of each hierarchy.
#include "mounts.h"

#include "cgroup/cgroup.h"
#include "mounts/mount_calls.h"
#include "scan/scan.h"
#include "stage/stage.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/// A hierarchy and the container's place in it.
struct Hierarchy {
    bool is_v2;
    std::string controllers;  ///< as /proc/self/cgroup has them: "cpu,cpuacct", "name=systemd"
    std::string mount_point;
    std::string path;
};

static std::vector<Hierarchy> hierarchies_of_plan(const Plan& plan)
{
    std::vector<Hierarchy> hierarchies;
    for (const Directive& line : plan.directives())
        if (line.is("init.cgroup"))
            hierarchies.push_back({line[0] == "2", std::string(line[1]), std::string(line[2]), std::string(line[3])});
    return hierarchies;
}

static bool is_cgroup_mount(const std::string& path)
{
    struct statfs filesystem;
    return ::statfs(path.c_str(), &filesystem) == 0 && (filesystem.f_type == CGROUP_SUPER_MAGIC || filesystem.f_type == CGROUP2_SUPER_MAGIC);
}

/// Without `init.cgroup` lines: the cgroups that this process is in, each where the field mounts it.
static Result<std::vector<Hierarchy>> own_hierarchies()
{
    UniqueFd file(::open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC));
    if (!file)
        return errno_error("cannot open '/proc/self/cgroup' to learn what to mount");
    const std::string text = TRY(read_all(file.get(), 1 << 20));
    std::vector<Hierarchy> hierarchies;
    std::string_view rest = text;
    while (!rest.empty()) {
        std::string_view line = take_line(rest);
        // "7:cpu,cpuacct:/path" (man 7 cgroups); the number of the v2 hierarchy is 0.
        size_t first = line.find(':');
        size_t second = line.find(':', first + 1);
        if (second == std::string_view::npos)
            continue;
        Hierarchy hierarchy{line.substr(0, first) == "0", std::string(line.substr(first + 1, second - first - 1)), {}, std::string(line.substr(second + 1))};
        std::string name = hierarchy.controllers.starts_with("name=") ? hierarchy.controllers.substr(5) : hierarchy.controllers;
        hierarchy.mount_point = "/sys/fs/cgroup/" + name;
        if (hierarchy.is_v2)
            hierarchy.mount_point = is_cgroup_mount("/sys/fs/cgroup") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
        if (is_cgroup_mount(hierarchy.mount_point))
            hierarchies.push_back(std::move(hierarchy));
    }
    return hierarchies;
}

/// A path from the plan or the kernel that must stay below the hierarchy's mount.
static Result<std::string> source_of(const Hierarchy& hierarchy)
{
    if (has_dot_dot(hierarchy.path))
        return Error{"the cgroup path '" + hierarchy.path + "' leads out of the cgroup namespace"};
    return hierarchy.mount_point + (hierarchy.path == "/" ? "" : hierarchy.path);
}

/// Binds the container's own cgroup rather than mounting afresh: in a cgroup namespace both show the same, and without
/// one a fresh mount would show, and perhaps let write, all cgroups of the host (CVE-2023-25809). A bind takes over the
/// options of the host's mount as well.
static Result<UniqueFd> bind_hierarchy(Mounter& mounter, const Hierarchy& hierarchy, int target, std::string_view destination, uint64_t attributes)
{
    // A process in the root cgroup, or one that sees a cgroup namespace's root: a new mount shows what it may see.
    if (hierarchy.path == "/" || hierarchy.path.empty()) {
        NewFilesystem fresh{hierarchy.is_v2 ? "cgroup2" : "cgroup", "cgroup", 0, {}};
        std::string_view controllers = hierarchy.controllers;
        if (!controllers.empty())
            fresh.options.push_back(controllers);
        if (controllers.starts_with("name="))
            fresh.options.push_back("none");
        Result<UniqueFd> made = mounter.make(fresh, target, destination);
        if (made.has_value()) {
            TRY(mounter.change(made.value().get(), {attributes, 0, false}));
            return made;
        }
    }
    Mounter::Source source = TRY(Mounter::copy_mount(AT_FDCWD, TRY(source_of(hierarchy)), false));
    return mounter.attach(std::move(source), target, destination, {{attributes, 0, false}});
}

static constexpr uint64_t not_atime = ~static_cast<uint64_t>(MOUNT_ATTR__ATIME);

/// cgroup v1: a tmpfs with a directory for each hierarchy, named as on the host, and links for the single names of
/// controllers that share one.
static Result<UniqueFd> mount_v1(Mounter& mounter, const std::vector<Hierarchy>& hierarchies, const Mount& mount, int target)
{
    const uint64_t attributes = attributes_of_flags(mount.options.set_flags) & not_atime;
    NewFilesystem tmpfs{"tmpfs", "tmpfs", mount.options.set_flags & ~static_cast<uint64_t>(MS_RDONLY), {"mode=755"}};
    UniqueFd top = TRY(mounter.make(tmpfs, target, mount.destination));
    for (const Hierarchy& hierarchy : hierarchies) {
        const std::string name = hierarchy.mount_point.substr(hierarchy.mount_point.rfind('/') + 1);
        const std::string destination = mount.destination + "/" + name;
        // The tmpfs is new and ours: nobody else can have put a link there.
        if (::mkdirat(top.get(), name.c_str(), 0755) < 0 && errno != EEXIST)
            return errno_error("cannot make the directory '" + destination + "'");
        UniqueFd directory(::openat(top.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory)
            return errno_error("cannot open '" + destination + "'");
        stage::step("mount " + destination);
        TRY(bind_hierarchy(mounter, hierarchy, directory.get(), destination, attributes));
        if (hierarchy.controllers.find(',') == std::string::npos)
            continue;
        std::string_view rest = hierarchy.controllers;
        while (!rest.empty()) {
            std::string controller(rest.substr(0, rest.find(',')));
            rest.remove_prefix(std::min(rest.size(), controller.size() + 1));
            if (controller != name && controller.find('=') == std::string::npos && ::symlinkat(name.c_str(), top.get(), controller.c_str()) < 0 &&
                errno != EEXIST)
                return errno_error("cannot make the link '" + mount.destination + "/" + controller + "'");
        }
    }
    if ((attributes & MOUNT_ATTR_RDONLY) != 0)
        TRY(mounter.change(top.get(), {MOUNT_ATTR_RDONLY, 0, false}));
    return top;
}

Result<UniqueFd> mount_cgroups(Container& container, Mounter& mounter, const Mount& mount, int target)
{
    std::vector<Hierarchy> hierarchies = hierarchies_of_plan(container.plan);
    if (hierarchies.empty())
        hierarchies = TRY(own_hierarchies());
    bool has_v1 = false;
    const Hierarchy* v2 = nullptr;
    for (const Hierarchy& hierarchy : hierarchies) {
        has_v1 = has_v1 || !hierarchy.is_v2;
        if (hierarchy.is_v2)
            v2 = &hierarchy;
    }
    if (mount.type == "cgroup" && has_v1)
        return mount_v1(mounter, hierarchies, mount, target);
    if (v2 != nullptr)
        return bind_hierarchy(mounter, *v2, target, mount.destination, attributes_of_flags(mount.options.set_flags) & not_atime);
    if (mount.type == "cgroup2")
        return Error{"cannot mount a 'cgroup2' on '" + mount.destination + "': this host has no cgroup v2 hierarchy"};
    // No hierarchy at all: an empty place for them.
    return mount_v1(mounter, {}, mount, target);
}
