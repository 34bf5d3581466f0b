// The tree of cgroup v2: who hands which controller to its children, and who may not.
#pragma once

#include "cgroup/cgroup.h"
#include "hierarchy.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The top of the whole tree, not of a namespace or of what a container sees: it alone may have processes and hand on controllers.
bool is_true_root(const CgroupDir& cgroup);
/// `domain`, `domain threaded`, `threaded`, `domain invalid`.
Result<std::string> type_of(const CgroupDir& cgroup);

/// Where `path` would be on v2; unlike locate() also "/". Nothing: this host has no v2 hierarchy.
Result<std::optional<CgroupLocation>> locate_unified(const std::vector<Hierarchy>& hierarchies, std::string_view path);

/// The unit of systemd that `path` is or is in, unless that is delegated or systemd does not run here; empty: none.
std::string undelegated_unit(const CgroupLocation& location);
