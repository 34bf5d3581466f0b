// What oci-ns is asked to do: from options, from a plan, or both.
#pragma once

#include "id_map.h"
#include "kinds.h"
#include "mount_sources.h"
#include "net_devices.h"
#include "plan/plan.h"
#include "result/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// One namespace to join by path. `pointer`: where in config.json it is asked for.
struct Join {
    const NamespaceKind* kind;
    std::string path;
    std::string pointer;
};

/// One cgroup to join: the directory in the mounted hierarchy.
struct Cgroup {
    bool is_v2;
    std::string directory;
};

struct TimeOffset {
    std::string clock;  ///< "monotonic" or "boottime"
    long long seconds;
    long long nanoseconds;
    std::string pointer;
};

struct OomScoreAdj {
    std::string value;  ///< -1000..1000
    std::string pointer;
};

/// All that is asked for. The functions below refuse what contradicts itself before anything is changed.
struct Request {
    uint64_t new_flags = 0;   ///< CLONE_NEW... of the namespaces to make
    std::string new_pointer;  ///< of the first one
    std::vector<Join> joins;
    IdMap uid_map;
    IdMap gid_map;
    std::vector<TimeOffset> time_offsets;
    std::vector<Cgroup> cgroups;
    std::vector<NetDevice> net_devices;
    std::vector<MountSource> mount_sources;
    std::string cpus;          ///< to start on, as cpuset(7) lists them; empty: as it is
    std::string cpus_pointer;
    std::optional<OomScoreAdj> oom_score_adj;
    bool keeps_groups = false;  ///< the caller's supplementary groups stay
};

/// KIND=PATH of --join.
Result<Join> parse_join(std::string_view text);

/// Adds the `ns.` lines of a plan.
Result<void> add_plan(Request& request, const Plan& plan);

/// Where the cgroup `path` (a path of /proc/PID/cgroup) is below the one whose directory is `directory`: "sub/cgroup". Empty: not below it.
std::string path_below(const std::string& directory, std::string_view path);

/// A cgroup by its directory. v2 is told by its file 'cgroup.controllers', which v1 does not have.
Cgroup cgroup_at(const std::string& directory);

/// Refuses what makes no sense together: a kind twice, maps without a user namespace, ranges that overlap.
Result<void> check(const Request& request);

/// "pid, network and mount": for messages.
std::string kind_names(uint64_t flags);
