// The tree of cgroup v2: who hands which controller to its children, and who may not.
#pragma once

#include "cgroup/cgroup.h"
#include "hierarchy.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A cgroup of the v2 hierarchy.
struct UnifiedCgroup {
    CgroupLocation location;
    CgroupDir dir;

    /// The top of the whole tree, not of a namespace or of what a container sees: it alone may have processes and hand on controllers.
    bool is_true_root() const { return !dir.has("cgroup.type"); }
    /// `domain`, `domain threaded`, `threaded`, `domain invalid`.
    Result<std::string> type() const { return is_true_root() ? Result<std::string>("domain") : dir.read("cgroup.type"); }
    /// In it, not below it; 0 for each that our pid namespace cannot name.
    Result<std::vector<pid_t>> own_processes() const;
};

/// Where `path` would be on v2; unlike locate() also "/". Nothing: this host has no v2 hierarchy.
Result<std::optional<CgroupLocation>> locate_unified(const std::vector<Hierarchy>& hierarchies, std::string_view path);

/// Nothing: it does not exist.
Result<std::optional<UnifiedCgroup>> open_unified(const CgroupLocation& location);

/// The words of a file such as cgroup.controllers.
std::vector<std::string> words_of(std::string_view text);

/// The unit of systemd that `path` is or is in, unless that is delegated or systemd does not run here; empty: none.
std::string undelegated_unit(const CgroupLocation& location);

/// `12, 13, ...`
std::string list_of(const std::vector<pid_t>& pids);
