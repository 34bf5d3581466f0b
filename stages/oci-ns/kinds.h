// The kinds of namespaces: one row each.
#pragma once

#include <cstdint>
#include <linux/sched.h>
#include <span>
#include <string_view>

// Younger than some distributions' headers.
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

struct NamespaceKind {
    std::string_view name;       ///< as the runtime-spec spells it
    std::string_view option;     ///< as the option of `oci-ns new`
    std::string_view proc_name;  ///< below /proc/PID/ns
    uint64_t flag;               ///< man 2 clone
    const char* limit;           ///< sysctl that limits their number (man 7 namespaces)
};

inline constexpr NamespaceKind namespace_kinds[] = {
    {"user", "user", "user", CLONE_NEWUSER, "/proc/sys/user/max_user_namespaces"},
    {"pid", "pid", "pid", CLONE_NEWPID, "/proc/sys/user/max_pid_namespaces"},
    {"network", "net", "net", CLONE_NEWNET, "/proc/sys/user/max_net_namespaces"},
    {"mount", "mount", "mnt", CLONE_NEWNS, "/proc/sys/user/max_mnt_namespaces"},
    {"ipc", "ipc", "ipc", CLONE_NEWIPC, "/proc/sys/user/max_ipc_namespaces"},
    {"uts", "uts", "uts", CLONE_NEWUTS, "/proc/sys/user/max_uts_namespaces"},
    {"cgroup", "cgroup", "cgroup", CLONE_NEWCGROUP, "/proc/sys/user/max_cgroup_namespaces"},
    {"time", "time", "time", CLONE_NEWTIME, "/proc/sys/user/max_time_namespaces"},
};

/// The row of a kind, by any of its three names; null: there is none.
inline const NamespaceKind* find_kind(std::string_view name)
{
    for (const NamespaceKind& kind : namespace_kinds)
        if (name == kind.name || name == kind.option || name == kind.proc_name)
            return &kind;
    return nullptr;
}

inline const NamespaceKind* find_kind(uint64_t flag)
{
    for (const NamespaceKind& kind : namespace_kinds)
        if (flag == kind.flag)
            return &kind;
    return nullptr;
}
