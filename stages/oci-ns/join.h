// Entering namespaces that exist: setns(2).
#pragma once

#include "request.h"

#include "fd/fd.h"

#include <optional>
#include <sys/types.h>
#include <vector>

/// A running process whose namespaces are to be joined.
struct Target {
    pid_t pid = 0;
    unsigned long long start_time = 0;  ///< 0: any
    uint64_t kinds = 0;                 ///< CLONE_NEW... flags; 0: all that differ from ours
};

/// Namespaces that are open and wait to be entered. Opened before anything is entered: afterwards the
/// paths may mean something else.
class Joins {
public:
    /// Opens those of `request`, each checked to be of its kind.
    Result<void> add_paths(const std::vector<Join>& joins);
    /// Opens those of the process. A number that was reused is refused.
    Result<void> add_target(const Target& target);

    /// The open namespace of a kind that is joined by path; -1: none.
    int descriptor(uint64_t flag) const;

    /// What will be entered.
    uint64_t flags() const { return flags_; }

    /// Takes the cgroup namespace out, to be entered by the child when it is in its cgroup: seen from inside, a
    /// caller outside does not exist, and with the mount option nsdelegate (man 7 cgroups) may move nobody in (ENOENT).
    /// -1: none is joined.
    Result<UniqueFd> take_cgroup_namespace();

    /// The target's cgroup of version 2 as /proc/PID/cgroup shows it, now. Works also when the mount namespace has been entered.
    Result<std::string> cgroup_of_target() const;

    /// Enters them all. The caller's children are in them too, in a joined pid namespace only they.
    Result<void> enter(const IdMap& expected_uid_map, const IdMap& expected_gid_map);

private:
    struct Open {
        const NamespaceKind* kind;
        UniqueFd fd;
        std::string path;
        std::string pointer;
    };
    Result<void> enter_one(const Open& open);
    Result<void> enter_target();

    std::vector<Open> open_;
    uint64_t flags_ = 0;
    UniqueFd target_;  ///< pidfd
    UniqueFd target_dir_;
    pid_t target_pid_ = 0;
    uint64_t target_flags_ = 0;
};
