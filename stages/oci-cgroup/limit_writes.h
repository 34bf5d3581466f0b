// The limits of a container as writes to the files of cgroup v1 or v2.
#pragma once

#include "hierarchy.h"
#include "plan/plan.h"
#include "result/result.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// One value for one file of the container's cgroup.
struct LimitWrite {
    std::string_view controller;  ///< "": a file that every v2 cgroup has
    int version = 2;              ///< of the hierarchy that has the controller
    std::string file;
    std::string value;
    Field where = {};             ///< for errors: the JSON pointer or the option
    std::string other_file = {};  ///< instead of `file` where the kernel has no such file
    std::string other_value = {};
    bool is_optional = false;        ///< nothing is lost when the file does not exist
    bool depends_on_others = false;  ///< refused by the kernel (EINVAL) as long as others are not in force
    unsigned long long limit = 0;    ///< in bytes; with `usage_file`
    std::string usage_file = {};     ///< tells the present use: more than `limit` is refused
    std::string key = {};            ///< the file has a line for each key (a device, an interface), of which this is one
    std::string reset = {};          ///< what to write when there was no line of the key before
};

/// Whether the write is for the cgroup at `location`.
bool belongs_to(const LimitWrite& write, const CgroupLocation& location);

/// What to write for those of the directives that are limits; the others (`cgroup.path`, `cgroup.device`) are passed over. The last one of
/// a name decides. Zero means "leave it", as the engines use it, but for pids, where
/// it is the least: one process. What the host's version of cgroups does not have is an error.
///
/// `present`: the cgroup whose limits are to be changed. A limit of which `directives` give one half (swap without memory,
/// a period without a quota) has the other half from there. None: the cgroup is new.
Result<std::vector<LimitWrite>> limit_writes(std::span<const Directive> directives, const std::vector<Hierarchy>& hierarchies,
                                             std::span<const OpenCgroup> present = {});

/// cpu.shares (2..262144) as cpu.weight (1..10000): the quadratic formula that keeps 1024 at 100.
unsigned long long weight_of_shares(unsigned long long shares);

/// blkio's weight (10..1000) as that of io.weight (1..10000).
unsigned long long io_weight_of(unsigned long long weight);
