// The table of properties, and the compact form in which the program carries it.
#include "properties.h"

#include "handlers.h"

#include <array>

std::string_view name_of(Type type)
{
    switch (type) {
    case Type::object: return "an object";
    case Type::map: return "an object";
    case Type::array: return "an array";
    case Type::string: return "a string";
    case Type::boolean: return "true or false";
    case Type::uint16: return "a whole number from 0 to 65535";
    case Type::uint32: return "a whole number from 0 to 4294967295";
    case Type::uint64: return "a whole number from 0 to 18446744073709551615";
    case Type::int32: return "a whole number from -2147483648 to 2147483647";
    case Type::int64: return "a whole number from -9223372036854775808 to 9223372036854775807";
    case Type::anything: return "anything";
    }
    return "";
}

namespace {

// Laid out as it reads: it exists only while it is compiled.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
struct Entry {
    std::string_view pattern;
    Type type;
    bool is_required;
    std::string_view since;
    Fate fate;
    std::string_view note;  ///< planned: the directives; ignored, refused: why
    Handler handler;
};

constexpr bool required = true;
constexpr bool optional = false;
using enum Type;
using enum Fate;

#define HOOKS(kind, since, directive)                                                                  \
    {"/hooks/" kind, array, optional, since, container, "", nullptr},                                  \
        {"/hooks/" kind "/*", object, optional, since, planned, directive, plan_hook},                 \
        {"/hooks/" kind "/*/path", string, required, since, planned, directive, plan_absolute_path},   \
        {"/hooks/" kind "/*/args", array, optional, since, planned, directive, nullptr},               \
        {"/hooks/" kind "/*/args/*", string, optional, since, planned, directive, nullptr},            \
        {"/hooks/" kind "/*/env", array, optional, since, planned, directive, nullptr},                \
        {"/hooks/" kind "/*/env/*", string, optional, since, planned, directive, check_variable},      \
        {"/hooks/" kind "/*/timeout", int64, optional, since, planned, directive, nullptr}

#define ID_MAPPINGS(path, since, directive, handler)                                         \
    {path, array, optional, since, planned, directive, handler},                             \
        {path "/*", object, optional, since, planned, directive, nullptr},                   \
        {path "/*/containerID", uint32, required, since, planned, directive, nullptr},       \
        {path "/*/hostID", uint32, required, since, planned, directive, nullptr},            \
        {path "/*/size", uint32, required, since, planned, directive, nullptr}

#define THROTTLE(name)                                                                                                                \
    {"/linux/resources/blockIO/" name, array, optional, "1.0.0", container, "", nullptr},                                             \
        {"/linux/resources/blockIO/" name "/*", object, optional, "1.0.0", planned, "cgroup.blkio.throttle", plan_throttle},          \
        {"/linux/resources/blockIO/" name "/*/major", int64, required, "1.0.0", planned, "cgroup.blkio.throttle", nullptr},           \
        {"/linux/resources/blockIO/" name "/*/minor", int64, required, "1.0.0", planned, "cgroup.blkio.throttle", nullptr},           \
        {"/linux/resources/blockIO/" name "/*/rate", uint64, optional, "1.0.0", planned, "cgroup.blkio.throttle", nullptr}

// In the order in which the plan is written: what is below a property follows it at once. Versions are
// those of the runtime-spec's ChangeLog.
constexpr Entry table[] = {
    {"", object, required, "1.0.0", container, "", plan_config},
    {"/ociVersion", string, required, "1.0.0", planned, "ocirun.version", plan_version},
    {"/annotations", map, optional, "1.0.0", container, "", nullptr},
    {"/annotations/*", string, optional, "1.0.0", planned, "ocirun.annotation ocirun.pidfd-receiver ocirun.hook-output ns.keep-groups cgroup.systemd-property cgroup.subgroup cgroup.delegate init.keep-groups", plan_annotation},

    {"/linux", object, optional, "1.0.0", container, "", nullptr},
    {"/linux/namespaces", array, optional, "1.0.0", container, "", nullptr},
    {"/linux/namespaces/*", object, optional, "1.0.0", planned, "ns.new ns.join", plan_namespace},
    {"/linux/namespaces/*/type", string, required, "1.0.0", planned, "ns.new ns.join", nullptr},
    {"/linux/namespaces/*/path", string, optional, "1.0.0", planned, "ns.join", nullptr},
    ID_MAPPINGS("/linux/uidMappings", "1.0.0", "ns.uid-map", plan_id_mappings),
    ID_MAPPINGS("/linux/gidMappings", "1.0.0", "ns.gid-map", plan_id_mappings),
    {"/linux/timeOffsets", object, optional, "1.1.0", container, "", nullptr},
    {"/linux/timeOffsets/monotonic", object, optional, "1.1.0", planned, "ns.time-offset", plan_time_offset},
    {"/linux/timeOffsets/monotonic/secs", int64, optional, "1.1.0", planned, "ns.time-offset", nullptr},
    {"/linux/timeOffsets/monotonic/nanosecs", uint32, optional, "1.1.0", planned, "ns.time-offset", nullptr},
    {"/linux/timeOffsets/boottime", object, optional, "1.1.0", planned, "ns.time-offset", plan_time_offset},
    {"/linux/timeOffsets/boottime/secs", int64, optional, "1.1.0", planned, "ns.time-offset", nullptr},
    {"/linux/timeOffsets/boottime/nanosecs", uint32, optional, "1.1.0", planned, "ns.time-offset", nullptr},

    {"/linux/cgroupsPath", string, optional, "1.0.0", planned, "cgroup.path", plan_cgroups_path},
    {"/linux/resources", object, optional, "1.0.0", container, "", nullptr},
    {"/linux/resources/memory", object, optional, "1.0.0", container, "", nullptr},
    {"/linux/resources/memory/limit", int64, optional, "1.0.0", planned, "cgroup.memory.limit", plan_memory_amount},
    {"/linux/resources/memory/reservation", int64, optional, "1.0.0", planned, "cgroup.memory.reservation", plan_memory_amount},
    {"/linux/resources/memory/swap", int64, optional, "1.0.0", planned, "cgroup.memory.swap", plan_memory_amount},
    {"/linux/resources/memory/kernel", int64, optional, "1.0.0", planned, "cgroup.memory.kernel", plan_memory_amount},
    {"/linux/resources/memory/kernelTCP", int64, optional, "1.0.0", planned, "cgroup.memory.kernel-tcp", plan_memory_amount},
    {"/linux/resources/memory/swappiness", uint64, optional, "1.0.0", planned, "cgroup.memory.swappiness", plan_swappiness},
    {"/linux/resources/memory/disableOOMKiller", boolean, optional, "1.0.0", planned, "cgroup.memory.disable-oom-killer", plan_if_true},
    {"/linux/resources/memory/useHierarchy", boolean, optional, "1.0.2", planned, "cgroup.memory.use-hierarchy", plan_if_true},
    {"/linux/resources/memory/checkBeforeUpdate", boolean, optional, "1.1.0", planned, "cgroup.memory.check-before-update", plan_if_true},
    {"/linux/resources/cpu", object, optional, "1.0.0", container, "", nullptr},
    {"/linux/resources/cpu/shares", uint64, optional, "1.0.0", planned, "cgroup.cpu.shares", plan_nonzero},
    {"/linux/resources/cpu/quota", int64, optional, "1.0.0", planned, "cgroup.cpu.quota", plan_limit},
    {"/linux/resources/cpu/burst", uint64, optional, "1.1.0", planned, "cgroup.cpu.burst", plan_switched},
    {"/linux/resources/cpu/period", uint64, optional, "1.0.0", planned, "cgroup.cpu.period", plan_nonzero},
    {"/linux/resources/cpu/realtimeRuntime", int64, optional, "1.0.0", planned, "cgroup.cpu.realtime-runtime", plan_nonzero},
    {"/linux/resources/cpu/realtimePeriod", uint64, optional, "1.0.0", planned, "cgroup.cpu.realtime-period", plan_nonzero},
    {"/linux/resources/cpu/idle", int64, optional, "1.1.0", planned, "cgroup.cpu.idle", plan_idle},
    {"/linux/resources/cpu/cpus", string, optional, "1.0.0", planned, "cgroup.cpuset.cpus", plan_cpu_list},
    {"/linux/resources/cpu/mems", string, optional, "1.0.0", planned, "cgroup.cpuset.mems", plan_cpu_list},
    {"/linux/resources/pids", object, optional, "1.0.0", container, "", nullptr},
    {"/linux/resources/pids/limit", int64, required, "1.0.0", planned, "cgroup.pids.limit", plan_pids_limit},
    {"/linux/resources/blockIO", object, optional, "1.0.0", container, "", nullptr},
    {"/linux/resources/blockIO/weight", uint16, optional, "1.0.0", planned, "cgroup.blkio.weight", plan_io_weight},
    {"/linux/resources/blockIO/leafWeight", uint16, optional, "1.0.0", planned, "cgroup.blkio.leaf-weight", plan_io_weight},
    {"/linux/resources/blockIO/weightDevice", array, optional, "1.0.0", container, "", nullptr},
    {"/linux/resources/blockIO/weightDevice/*", object, optional, "1.0.0", planned, "cgroup.blkio.weight-device", plan_weight_device},
    {"/linux/resources/blockIO/weightDevice/*/major", int64, required, "1.0.0", planned, "cgroup.blkio.weight-device", nullptr},
    {"/linux/resources/blockIO/weightDevice/*/minor", int64, required, "1.0.0", planned, "cgroup.blkio.weight-device", nullptr},
    {"/linux/resources/blockIO/weightDevice/*/weight", uint16, optional, "1.0.0", planned, "cgroup.blkio.weight-device", nullptr},
    {"/linux/resources/blockIO/weightDevice/*/leafWeight", uint16, optional, "1.0.0", planned, "cgroup.blkio.weight-device", nullptr},
    THROTTLE("throttleReadBpsDevice"),
    THROTTLE("throttleWriteBpsDevice"),
    THROTTLE("throttleReadIOPSDevice"),
    THROTTLE("throttleWriteIOPSDevice"),
    {"/linux/resources/hugepageLimits", array, optional, "1.0.0", container, "", nullptr},
    {"/linux/resources/hugepageLimits/*", object, optional, "1.0.0", planned, "cgroup.hugetlb", plan_hugepage_limit},
    {"/linux/resources/hugepageLimits/*/pageSize", string, required, "1.0.0", planned, "cgroup.hugetlb", nullptr},
    {"/linux/resources/hugepageLimits/*/limit", uint64, required, "1.0.0", planned, "cgroup.hugetlb", nullptr},
    {"/linux/resources/network", object, optional, "1.0.0", container, "", nullptr},
    {"/linux/resources/network/classID", uint32, optional, "1.0.0", planned, "cgroup.network.class-id", plan_nonzero},
    {"/linux/resources/network/priorities", array, optional, "1.0.0", container, "", nullptr},
    {"/linux/resources/network/priorities/*", object, optional, "1.0.0", planned, "cgroup.network.priority", plan_network_priority},
    {"/linux/resources/network/priorities/*/name", string, required, "1.0.0", planned, "cgroup.network.priority", nullptr},
    {"/linux/resources/network/priorities/*/priority", uint32, required, "1.0.0", planned, "cgroup.network.priority", nullptr},
    {"/linux/resources/rdma", map, optional, "1.0.2", container, "", nullptr},
    {"/linux/resources/rdma/*", object, optional, "1.0.2", planned, "cgroup.rdma", plan_rdma},
    {"/linux/resources/rdma/*/hcaHandles", uint32, optional, "1.0.2", planned, "cgroup.rdma", nullptr},
    {"/linux/resources/rdma/*/hcaObjects", uint32, optional, "1.0.2", planned, "cgroup.rdma", nullptr},
    {"/linux/resources/unified", map, optional, "1.1.0", container, "", nullptr},
    {"/linux/resources/unified/*", string, optional, "1.1.0", planned, "cgroup.unified", plan_unified},
    {"/linux/resources/devices", array, optional, "1.0.0", container, "", nullptr},
    {"/linux/resources/devices/*", object, optional, "1.0.0", planned, "cgroup.device", plan_device_rule},
    {"/linux/resources/devices/*/allow", boolean, required, "1.0.0", planned, "cgroup.device", nullptr},
    {"/linux/resources/devices/*/type", string, optional, "1.0.0", planned, "cgroup.device", nullptr},
    {"/linux/resources/devices/*/major", int64, optional, "1.0.0", planned, "cgroup.device", nullptr},
    {"/linux/resources/devices/*/minor", int64, optional, "1.0.0", planned, "cgroup.device", nullptr},
    {"/linux/resources/devices/*/access", string, optional, "1.0.0", planned, "cgroup.device", nullptr},

    {"/linux/seccomp", object, optional, "1.0.0", planned, "seccomp.default seccomp.listener", plan_seccomp},
    {"/linux/seccomp/defaultAction", string, required, "1.0.0", planned, "seccomp.default", nullptr},
    {"/linux/seccomp/defaultErrnoRet", uint32, optional, "1.1.0", planned, "seccomp.default", nullptr},
    {"/linux/seccomp/architectures", array, optional, "1.0.0", container, "", nullptr},
    {"/linux/seccomp/architectures/*", string, optional, "1.0.0", planned, "seccomp.arch", plan_seccomp_word},
    {"/linux/seccomp/flags", array, optional, "1.0.2", container, "", nullptr},
    {"/linux/seccomp/flags/*", string, optional, "1.0.2", planned, "seccomp.flag", plan_seccomp_word},
    {"/linux/seccomp/listenerPath", string, optional, "1.1.0", planned, "seccomp.listener", nullptr},
    {"/linux/seccomp/listenerMetadata", string, optional, "1.1.0", planned, "seccomp.listener", nullptr},
    {"/linux/seccomp/syscalls", array, optional, "1.0.0", container, "", nullptr},
    {"/linux/seccomp/syscalls/*", object, optional, "1.0.0", planned, "seccomp.rule", plan_seccomp_rule},
    {"/linux/seccomp/syscalls/*/names", array, required, "1.0.0", planned, "seccomp.rule", nullptr},
    {"/linux/seccomp/syscalls/*/names/*", string, optional, "1.0.0", planned, "seccomp.rule", nullptr},
    {"/linux/seccomp/syscalls/*/action", string, required, "1.0.0", planned, "seccomp.rule", nullptr},
    {"/linux/seccomp/syscalls/*/errnoRet", uint32, optional, "1.1.0", planned, "seccomp.rule", nullptr},
    {"/linux/seccomp/syscalls/*/args", array, optional, "1.0.0", planned, "seccomp.rule", nullptr},
    {"/linux/seccomp/syscalls/*/args/*", object, optional, "1.0.0", planned, "seccomp.rule", nullptr},
    {"/linux/seccomp/syscalls/*/args/*/index", uint32, required, "1.0.0", planned, "seccomp.rule", nullptr},
    {"/linux/seccomp/syscalls/*/args/*/value", uint64, required, "1.0.0", planned, "seccomp.rule", nullptr},
    {"/linux/seccomp/syscalls/*/args/*/valueTwo", uint64, optional, "1.0.0", planned, "seccomp.rule", nullptr},
    {"/linux/seccomp/syscalls/*/args/*/op", string, required, "1.0.0", planned, "seccomp.rule", nullptr},

    {"/linux/rootfsPropagation", string, optional, "1.0.0", planned, "init.root-propagation", plan_propagation},
    {"/linux/devices", array, optional, "1.0.0", container, "", nullptr},
    {"/linux/devices/*", object, optional, "1.0.0", planned, "init.device cgroup.device", plan_device},
    {"/linux/devices/*/type", string, required, "1.0.0", planned, "init.device", nullptr},
    {"/linux/devices/*/path", string, required, "1.0.0", planned, "init.device", nullptr},
    {"/linux/devices/*/major", int64, optional, "1.0.0", planned, "init.device", nullptr},
    {"/linux/devices/*/minor", int64, optional, "1.0.0", planned, "init.device", nullptr},
    {"/linux/devices/*/fileMode", uint32, optional, "1.0.0", planned, "init.device", nullptr},
    {"/linux/devices/*/uid", uint32, optional, "1.0.0", planned, "init.device", nullptr},
    {"/linux/devices/*/gid", uint32, optional, "1.0.0", planned, "init.device", nullptr},
    {"/linux/maskedPaths", array, optional, "1.0.0", container, "", nullptr},
    {"/linux/maskedPaths/*", string, optional, "1.0.0", planned, "init.masked-path", plan_absolute_path},
    {"/linux/readonlyPaths", array, optional, "1.0.0", container, "", nullptr},
    {"/linux/readonlyPaths/*", string, optional, "1.0.0", planned, "init.readonly-path", plan_absolute_path},
    {"/linux/mountLabel", string, optional, "1.0.0", planned, "init.mount-label", plan_mount_label},
    {"/linux/sysctl", map, optional, "1.0.0", container, "", nullptr},
    {"/linux/sysctl/*", string, optional, "1.0.0", planned, "init.sysctl", plan_sysctl},
    {"/linux/personality", object, optional, "1.0.2", planned, "init.personality", plan_personality},
    {"/linux/personality/domain", string, required, "1.0.2", planned, "init.personality", nullptr},
    {"/linux/personality/flags", array, optional, "1.0.2", refused, "the runtime-spec has none", refuse_personality_flags},
    {"/linux/personality/flags/*", string, optional, "1.0.2", refused, "the runtime-spec has none", nullptr},
    {"/linux/netDevices", map, optional, "1.3.0", container, "", nullptr},
    {"/linux/netDevices/*", object, optional, "1.3.0", planned, "ns.net-device", plan_net_device},
    {"/linux/netDevices/*/name", string, optional, "1.3.0", planned, "ns.net-device", nullptr},
    {"/linux/memoryPolicy", object, optional, "1.3.0", planned, "init.memory-policy", plan_memory_policy},
    {"/linux/memoryPolicy/mode", string, optional, "1.3.0", planned, "init.memory-policy", nullptr},
    {"/linux/memoryPolicy/nodes", string, optional, "1.3.0", planned, "init.memory-policy", nullptr},
    {"/linux/memoryPolicy/flags", array, optional, "1.3.0", planned, "init.memory-policy", nullptr},
    {"/linux/memoryPolicy/flags/*", string, optional, "1.3.0", planned, "init.memory-policy", nullptr},
    {"/linux/intelRdt", object, optional, "1.0.0", planned, "cgroup.rdt", plan_rdt},
    {"/linux/intelRdt/closID", string, optional, "1.0.2", planned, "cgroup.rdt.closid", plan_closid},
    {"/linux/intelRdt/l3CacheSchema", string, optional, "1.0.0", planned, "cgroup.rdt.schema", plan_l3_schema},
    {"/linux/intelRdt/memBwSchema", string, optional, "1.0.2", planned, "cgroup.rdt.schema", plan_bandwidth_schema},
    {"/linux/intelRdt/schemata", array, optional, "1.3.0", container, "", nullptr},
    {"/linux/intelRdt/schemata/*", string, optional, "1.3.0", planned, "cgroup.rdt.schema", plan_schema},
    {"/linux/intelRdt/enableMonitoring", boolean, optional, "1.3.0", planned, "cgroup.rdt.monitoring", plan_if_true},

    {"/root", object, optional, "1.0.0", planned, "init.root", plan_root},
    {"/root/path", string, required, "1.0.0", planned, "init.root", nullptr},
    {"/root/readonly", boolean, optional, "1.0.0", planned, "init.root", nullptr},
    {"/mounts", array, optional, "1.0.0", container, "", nullptr},
    {"/mounts/*", object, optional, "1.0.0", planned, "init.mount ns.mount-source", plan_mount},
    {"/mounts/*/destination", string, required, "1.0.0", planned, "init.mount", nullptr},
    {"/mounts/*/type", string, optional, "1.0.0", planned, "init.mount", nullptr},
    {"/mounts/*/source", string, optional, "1.0.0", planned, "init.mount ns.mount-source", nullptr},
    {"/mounts/*/options", array, optional, "1.0.0", planned, "init.mount", nullptr},
    {"/mounts/*/options/*", string, optional, "1.0.0", planned, "init.mount", nullptr},
    ID_MAPPINGS("/mounts/*/uidMappings", "1.1.0", "ns.mount-source", nullptr),
    ID_MAPPINGS("/mounts/*/gidMappings", "1.1.0", "ns.mount-source", nullptr),
    {"/hostname", string, optional, "1.0.0", planned, "init.hostname", plan_host_name},
    {"/domainname", string, optional, "1.1.0", planned, "init.domainname", plan_host_name},

    {"/process", object, optional, "1.0.0", container, "", plan_process},
    {"/process/terminal", boolean, optional, "1.0.0", planned, "init.terminal", nullptr},
    {"/process/consoleSize", object, optional, "1.0.0", planned, "init.terminal", nullptr},
    {"/process/consoleSize/height", uint64, required, "1.0.0", planned, "init.terminal", nullptr},
    {"/process/consoleSize/width", uint64, required, "1.0.0", planned, "init.terminal", nullptr},
    {"/process/user", object, optional, "1.0.0", planned, "init.user", nullptr},
    {"/process/user/uid", uint32, optional, "1.0.0", planned, "init.user cgroup.owner", nullptr},
    {"/process/user/gid", uint32, optional, "1.0.0", planned, "init.user", nullptr},
    {"/process/user/umask", uint32, optional, "1.0.2", planned, "init.user", plan_umask},
    {"/process/user/additionalGids", array, optional, "1.0.0", container, "", nullptr},
    {"/process/user/additionalGids/*", uint32, optional, "1.0.0", planned, "init.additional-gid", plan_group},
    {"/process/user/username", string, optional, "1.0.0", ignored, "for Windows", nullptr},
    {"/process/args", array, required, "1.0.0", container, "", plan_args},
    {"/process/args/*", string, optional, "1.0.0", planned, "init.arg", plan_as_is},
    {"/process/commandLine", string, optional, "1.0.2", refused, "for Windows", refuse_command_line},
    {"/process/env", array, optional, "1.0.0", container, "", nullptr},
    {"/process/env/*", string, optional, "1.0.0", planned, "init.env", plan_env},
    {"/process/cwd", string, required, "1.0.0", planned, "init.cwd", plan_absolute_path},
    {"/process/capabilities", object, optional, "1.0.0", planned, "init.capability", plan_capabilities},
    {"/process/capabilities/bounding", array, optional, "1.0.0", planned, "init.capability", nullptr},
    {"/process/capabilities/bounding/*", string, optional, "1.0.0", planned, "init.capability", check_capability},
    {"/process/capabilities/permitted", array, optional, "1.0.0", planned, "init.capability", nullptr},
    {"/process/capabilities/permitted/*", string, optional, "1.0.0", planned, "init.capability", check_capability},
    {"/process/capabilities/effective", array, optional, "1.0.0", planned, "init.capability", nullptr},
    {"/process/capabilities/effective/*", string, optional, "1.0.0", planned, "init.capability", check_capability},
    {"/process/capabilities/inheritable", array, optional, "1.0.0", planned, "init.capability", nullptr},
    {"/process/capabilities/inheritable/*", string, optional, "1.0.0", planned, "init.capability", check_capability},
    {"/process/capabilities/ambient", array, optional, "1.0.0", planned, "init.capability", nullptr},
    {"/process/capabilities/ambient/*", string, optional, "1.0.0", planned, "init.capability", check_capability},
    {"/process/rlimits", array, optional, "1.0.0", container, "", nullptr},
    {"/process/rlimits/*", object, optional, "1.0.0", planned, "init.rlimit", plan_rlimit},
    {"/process/rlimits/*/type", string, required, "1.0.0", planned, "init.rlimit", nullptr},
    {"/process/rlimits/*/soft", uint64, required, "1.0.0", planned, "init.rlimit", nullptr},
    {"/process/rlimits/*/hard", uint64, required, "1.0.0", planned, "init.rlimit", nullptr},
    {"/process/noNewPrivileges", boolean, optional, "1.0.0", planned, "init.no-new-privileges", plan_if_true},
    {"/process/oomScoreAdj", int64, optional, "1.0.0", planned, "init.oom-score-adj", plan_oom_score_adj},
    {"/process/apparmorProfile", string, optional, "1.0.0", planned, "init.apparmor-profile", plan_text},
    {"/process/selinuxLabel", string, optional, "1.0.0", planned, "init.selinux-label", plan_text},
    {"/process/scheduler", object, optional, "1.1.0", planned, "init.scheduler", plan_scheduler},
    {"/process/scheduler/policy", string, required, "1.1.0", planned, "init.scheduler", nullptr},
    {"/process/scheduler/nice", int32, optional, "1.1.0", planned, "init.scheduler", nullptr},
    {"/process/scheduler/priority", int32, optional, "1.1.0", planned, "init.scheduler", nullptr},
    {"/process/scheduler/flags", array, optional, "1.1.0", planned, "init.scheduler", nullptr},
    {"/process/scheduler/flags/*", string, optional, "1.1.0", planned, "init.scheduler", nullptr},
    {"/process/scheduler/runtime", uint64, optional, "1.1.0", planned, "init.scheduler", nullptr},
    {"/process/scheduler/deadline", uint64, optional, "1.1.0", planned, "init.scheduler", nullptr},
    {"/process/scheduler/period", uint64, optional, "1.1.0", planned, "init.scheduler", nullptr},
    {"/process/ioPriority", object, optional, "1.1.0", planned, "init.io-priority", plan_io_priority},
    {"/process/ioPriority/class", string, required, "1.1.0", planned, "init.io-priority", nullptr},
    {"/process/ioPriority/priority", int32, optional, "1.1.0", planned, "init.io-priority", nullptr},
    {"/process/execCPUAffinity", object, optional, "1.2.1", planned, "ocirun.exec-cpu-affinity", plan_exec_cpu_affinity},
    {"/process/execCPUAffinity/initial", string, optional, "1.2.1", planned, "ocirun.exec-cpu-affinity", nullptr},
    {"/process/execCPUAffinity/final", string, optional, "1.2.1", planned, "ocirun.exec-cpu-affinity", nullptr},

    {"/hooks", object, optional, "1.0.0", container, "", nullptr},
    HOOKS("prestart", "1.0.0", "ocirun.hook"),
    HOOKS("createRuntime", "1.0.2", "ocirun.hook"),
    HOOKS("createContainer", "1.0.2", "init.hook"),
    HOOKS("startContainer", "1.0.2", "init.hook"),
    HOOKS("poststart", "1.0.0", "ocirun.hook"),
    HOOKS("poststop", "1.0.0", "ocirun.hook"),

    {"/solaris", anything, optional, "1.0.0", ignored, "for Solaris", nullptr},
    {"/windows", anything, optional, "1.0.0", ignored, "for Windows", nullptr},
    {"/vm", anything, optional, "1.0.2", ignored, "for containers in virtual machines", nullptr},
    {"/zos", anything, optional, "1.1.0", ignored, "for z/OS", nullptr},
    {"/freebsd", anything, optional, "1.3.0", ignored, "for FreeBSD", nullptr},
};

constexpr size_t row_count = std::size(table);

consteval size_t depth_of(std::string_view pattern)
{
    size_t depth = 0;
    for (char c : pattern)
        depth += c == '/';
    return depth;
}

consteval bool has_parent(size_t row)
{
    std::string_view parent = table[row].pattern.substr(0, table[row].pattern.rfind('/'));
    for (size_t i = 0; i < row; i++)
        if (table[i].pattern == parent)
            return table[i].type == object || table[i].type == map || table[i].type == array;
    return false;
}

/// Depth first, no row twice, each below a row that can hold it.
consteval bool is_in_order()
{
    for (size_t i = 1; i < row_count; i++) {
        if (!has_parent(i) || depth_of(table[i].pattern) > depth_of(table[i - 1].pattern) + 1)
            return false;
        // What lies between a row and its parent must lie below the parent too.
        std::string_view parent = table[i].pattern.substr(0, table[i].pattern.rfind('/'));
        std::string_view before = table[i - 1].pattern;
        if (!before.starts_with(parent) || (before.size() > parent.size() && before[parent.size()] != '/'))
            return false;
    }
    return true;
}
static_assert(is_in_order());

consteval size_t all_text_size()
{
    size_t size = 0;
    for (const Entry& entry : table)
        size += entry.pattern.size() + entry.since.size() + entry.note.size();
    return size;
}

// The program carries the table without pointers into text: in a position-independent executable each
// of them would be written at every start, and each page written is a page fault.
struct Row {
    uint16_t text;
    uint16_t next;
    uint8_t pattern_size;
    uint8_t since_size;
    uint8_t note_size;
    uint8_t name_at;
    uint8_t depth;
    Type type;
    Fate fate;
    bool is_required;
};

struct Compact {
    std::array<Row, row_count> rows;
    std::array<char, all_text_size()> text;
};

consteval Compact make_compact()
{
    Compact compact{};
    size_t at = 0;
    auto append = [&](std::string_view text) {
        for (char c : text)
            compact.text[at++] = c;
    };
    for (size_t i = 0; i < row_count; i++) {
        const Entry& entry = table[i];
        size_t next = i + 1;
        while (next < row_count && depth_of(table[next].pattern) > depth_of(entry.pattern))
            next++;
        bool has_next = next < row_count && depth_of(table[next].pattern) == depth_of(entry.pattern);
        compact.rows[i] = {static_cast<uint16_t>(at),
                           static_cast<uint16_t>(has_next ? next : 0xffff),
                           static_cast<uint8_t>(entry.pattern.size()),
                           static_cast<uint8_t>(entry.since.size()),
                           static_cast<uint8_t>(entry.note.size()),
                           static_cast<uint8_t>(entry.pattern.rfind('/') + 1),
                           static_cast<uint8_t>(depth_of(entry.pattern)),
                           entry.type,
                           entry.fate,
                           entry.is_required};
        append(entry.pattern);
        append(entry.since);
        append(entry.note);
    }
    return compact;
}

consteval std::array<Handler, row_count> make_handlers()
{
    std::array<Handler, row_count> all{};
    for (size_t i = 0; i < row_count; i++)
        all[i] = table[i].handler;
    return all;
}

constexpr Compact compact = make_compact();
constexpr std::array<Handler, row_count> handlers = make_handlers();
static_assert(all_text_size() < 0x10000);

}  // namespace

std::optional<Property> Property::find(std::string_view pattern)
{
    for (uint16_t row = 0; row < row_count; row++)
        if (Property(row).pattern() == pattern)
            return Property(row);
    return std::nullopt;
}

std::string_view Property::pattern() const
{
    const Row& row = compact.rows[row_];
    return {compact.text.data() + row.text, row.pattern_size};
}

std::string_view Property::name() const { return pattern().substr(compact.rows[row_].name_at); }
Type Property::type() const { return compact.rows[row_].type; }
Fate Property::fate() const { return compact.rows[row_].fate; }
bool Property::is_required() const { return compact.rows[row_].is_required; }

std::string_view Property::since() const
{
    const Row& row = compact.rows[row_];
    return {compact.text.data() + row.text + row.pattern_size, row.since_size};
}

std::string_view Property::note() const
{
    const Row& row = compact.rows[row_];
    return {compact.text.data() + row.text + row.pattern_size + row.since_size, row.note_size};
}

Handler Property::handler() const { return handlers[row_]; }

Property Property::first() const
{
    size_t below = row_ + 1u;
    return Property(below < row_count && compact.rows[below].depth == compact.rows[row_].depth + 1 ? static_cast<uint16_t>(below) : none);
}

Property Property::next() const { return Property(compact.rows[row_].next); }
