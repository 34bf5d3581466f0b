// The plan's directives: the one table that the reader, spec/plan.md and oci-spec share.
#pragma once

#include <cstdint>
#include <string_view>

/// One kind of line. `fields` names what follows the name and the pointer; `property` is where in
/// config.json it comes from ("": it does not; added by ocirun or by a default). Texts, not pointers to texts: those would be
/// written at every start of every program, which is position-independent.
struct DirectiveType {
    char name_text[36];
    uint8_t min_fields;
    uint8_t max_fields;  ///< 255: as many as there are
    char fields_text[56];
    char property_text[44];
    char meaning_text[152];

    constexpr std::string_view name() const { return name_text; }
    /// Without counting the name's characters, as name() would: this is asked of every row for every line.
    constexpr bool is(std::string_view wanted) const
    {
        return wanted.size() < sizeof name_text && name_text[wanted.size()] == '\0' && std::string_view(name_text, wanted.size()) == wanted;
    }
    constexpr std::string_view fields() const { return fields_text; }
    constexpr std::string_view property() const { return property_text; }
    constexpr std::string_view meaning() const { return meaning_text; }
};

inline constexpr uint8_t many = 255;

// Sorted by the stage that consumes it: the word before the first dot.
inline constexpr DirectiveType directive_types[] = {
    // ocirun: the lifecycle
    {"ocirun.version", 1, 1, "VERSION", "/ociVersion", "version of the runtime-spec that config.json follows"},
    {"ocirun.annotation", 2, 2, "KEY VALUE", "/annotations", "kept in the state, given to hooks"},
    {"ocirun.hook", 5, many, "KIND INDEX PATH TIMEOUT NARGS [ARG]... [ENV]...", "/hooks",
     "run by ocirun (prestart, createRuntime, poststart, poststop); TIMEOUT in seconds, 0 for none; NARGS arguments come before the environment"},
    {"ocirun.hook-output", 2, 2, "stdout|stderr FILE", "/annotations", "where what ocirun's hooks print is appended"},
    {"ocirun.pidfd-receiver", 1, 1, "SOCKET", "/annotations", "unix socket that receives a pidfd of the first process"},
    {"ocirun.exec-cpu-affinity", 2, 2, "INITIAL FINAL", "/process/execCPUAffinity", "for exec: lists of CPUs before and in the container's cgroup; may be empty"},

    // oci-ns: namespaces
    {"ns.new", 1, 1, "KIND", "/linux/namespaces", "a new namespace: pid, network, mount, ipc, uts, user, cgroup or time"},
    {"ns.join", 2, 2, "KIND PATH", "/linux/namespaces", "join the namespace that PATH names"},
    {"ns.uid-map", 3, 3, "CONTAINER HOST SIZE", "/linux/uidMappings", "one range of user ids"},
    {"ns.gid-map", 3, 3, "CONTAINER HOST SIZE", "/linux/gidMappings", "one range of group ids"},
    {"ns.time-offset", 3, 3, "CLOCK SECONDS NANOSECONDS", "/linux/timeOffsets", "offset of a clock in a new time namespace"},
    {"ns.net-device", 2, 2, "INTERFACE NAME", "/linux/netDevices", "moved into the network namespace as NAME, which may end in %d"},
    {"ns.mount-source", 4, 4, "SOURCE OPTIONS UID-MAP GID-MAP", "/mounts",
     "opened before the user namespace for that init.mount; OPTIONS: recursive, nofollow, idmap, ridmap; maps CONTAINER:HOST:SIZE,..., empty: the container's"},
    {"ns.keep-groups", 0, 0, "", "/annotations", "present: the caller's supplementary groups stay"},
    {"ns.cpu-affinity", 1, 1, "LIST", "", "the CPUs to start on (exec)"},
    {"ns.oom-score-adj", 1, 1, "NUMBER", "", "set before a namespace is entered, with the caller's rights (ocirun exec)"},
    {"ns.cgroup", 4, 4, "VERSION CONTROLLERS MOUNTPOINT PATH", "", "join this cgroup before anything runs (a line of oci-cgroup create)"},
    {"ns.resctrl", 1, 1, "DIRECTORY", "", "join this group of resctrl before anything runs (a line of oci-cgroup create)"},

    // oci-cgroup: limits
    {"cgroup.path", 1, 1, "PATH", "/linux/cgroupsPath", "the container's cgroup, from the root of each hierarchy when it starts with a slash"},
    {"cgroup.owner", 1, 1, "UID", "/process/user/uid", "who may manage the container's cgroup (v2), as the host counts; with a writable mount of it in a cgroup namespace of its own"},
    {"cgroup.location", 4, 4, "VERSION CONTROLLERS MOUNTPOINT PATH", "", "where the container's cgroup is (a line of oci-cgroup create), for oci-cgroup update"},
    {"cgroup.memory.limit", 1, 1, "BYTES", "/linux/resources/memory/limit", "-1: unlimited"},
    {"cgroup.memory.reservation", 1, 1, "BYTES", "/linux/resources/memory/reservation", "soft limit; -1: none"},
    {"cgroup.memory.swap", 1, 1, "BYTES", "/linux/resources/memory/swap", "memory and swap together; -1: unlimited"},
    {"cgroup.memory.kernel", 1, 1, "BYTES", "/linux/resources/memory/kernel", "cgroup v1, old kernels"},
    {"cgroup.memory.kernel-tcp", 1, 1, "BYTES", "/linux/resources/memory/kernelTCP", "cgroup v1"},
    {"cgroup.memory.swappiness", 1, 1, "PERCENT", "/linux/resources/memory/swappiness", "cgroup v1"},
    {"cgroup.memory.disable-oom-killer", 1, 1, "BOOL", "/linux/resources/memory/disableOOMKiller", "cgroup v1"},
    {"cgroup.memory.use-hierarchy", 1, 1, "BOOL", "/linux/resources/memory/useHierarchy", "cgroup v1"},
    {"cgroup.memory.check-before-update", 1, 1, "BOOL", "/linux/resources/memory/checkBeforeUpdate", "refuse a limit below the present use"},
    {"cgroup.cpu.shares", 1, 1, "SHARES", "/linux/resources/cpu/shares", "relative weight, 2..262144"},
    {"cgroup.cpu.quota", 1, 1, "MICROSECONDS", "/linux/resources/cpu/quota", "time per period; -1: no limit"},
    {"cgroup.cpu.burst", 1, 1, "MICROSECONDS", "/linux/resources/cpu/burst", "unused time that may be saved up"},
    {"cgroup.cpu.period", 1, 1, "MICROSECONDS", "/linux/resources/cpu/period", "length of a period"},
    {"cgroup.cpu.realtime-runtime", 1, 1, "MICROSECONDS", "/linux/resources/cpu/realtimeRuntime", "cgroup v1"},
    {"cgroup.cpu.realtime-period", 1, 1, "MICROSECONDS", "/linux/resources/cpu/realtimePeriod", "cgroup v1"},
    {"cgroup.cpu.idle", 1, 1, "NUMBER", "/linux/resources/cpu/idle", "1: SCHED_IDLE for the whole group"},
    {"cgroup.cpuset.cpus", 1, 1, "LIST", "/linux/resources/cpu/cpus", "CPUs, as 0-2,7"},
    {"cgroup.cpuset.mems", 1, 1, "LIST", "/linux/resources/cpu/mems", "memory nodes"},
    {"cgroup.pids.limit", 1, 1, "NUMBER", "/linux/resources/pids/limit", "-1: unlimited"},
    {"cgroup.blkio.weight", 1, 1, "WEIGHT", "/linux/resources/blockIO/weight", "10..1000"},
    {"cgroup.blkio.leaf-weight", 1, 1, "WEIGHT", "/linux/resources/blockIO/leafWeight", "cgroup v1"},
    {"cgroup.blkio.weight-device", 4, 4, "MAJOR MINOR WEIGHT LEAF-WEIGHT", "/linux/resources/blockIO/weightDevice", "an empty field is not set"},
    {"cgroup.blkio.throttle", 4, 4, "KIND MAJOR MINOR RATE", "/linux/resources/blockIO", "KIND: read-bps, write-bps, read-iops, write-iops"},
    {"cgroup.hugetlb", 2, 2, "PAGE-SIZE BYTES", "/linux/resources/hugepageLimits", "PAGE-SIZE as 2MB, 1GB"},
    {"cgroup.network.class-id", 1, 1, "NUMBER", "/linux/resources/network/classID", "cgroup v1 net_cls"},
    {"cgroup.network.priority", 2, 2, "INTERFACE PRIORITY", "/linux/resources/network/priorities", "cgroup v1 net_prio"},
    {"cgroup.rdma", 3, 3, "DEVICE HANDLES OBJECTS", "/linux/resources/rdma", "an empty field is not set"},
    {"cgroup.unified", 2, 2, "FILE VALUE", "/linux/resources/unified", "cgroup v2: written as it is"},
    {"cgroup.unit", 2, 2, "system|user NAME", "", "the unit of systemd that the container's cgroup is, for oci-cgroup update"},
    {"cgroup.systemd-property", 2, 2, "NAME VALUE", "/annotations", "a property of the unit, where systemd manages the cgroups; VALUE in GVariant's text format"},
    {"cgroup.subgroup", 1, 1, "PATH", "/annotations", "where systemd manages the cgroups: the container's cgroup is PATH below the scope's"},
    {"cgroup.delegate", 1, 1, "PATH", "/annotations", "cgroup v2: one more cgroup, PATH below the container's, without limits, into which the first process moves"},
    {"cgroup.device", 5, 5, "allow|deny TYPE MAJOR MINOR ACCESS", "/linux/resources/devices", "TYPE a, b or c; * for any MAJOR, MINOR; the last match decides"},
    {"cgroup.rdt", 0, 0, "", "/linux/intelRdt", "present: the container is in a group of resctrl"},
    {"cgroup.rdt.closid", 1, 1, "NAME", "/linux/intelRdt/closID", "the group; / is the root's; without it, one named as the container"},
    {"cgroup.rdt.schema", 1, 1, "LINE", "/linux/intelRdt", "one line for the group's schemata; of one resource the last counts"},
    {"cgroup.rdt.group", 1, 1, "DIRECTORY", "", "the group of resctrl whose schemata oci-cgroup update changes"},
    {"cgroup.rdt.monitoring", 0, 0, "", "/linux/intelRdt/enableMonitoring", "present: in a monitoring group of its own"},

    // oci-seccomp: the filter
    {"seccomp.default", 2, 2, "ACTION ERRNO", "/linux/seccomp/defaultAction", "what happens to a system call without a rule; ERRNO may be empty"},
    {"seccomp.arch", 1, 1, "ARCH", "/linux/seccomp/architectures", "one more architecture, SCMP_ARCH_..."},
    {"seccomp.flag", 1, 1, "FLAG", "/linux/seccomp/flags", "SECCOMP_FILTER_FLAG_..."},
    {"seccomp.listener", 2, 2, "SOCKET METADATA", "/linux/seccomp/listenerPath", "who receives the notify descriptor"},
    {"seccomp.rule", 3, many, "ACTION ERRNO NAMES [INDEX:OP:VALUE:VALUE-TWO]...", "/linux/seccomp/syscalls", "NAMES separated by commas; ERRNO may be empty"},

    // oci-init: inside the container
    {"init.root", 2, 2, "PATH ro|rw", "/root", "the root file system, relative to the bundle"},
    {"init.root-propagation", 1, 1, "WORD", "/linux/rootfsPropagation", "private, slave, shared, unbindable or an r-form"},
    {"init.mount", 3, many, "DESTINATION TYPE SOURCE [OPTION]...", "/mounts", "in this order; TYPE and SOURCE may be empty"},
    {"init.mount-source", 1, 1, "FD", "", "the mount that is the source of the init.mount of the same pointer (a line of oci-ns new)"},
    {"init.cgroup", 4, 4, "VERSION CONTROLLERS MOUNTPOINT PATH", "", "where the container's cgroup is, for mounts of type cgroup"},
    {"init.device", 7, 7, "TYPE PATH MAJOR MINOR MODE UID GID", "/linux/devices", "a device node (TYPE c, u, b or p); MODE octal"},
    {"init.link", 2, 2, "PATH TARGET", "", "a symbolic link, made unless PATH exists"},
    {"init.masked-path", 1, 1, "PATH", "/linux/maskedPaths", "made unreadable"},
    {"init.readonly-path", 1, 1, "PATH", "/linux/readonlyPaths", "made read-only"},
    {"init.mount-label", 1, 2, "LABEL [TYPE]", "/linux/mountLabel", "SELinux context of the mounts made; TYPE: context (by default), fscontext, defcontext, rootcontext"},
    {"init.hostname", 1, 1, "NAME", "/hostname", ""},
    {"init.domainname", 1, 1, "NAME", "/domainname", ""},
    {"init.sysctl", 2, 2, "KEY VALUE", "/linux/sysctl", "KEY with dots or slashes"},
    {"init.hook", 5, many, "KIND INDEX PATH TIMEOUT NARGS [ARG]... [ENV]...", "/hooks", "createContainer and startContainer, as ocirun.hook"},
    {"init.terminal", 2, 2, "ROWS COLUMNS", "/process/terminal", "a terminal of its own; 0 0: size not set"},
    {"init.user", 3, 3, "UID GID UMASK", "/process/user", "UMASK octal, empty: not set; UID or GID empty: it stays the caller's, as none is mapped"},
    {"init.additional-gid", 1, 1, "GID", "/process/user/additionalGids", ""},
    {"init.keep-groups", 0, 0, "", "/annotations", "present: the supplementary groups stay as they are"},
    {"init.arg", 1, 1, "ARG", "/process/args", "the program and its arguments, in order"},
    {"init.env", 1, 1, "NAME=VALUE", "/process/env", "in order; the last one of a name wins"},
    {"init.cwd", 1, 1, "PATH", "/process/cwd", "made when missing"},
    {"init.capability", 1, many, "SET [CAPABILITY]...", "/process/capabilities", "SET: bounding, permitted, effective, inheritable, ambient"},
    {"init.rlimit", 3, 3, "RLIMIT SOFT HARD", "/process/rlimits", "RLIMIT_NOFILE and so on"},
    {"init.no-new-privileges", 0, 0, "", "/process/noNewPrivileges", "present: set"},
    {"init.oom-score-adj", 1, 1, "NUMBER", "/process/oomScoreAdj", "-1000..1000"},
    {"init.apparmor-profile", 1, 1, "PROFILE", "/process/apparmorProfile", ""},
    {"init.selinux-label", 1, 1, "LABEL", "/process/selinuxLabel", ""},
    {"init.scheduler", 7, 7, "POLICY NICE PRIORITY FLAGS RUNTIME DEADLINE PERIOD", "/process/scheduler", "FLAGS separated by commas"},
    {"init.io-priority", 2, 2, "CLASS PRIORITY", "/process/ioPriority", ""},
    {"init.personality", 2, 2, "DOMAIN FLAGS", "/linux/personality", "LINUX or LINUX32"},
    {"init.memory-policy", 3, 3, "MODE NODES FLAGS", "/linux/memoryPolicy", "NODES as 0-3,7, may be empty; FLAGS separated by commas"},
    {"init.cpu-affinity", 1, 1, "LIST", "", "the CPUs to run on (exec)"},
    {"init.no-pivot", 0, 0, "", "", "move the root and chroot instead of pivot_root (ocirun --no-pivot)"},
    {"init.no-new-keyring", 0, 0, "", "", "keep the caller's session keyring (ocirun --no-new-keyring)"},
    {"init.wait", 1, 1, "EVENT", "", "ask on the control descriptor before going on; EVENT: namespaces"},
};

/// The entry for `name`, or null.
constexpr const DirectiveType* find_directive_type(std::string_view name)
{
    for (const DirectiveType& type : directive_types)
        if (type.is(name))
            return &type;
    return nullptr;
}
