// Handlers for `process`.
#include "handlers.h"
#include "planner.h"
#include "words.h"

#include <cstdio>

// The next one is (uid_t)-1, which leaves the id as it is: root's (man 2 setresuid).
static constexpr long long last_id = UINT32_MAX - 1LL;

void plan_process(Planner& planner, Value value, Property)
{
    if (value["terminal"].is_true()) {
        // The kernel keeps a terminal's size in 16 bits (struct winsize, man 2 ioctl_tty).
        Value size = value["consoleSize"];
        if (!planner.check_range(size["height"], 0, UINT16_MAX) || !planner.check_range(size["width"], 0, UINT16_MAX))
            return;
        planner.emit("init.terminal", value["terminal"], {size ? size["height"].text() : "0", size ? size["width"].text() : "0"});
    }
    Value user = value["user"];
    char umask[16] = "";
    if (user["umask"])
        snprintf(umask, sizeof umask, "%04llo", *user["umask"].to_unsigned());
    // An id that is not mapped cannot be had, and what is there stays.
    struct {
        const char* name;
        bool stays;
        std::string_view field;
    } ids[] = {{"uid", planner.has_no_users(), "0"}, {"gid", planner.has_no_groups(), "0"}};
    for (auto& id : ids) {
        if (!planner.check_range(user[id.name], 0, last_id))
            return;
        if (user[id.name])
            id.field = user[id.name].text();
        if (id.stays && id.field != "0")
            return planner.add_problem(user[id.name], "0, which stands for the caller's here, as linux has no " + std::string(id.name) + "Mappings");
        if (id.stays)
            id.field = "";
    }
    if (Value groups = user["additionalGids"]; groups.size() > 0 && planner.has_no_groups())
        return planner.add_sentence(groups, "found additional groups, expected none, as linux has no gidMappings");
    planner.emit("init.user", user ? user : value, {ids[0].field, ids[1].field, umask});
    // No capabilities at all when config.json does not speak of them.
    if (!value["capabilities"])
        plan_capabilities(planner, Value(), *Property::find("/process/capabilities"));
}

void plan_group(Planner& planner, Value value, Property property)
{
    if (planner.check_range(value, 0, last_id))
        planner.emit(property.note(), value, {value.text()});
}

void plan_umask(Planner& planner, Value value, Property) { planner.check_range(value, 0, 0777); }

void refuse_command_line(Planner& planner, Value value, Property)
{
    planner.add_sentence(value, "found a value for 'commandLine', expected none: it is for Windows; 'args' has the program here");
}

void plan_args(Planner& planner, Value value, Property)
{
    if (value.size() == 0)
        planner.add_sentence(value, "found an empty array, expected the program and its arguments");
}

void check_variable(Planner& planner, Value value, Property)
{
    size_t equals = value.text().find('=');
    if (equals == std::string_view::npos || equals == 0)
        planner.add_problem(value, "NAME=VALUE");
}

void plan_env(Planner& planner, Value value, Property property)
{
    check_variable(planner, value, property);
    planner.emit(property.note(), value, {value.text()});
}

void check_capability(Planner& planner, Value value, Property)
{
    std::string_view name = value.text();
    bool is_name = name.starts_with("CAP_") && name.size() > 4;
    for (char c : name)
        is_name = is_name && ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_');
    if (!is_name)
        planner.add_problem(value, "the name of a capability, such as CAP_KILL");
    else if (!contains_word(capability_words, name))
        // runtime-spec 1.1: "the runtime SHOULD log a warning"; a newer engine on an older host must go on.
        planner.warn(value, quoted(name) + " is not known; it is left out");
}

/// The capability's bit in the kernel's sets: the list is in its order. Zero: unknown.
static uint64_t capability_bit(std::string_view name)
{
    std::optional<size_t> number = index_of_word(capability_words, name);
    return number ? uint64_t{1} << *number : 0;
}

static uint64_t capability_set(Value list)
{
    uint64_t set = 0;
    for (Value item = list.first(); item; item = item.next())
        set |= capability_bit(item.text());
    return set;
}

/// Each known one must be in `others`, which is a set of that name.
static void check_nesting(Planner& planner, Value list, uint64_t others, const char* name)
{
    for (Value item = list.first(); item; item = item.next())
        if ((capability_bit(item.text()) & ~others) != 0)
            planner.add_problem(item, "a capability that is also in '" + std::string(name) + "'");
}

void plan_capabilities(Planner& planner, Value value, Property property)
{
    const uint64_t bounding = capability_set(value["bounding"]);
    const uint64_t permitted = capability_set(value["permitted"]);
    const uint64_t inheritable = capability_set(value["inheritable"]);
    // capset(2) refuses an effective capability that is not permitted, and an inheritable one that is not in the bounding set; a
    // permitted one from outside of the bounding set would be gone with execve(2). Here they can be named.
    check_nesting(planner, value["permitted"], bounding, "bounding");
    check_nesting(planner, value["effective"], permitted, "permitted");
    check_nesting(planner, value["inheritable"], bounding, "bounding");
    // prctl(2), PR_CAP_AMBIENT_RAISE, takes only what is permitted and inheritable. By default a warning: the decision is in
    // docs/decisions/0008-ambient-capabilities.md.
    const uint64_t can_be_ambient = permitted & inheritable;
    for (Value item = value["ambient"].first(); item; item = item.next()) {
        if ((capability_bit(item.text()) & ~can_be_ambient) == 0)
            continue;
        if (planner.is_strict())
            planner.add_problem(item, "a capability that is also in 'permitted' and 'inheritable'");
        else
            planner.warn(item, quoted(item.text()) + " is not also in 'permitted' and 'inheritable'; it is left out");
    }

    static constexpr char sets[][12] = {"bounding", "permitted", "effective", "inheritable", "ambient"};
    for (const char* set : sets) {
        Value listed = value[set];
        const uint64_t possible = set == std::string_view("ambient") ? can_be_ambient : ~uint64_t{0};
        std::vector<std::string> fields{set};
        for (Value item = listed.first(); item; item = item.next())
            if ((capability_bit(item.text()) & possible) != 0)
                fields.emplace_back(item.text());
        if (value)
            planner.emit(property.note(), listed ? listed : value, fields);
        else
            planner.emit_default(property.note(), {set});
    }
}

// getrlimit(2).
static constexpr const char* rlimits =
    "RLIMIT_AS RLIMIT_CORE RLIMIT_CPU RLIMIT_DATA RLIMIT_FSIZE RLIMIT_LOCKS RLIMIT_MEMLOCK RLIMIT_MSGQUEUE RLIMIT_NICE "
    "RLIMIT_NOFILE RLIMIT_NPROC RLIMIT_RSS RLIMIT_RTPRIO RLIMIT_RTTIME RLIMIT_SIGPENDING RLIMIT_STACK";

void plan_rlimit(Planner& planner, Value value, Property property)
{
    Value type = value["type"];
    if (!planner.check_word(type, rlimits))
        return;
    if (*value["soft"].to_unsigned() > *value["hard"].to_unsigned())
        return planner.add_problem(value["soft"], "at most 'hard', which is " + std::string(value["hard"].text()));
    if (planner.find_earlier(property, type.text(), value))
        return planner.add_problem(type, "each limit once");
    planner.emit(property.note(), value, {type.text(), value["soft"].text(), value["hard"].text()});
}

void plan_oom_score_adj(Planner& planner, Value value, Property property)
{
    // proc_pid_oom_score_adj(5)
    if (planner.check_range(value, -1000, 1000))
        planner.emit(property.note(), value, {value.text()});
}

void plan_scheduler(Planner& planner, Value value, Property property)
{
    Value policy = value["policy"];
    if (!planner.check_word(policy, "SCHED_OTHER SCHED_FIFO SCHED_RR SCHED_BATCH SCHED_ISO SCHED_IDLE SCHED_DEADLINE"))
        return;
    bool is_fair = policy.text() == "SCHED_OTHER" || policy.text() == "SCHED_BATCH";
    bool is_realtime = policy.text() == "SCHED_FIFO" || policy.text() == "SCHED_RR";
    bool is_deadline = policy.text() == "SCHED_DEADLINE";

    // What sched_setattr(2) would answer with EINVAL, or ignore.
    auto is_set = [&](const char* name) { return value[name] && value[name].text() != "0"; };
    if (is_set("nice") && !is_fair)
        return planner.add_problem(value["nice"], "0 unless the policy is SCHED_OTHER or SCHED_BATCH");
    if (!planner.check_range(value["nice"], -20, 19))
        return;
    if (is_realtime && !planner.check_range(value["priority"], 1, 99))
        return;
    if (is_realtime && !value["priority"])
        return planner.add_missing(value, "priority", "a whole number from 1 to 99");
    if (is_set("priority") && !is_realtime)
        return planner.add_problem(value["priority"], "0 unless the policy is SCHED_FIFO or SCHED_RR");
    for (const char* name : {"runtime", "deadline", "period"})
        if (is_set(name) && !is_deadline)
            return planner.add_problem(value[name], "0 unless the policy is SCHED_DEADLINE");

    std::string flags;
    for (Value flag = value["flags"].first(); flag; flag = flag.next()) {
        if (!planner.check_word(flag, "SCHED_FLAG_RESET_ON_FORK SCHED_FLAG_RECLAIM SCHED_FLAG_DL_OVERRUN SCHED_FLAG_KEEP_POLICY "
                                      "SCHED_FLAG_KEEP_PARAMS SCHED_FLAG_UTIL_CLAMP_MIN SCHED_FLAG_UTIL_CLAMP_MAX"))
            return;
        flags += (flags.empty() ? "" : ",") + std::string(flag.text());
    }
    auto number = [&](const char* name) { return value[name] ? value[name].text() : std::string_view("0"); };
    planner.emit(property.note(), value,
                 {policy.text(), number("nice"), number("priority"), flags, number("runtime"), number("deadline"), number("period")});
}

void plan_io_priority(Planner& planner, Value value, Property property)
{
    // ioprio_set(2): eight levels.
    if (planner.check_word(value["class"], "IOPRIO_CLASS_RT IOPRIO_CLASS_BE IOPRIO_CLASS_IDLE") &&
        planner.check_range(value["priority"], 0, 7))
        planner.emit(property.note(), value, {value["class"].text(), value["priority"] ? value["priority"].text() : "0"});
}

void plan_exec_cpu_affinity(Planner& planner, Value value, Property property)
{
    Value initial = value["initial"];
    Value final = value["final"];
    if (!planner.check_number_list(initial) || !planner.check_number_list(final))
        return;
    // It is about `exec`; the container's first process is not touched.
    if (!initial.text().empty() || !final.text().empty())
        planner.emit(property.note(), value, {initial.text(), final.text()});
}
