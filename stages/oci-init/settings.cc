// Settings, most of them a system call each.
#include "settings.h"

#include "fd/fd.h"
#include "number_list/number_list.h"
#include "proc/proc_handle.h"
#include "stage/stage.h"

#include <cstdint>
#include <optional>
#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

Result<void> make_session(const Plan& plan)
{
    // EPERM: a leader already.
    if (::setsid() < 0 && (errno != EPERM || ::getsid(0) != ::getpid()))
        return errno_error("cannot make a session");
    if (plan.find("init.no-new-keyring") != nullptr)
        return {};
    stage::step("join a new session keyring");
    // No name: one that exists already, of another container, would be joined.
    constexpr int join_session_keyring = 1;
    if (::syscall(SYS_keyctl, join_session_keyring, nullptr) < 0 && errno != ENOSYS)
        return errno_error("cannot make a session keyring (--no-new-keyring keeps the caller's)");
    return {};
}

Result<std::string> sysctl_path(std::string_view key)
{
    const size_t first = key.find_first_of("./");
    if (key.empty() || first == std::string_view::npos)
        return Error{"'" + std::string(key) + "' is no kernel setting"};
    const char separator = key[first];
    std::string path = "sys/";
    for (char c : key) {
        const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
        if (!is_word)
            return Error{"'" + std::string(key) + "' is no kernel setting"};
        path += c == separator ? '/' : c == '/' ? '.' : separator == '/' ? c : c == '.' ? '/' : c;
    }
    if ((path + "/").find("/../") != std::string::npos || (path + "/").find("/./") != std::string::npos || path.find("//") != std::string::npos ||
        path.ends_with('/'))
        return Error{"'" + std::string(key) + "' is no kernel setting"};
    return path;
}

Result<void> set_namespace_settings(const Plan& plan)
{
    if (const Directive* line = plan.find("init.hostname")) {
        stage::step("set the hostname");
        if (::sethostname((*line)[0].data(), (*line)[0].size()) < 0)
            return errno_error("cannot set the hostname '" + std::string((*line)[0]) + "'").with_pointer(line->pointer);
    }
    if (const Directive* line = plan.find("init.domainname")) {
        stage::step("set the domainname");
        if (::setdomainname((*line)[0].data(), (*line)[0].size()) < 0)
            return errno_error("cannot set the domainname '" + std::string((*line)[0]) + "'").with_pointer(line->pointer);
    }
    std::optional<ProcHandle> proc;
    for (const Directive& line : plan.directives()) {
        if (!line.is("init.sysctl"))
            continue;
        const std::string path = TRY(sysctl_path(line[0]).with_pointer(line.pointer));
        if (line[1].find('\n') != std::string_view::npos)
            return Error{"the value of '" + std::string(line[0]) + "' has more than one line"}.with_pointer(line.pointer);
        if (!proc)
            proc.emplace(TRY(ProcHandle::open(ProcHandle::Content::all)));
        stage::step("set " + std::string(line[0]));
        // An empty write changes nothing; an empty line empties the setting.
        TRY(proc->write_file(path, line[1].empty() ? "\n" : line[1]).with_pointer(line.pointer));
    }
    return {};
}

/// man 2 sched_setattr; glibc has no wrapper.
struct SchedulerAttributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

struct NamedNumber {
    std::string_view name;
    uint64_t number;
};

template <size_t count>
static Result<uint64_t> number_of(const NamedNumber (&table)[count], std::string_view name, std::string_view kind)
{
    for (const NamedNumber& entry : table)
        if (entry.name == name)
            return entry.number;
    return Error{"unknown " + std::string(kind) + " '" + std::string(name) + "'"};
}

static Result<void> set_scheduler(const Directive& line)
{
    static constexpr NamedNumber policies[] = {{"SCHED_OTHER", 0}, {"SCHED_FIFO", 1}, {"SCHED_RR", 2},      {"SCHED_BATCH", 3},
                                               {"SCHED_ISO", 4},   {"SCHED_IDLE", 5}, {"SCHED_DEADLINE", 6}};
    static constexpr NamedNumber flags[] = {{"SCHED_FLAG_RESET_ON_FORK", 1},   {"SCHED_FLAG_RECLAIM", 2},     {"SCHED_FLAG_DL_OVERRUN", 4},
                                            {"SCHED_FLAG_KEEP_POLICY", 8},     {"SCHED_FLAG_KEEP_PARAMS", 16}, {"SCHED_FLAG_UTIL_CLAMP_MIN", 32},
                                            {"SCHED_FLAG_UTIL_CLAMP_MAX", 64}};
    SchedulerAttributes attributes{};
    attributes.size = sizeof attributes;
    attributes.policy = static_cast<uint32_t>(TRY(number_of(policies, line[0], "scheduler policy")));
    auto number = [](Field field) { return field.empty() ? Result<long long>(0) : parse_number(field); };
    auto big_number = [](Field field) { return field.empty() ? Result<unsigned long long>(0) : parse_unsigned(field); };
    attributes.nice = static_cast<int32_t>(TRY(number(line[1])));
    attributes.priority = static_cast<uint32_t>(TRY(number(line[2])));
    for (std::string_view rest = line[3]; !rest.empty();) {
        std::string_view flag = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), flag.size() + 1));
        attributes.flags |= TRY(number_of(flags, flag, "scheduler flag"));
    }
    attributes.runtime = TRY(big_number(line[4]));
    attributes.deadline = TRY(big_number(line[5]));
    attributes.period = TRY(big_number(line[6]));
    if (::syscall(SYS_sched_setattr, 0, &attributes, 0) < 0)
        return errno_error("cannot set the scheduler " + std::string(line[0]));
    return {};
}

static Result<void> set_io_priority(const Directive& line)
{
    static constexpr NamedNumber classes[] = {{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}};
    const uint64_t io_class = TRY(number_of(classes, line[0], "I/O priority class"));
    const long long priority = TRY(parse_number(line[1]));
    constexpr int of_process = 1;  // IOPRIO_WHO_PROCESS
    if (::syscall(SYS_ioprio_set, of_process, 0, static_cast<int>(io_class << 13 | static_cast<uint64_t>(priority))) < 0)
        return errno_error("cannot set the I/O priority " + std::string(line[0]) + " " + std::string(line[1]));
    return {};
}

/// linux/mempolicy.h, which headers before Linux 5.15 have in parts only.
static Result<void> set_memory_policy(const Directive& line)
{
    static constexpr NamedNumber modes[] = {{"MPOL_DEFAULT", 0}, {"MPOL_PREFERRED", 1},      {"MPOL_BIND", 2},               {"MPOL_INTERLEAVE", 3},
                                            {"MPOL_LOCAL", 4},   {"MPOL_PREFERRED_MANY", 5}, {"MPOL_WEIGHTED_INTERLEAVE", 6}};
    static constexpr NamedNumber flags[] = {{"MPOL_F_STATIC_NODES", 1 << 15}, {"MPOL_F_RELATIVE_NODES", 1 << 14}, {"MPOL_F_NUMA_BALANCING", 1 << 13}};
    uint64_t mode = TRY(number_of(modes, line[0], "memory policy"));
    for (std::string_view rest = line[2]; !rest.empty();) {
        std::string_view flag = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), flag.size() + 1));
        mode |= TRY(number_of(flags, flag, "flag of a memory policy"));
    }
    std::vector<unsigned long> nodes;
    if (!line[1].empty())
        nodes = TRY(parse_number_list(line[1]));
    // The kernel looks at one bit less than it is told (man 2 set_mempolicy, BUGS of get_mempolicy).
    const unsigned long bits = nodes.empty() ? 0 : nodes.size() * sizeof(unsigned long) * 8 + 1;
    if (::syscall(SYS_set_mempolicy, static_cast<int>(mode), nodes.empty() ? nullptr : nodes.data(), bits) < 0)
        return errno_error("cannot set the memory policy " + std::string(line[0]) + (line[1].empty() ? "" : " for the nodes '" + std::string(line[1]) + "'"));
    return {};
}

Result<void> set_cpus(const Plan& plan, bool is_driven)
{
    const Directive* line = plan.find("init.cpu-affinity");
    if (line == nullptr && !is_driven)
        return {};
    // Without a wish: all CPUs, of which the cgroup leaves those that it has. What the caller is bound to is not the
    // container's affair.
    std::vector<unsigned long> mask(8192 / 8 / sizeof(unsigned long), ~0UL);
    if (line != nullptr)
        mask = TRY(parse_number_list((*line)[0]).with_pointer(line->pointer));
    if (::sched_setaffinity(0, mask.size() * sizeof(unsigned long), reinterpret_cast<const cpu_set_t*>(mask.data())) == 0)
        return {};
    if (line != nullptr)
        return errno_error("cannot run on the CPUs '" + std::string((*line)[0]) + "'").with_pointer(line->pointer);
    // A sandbox around us may forbid it.
    return errno == EPERM || errno == ENOSYS ? Result<void>() : errno_error("cannot run on all CPUs of the cgroup");
}

Result<void> set_process_settings(const Plan& plan)
{
    const Directive* user = plan.find("init.user");
    mode_t mask = 022;
    if (user != nullptr && !(*user)[2].empty())
        mask = static_cast<mode_t>(TRY(parse_unsigned((*user)[2], 8).with_pointer(user->pointer)));
    ::umask(mask & 0777);

    if (const Directive* line = plan.find("init.oom-score-adj")) {
        stage::step("set the score for the out-of-memory killer");
        ProcHandle proc = TRY(ProcHandle::open(ProcHandle::Content::tasks));
        TRY(proc.write_file("self/oom_score_adj", (*line)[0]).with_pointer(line->pointer));
    }
    if (const Directive* line = plan.find("init.scheduler"))
        TRY(set_scheduler(*line).with_pointer(line->pointer));
    if (const Directive* line = plan.find("init.io-priority"))
        TRY(set_io_priority(*line).with_pointer(line->pointer));
    if (const Directive* line = plan.find("init.memory-policy"))
        TRY(set_memory_policy(*line).with_pointer(line->pointer));
    if (const Directive* line = plan.find("init.personality")) {
        const bool is_32_bit = (*line)[0] == "LINUX32";
        if ((!is_32_bit && (*line)[0] != "LINUX") || !(*line)[1].empty())
            return Error{"unknown personality '" + std::string((*line)[0]) + "'"}.with_pointer(line->pointer);
        if (::personality(is_32_bit ? PER_LINUX32 : PER_LINUX) < 0)
            return errno_error("cannot set the personality").with_pointer(line->pointer);
    }
    return {};
}

Result<void> set_limits(const Plan& plan, Limits which)
{
    static constexpr NamedNumber limits[] = {
        {"RLIMIT_AS", RLIMIT_AS},           {"RLIMIT_CORE", RLIMIT_CORE},       {"RLIMIT_CPU", RLIMIT_CPU},
        {"RLIMIT_DATA", RLIMIT_DATA},       {"RLIMIT_FSIZE", RLIMIT_FSIZE},     {"RLIMIT_LOCKS", RLIMIT_LOCKS},
        {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE}, {"RLIMIT_NICE", RLIMIT_NICE},
        {"RLIMIT_NOFILE", RLIMIT_NOFILE},   {"RLIMIT_NPROC", RLIMIT_NPROC},     {"RLIMIT_RSS", RLIMIT_RSS},
        {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},   {"RLIMIT_RTTIME", RLIMIT_RTTIME},   {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
        {"RLIMIT_STACK", RLIMIT_STACK},
    };
    for (const Directive& line : plan.directives()) {
        if (!line.is("init.rlimit"))
            continue;
        const uint64_t resource = TRY(number_of(limits, line[0], "limit").with_pointer(line.pointer));
        const bool is_files = resource == RLIMIT_NOFILE;
        if (which == Limits::files && !is_files)
            continue;
        rlimit limit{};
        limit.rlim_cur = TRY(parse_unsigned(line[1]).with_pointer(line.pointer));
        limit.rlim_max = TRY(parse_unsigned(line[2]).with_pointer(line.pointer));
        if (which == Limits::all_but_files && is_files) {
            // Lowered last, since we need descriptors ourselves; raised now, so that a refusal is an
            // error of create and not of start.
            rlimit present{};
            if (::getrlimit(RLIMIT_NOFILE, &present) < 0 || limit.rlim_max <= present.rlim_max)
                continue;
            limit.rlim_cur = present.rlim_cur;
        }
        if (::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) < 0)
            return errno_error("cannot set " + std::string(line[0]) + " to " + std::string(line[1]) + " and " + std::string(line[2]))
                .with_pointer(line.pointer);
    }
    return {};
}
