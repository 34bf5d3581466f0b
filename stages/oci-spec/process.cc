// Handlers for `process`.
#include "handlers.h"
#include "planner.h"
#include "words.h"

#include <cstdio>

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
    planner.emit("init.user", user ? user : value,
                 {user["uid"] ? user["uid"].text() : "0", user["gid"] ? user["gid"].text() : "0", umask});
    // No capabilities at all when config.json does not speak of them.
    if (!value["capabilities"])
        plan_capabilities(planner, Value(), *Property::find("/process/capabilities"));
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

void plan_env(Planner& planner, Value value, Property property)
{
    size_t equals = value.text().find('=');
    if (equals == std::string_view::npos || equals == 0)
        planner.add_problem(value, "NAME=VALUE");
    else
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

/// The kernel's number of a capability: the list is in their order. Negative: unknown.
static int capability_number(std::string_view name)
{
    if (!contains_word(capability_words, name))
        return -1;
    std::string_view all = capability_words;
    int number = 0;
    for (; !all.starts_with(name) || (all.size() > name.size() && all[name.size()] != ' '); all.remove_prefix(all.find(' ') + 1))
        number++;
    return number;
}

static uint64_t capability_set(Value list)
{
    uint64_t set = 0;
    for (Value item = list.first(); item; item = item.next())
        if (int number = capability_number(item.text()); number >= 0)
            set |= uint64_t{1} << number;
    return set;
}

void plan_capabilities(Planner& planner, Value value, Property property)
{
    // capset(2) refuses an effective capability that is not permitted; here it can be named.
    const uint64_t permitted = capability_set(value["permitted"]);
    for (Value item = value["effective"].first(); item; item = item.next())
        if (int number = capability_number(item.text()); number >= 0 && (permitted >> number & 1) == 0)
            planner.add_problem(item, "a capability that is also in 'permitted'");
    // capset(2) takes no inheritable one from outside of the bounding set.
    const uint64_t bounding = capability_set(value["bounding"]);
    const uint64_t inheritable = capability_set(value["inheritable"]);
    for (Value item = value["inheritable"].first(); item; item = item.next())
        if (int number = capability_number(item.text()); number >= 0 && (bounding >> number & 1) == 0)
            planner.add_problem(item, "a capability that is also in 'bounding'");
    // prctl(2), PR_CAP_AMBIENT_RAISE, takes only what is permitted and inheritable. A warning: runc's own default configuration
    // has had ambient capabilities without inheritable ones since 1.1.2, and they never had an effect.
    const uint64_t can_be_ambient = permitted & inheritable;
    for (Value item = value["ambient"].first(); item; item = item.next())
        if (int number = capability_number(item.text()); number >= 0 && (can_be_ambient >> number & 1) == 0)
            planner.warn(item, quoted(item.text()) + " is not also in 'permitted' and 'inheritable'; it is left out");

    static constexpr char sets[][12] = {"bounding", "permitted", "effective", "inheritable", "ambient"};
    for (const char* set : sets) {
        Value listed = value[set];
        std::vector<std::string> fields{set};
        for (Value item = listed.first(); item; item = item.next())
            if (int number = capability_number(item.text());
                number >= 0 && (set != std::string_view("ambient") || (can_be_ambient >> number & 1) != 0))
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
    if (planner.is_repeated(type.text()))
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
