// The mounts of the plan: `init.mount` lines.
#pragma once

#include "container.h"
#include "mounter.h"
#include "mounts/mount_options.h"

#include <sys/mount.h>

/// Takes the mounts of `init.mount-source` lines, which this process has inherited.
Result<void> take_sources(Container& container);

/// Makes all mounts, in the plan's order.
Result<void> make_mounts(Container& container);

/// One mount, read.
struct Mount {
    std::string destination;  ///< clean, from the root
    std::string type;         ///< empty: a bind
    std::string source;
    MountOptions options;
    std::string_view pointer;

    bool is_bind() const { return (options.set_flags & MS_BIND) != 0 || type == "bind" || type == "rbind"; }
    bool is_recursive() const { return (options.set_flags & MS_REC) != 0 || type == "rbind"; }
};

/// Reads a line and refuses what can be refused without touching anything.
Result<Mount> parse_mount(const Directive& line);

/// The change of attributes that options ask for on a bind; `present` are the attributes for times of access
/// that the mount has now (MOUNT_ATTR__ATIME).
AttributeChange bind_change(const MountOptions& options, uint64_t present);

/// Whether something may be mounted on this path below /proc.
bool may_cover_in_proc(std::string_view destination);

/// The mount of type cgroup: see cgroup_mount.cc. `target` was found at the destination.
Result<UniqueFd> mount_cgroups(Container& container, Mounter& mounter, const Mount& mount, int target);
