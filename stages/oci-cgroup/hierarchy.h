// The cgroup hierarchies of this host and where the caller is in each of them.
#pragma once

#include "cgroup/cgroup.h"
#include "result/result.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// One mounted hierarchy.
struct Hierarchy {
    int version = 0;
    std::string controllers;  ///< v1: `cpu,cpuacct` or `name=systemd`; v2: empty
    std::string mountpoint;
    std::string mount_root;  ///< which cgroup is mounted there; "/" but in a nested container

    bool has_controller(std::string_view controller) const;
};

/// Finds them. Unified cgroup v2 is recognised by one statfs; only on v1 and hybrid hosts, where the
/// names of the mount points vary, is mountinfo read. None mounted is an error.
Result<std::vector<Hierarchy>> find_hierarchies();

/// The hierarchies in the text of /proc/self/mountinfo, each once.
std::vector<Hierarchy> parse_hierarchies(std::string_view mountinfo);

/// The caller's cgroup of `hierarchy` in the text of /proc/self/cgroup, as seen below the mount
/// point; "/" when it is not below it.
std::string parse_own_cgroup(std::string_view proc_cgroup, const Hierarchy& hierarchy);

/// Where a cgroup goes that is asked for by a relative path: below the caller's own on v1; beside it
/// on v2, where a cgroup with processes in it cannot hand controllers to children
/// (Documentation/admin-guide/cgroup-v2.rst, "No Internal Process Constraint").
std::string default_parent(int version, std::string_view own_cgroup);

/// `path` without empty and `.` components, beginning with a slash. `..` and the root itself are refused.
Result<std::string> clean_path(std::string_view path);

/// Opens the cgroup at `path` (begins with a slash) of the hierarchy that is mounted at `mount`; -1: errno.
/// Never leaves the hierarchy, whatever is mounted or linked on the way.
int open_cgroup(int mount, const std::string& path);

/// `path` without its last component; "/" for those directly below the root.
std::string parent_of(const std::string& path);

/// The cgroup that `path` means in each hierarchy, which need not exist: from the root when it begins
/// with a slash, else below default_parent(). Same order as `hierarchies`.
Result<std::vector<CgroupLocation>> locate(const std::vector<Hierarchy>& hierarchies, std::string_view path);

/// A cgroup that is there, with its directory open.
struct OpenCgroup {
    CgroupLocation location;
    CgroupDir dir;
};

/// Nothing: it is not there.
Result<std::optional<OpenCgroup>> open_existing(CgroupLocation location);
/// Those of `locations` that are there.
Result<std::vector<OpenCgroup>> open_existing(std::vector<CgroupLocation> locations);
/// Where `path` exists; nowhere is an error (ENOENT).
Result<std::vector<OpenCgroup>> find_existing(const std::string& path);

std::vector<CgroupLocation> locations_of(std::span<const OpenCgroup> cgroups);

/// Of one container's cgroups the one with the files of that controller: that in its hierarchy of v1 where there is one, else that of v2. Null: none.
const OpenCgroup* find_controller(std::span<const OpenCgroup> cgroups, std::string_view controller);
