// ocirun update: other limits for a container.
#include "commands.h"

#include "amount/amount.h"
#include "container.h"
#include "context.h"
#include "launch.h"
#include "schemata/schemata.h"
#include "stages.h"
#include "unit.h"

#include <fcntl.h>

static constexpr Option update_options[] = {
    {"resources", 'r', "FILE", "take limits from this JSON file, a linux.resources object; '-': standard input"},
    {"blkio-weight", 0, "NUMBER", "relative weight of block I/O, 10 to 1000"},
    {"cpu-period", 0, "MICROSECONDS", "length of a period of processor time"},
    {"cpu-quota", 0, "MICROSECONDS", "processor time in a period; -1: no limit"},
    {"cpu-burst", 0, "MICROSECONDS", "unused processor time that may be saved up"},
    {"cpu-rt-period", 0, "MICROSECONDS", "length of a period of real-time (cgroup v1)"},
    {"cpu-rt-runtime", 0, "MICROSECONDS", "real-time in a period (cgroup v1)"},
    {"cpu-share", 0, "NUMBER", "relative weight of processor time, 2 to 262144"},
    {"cpu-idle", 0, "NUMBER", "1: run only when nobody else wants to; 0: not so"},
    {"cpuset-cpus", 0, "LIST", "CPUs that may be used"},
    {"cpuset-mems", 0, "LIST", "memory nodes that may be used"},
    {"kernel-memory", 0, "SIZE", "obsolete: the kernel has given this limit up"},
    {"kernel-memory-tcp", 0, "SIZE", "memory of TCP (cgroup v1); -1: no limit"},
    {"memory", 0, "SIZE", "memory; -1: no limit"},
    {"memory-reservation", 0, "SIZE", "soft limit of memory; -1: none"},
    {"memory-swap", 0, "SIZE", "memory and swap together; -1: no limit"},
    {"l3-cache-schema", 0, "SCHEMA", "shares of the L3 cache (resctrl): 'L3:0=f;1=f'"},
    {"mem-bw-schema", 0, "SCHEMA", "shares of memory bandwidth (resctrl): 'MB:0=50;1=70'"},
    {"pids-limit", 0, "NUMBER", "processes and threads; -1: no limit"},
};

namespace
{
enum class Amount { number, size, list };
struct Limit {
    std::string_view option;
    std::string_view directive;
    Amount amount;
};
constexpr Limit limits[] = {
    {"blkio-weight", "cgroup.blkio.weight", Amount::number},
    {"cpu-period", "cgroup.cpu.period", Amount::number},
    {"cpu-quota", "cgroup.cpu.quota", Amount::number},
    {"cpu-burst", "cgroup.cpu.burst", Amount::number},
    {"cpu-rt-period", "cgroup.cpu.realtime-period", Amount::number},
    {"cpu-rt-runtime", "cgroup.cpu.realtime-runtime", Amount::number},
    {"cpu-share", "cgroup.cpu.shares", Amount::number},
    {"cpu-idle", "cgroup.cpu.idle", Amount::number},
    {"cpuset-cpus", "cgroup.cpuset.cpus", Amount::list},
    {"cpuset-mems", "cgroup.cpuset.mems", Amount::list},
    {"kernel-memory", "cgroup.memory.kernel", Amount::size},
    {"kernel-memory-tcp", "cgroup.memory.kernel-tcp", Amount::size},
    {"memory", "cgroup.memory.limit", Amount::size},
    {"memory-reservation", "cgroup.memory.reservation", Amount::size},
    {"memory-swap", "cgroup.memory.swap", Amount::size},
    {"pids-limit", "cgroup.pids.limit", Amount::number},
};
} // namespace

/// The lines of the options, with the pointer of the same limit in config.json.
static Result<std::string> option_lines(const Arguments& arguments)
{
    std::string lines;
    for (const Limit& limit : limits) {
        if (!arguments.has(limit.option))
            continue;
        const std::string where = "--" + std::string(limit.option);
        std::string value = arguments.value(limit.option);
        if (limit.amount == Amount::size)
            value = TRY(parse_size(value).with_context(where).with_exit_code(exit_failed));
        else if (limit.amount == Amount::number)
            value = std::to_string(TRY(parse_number(value).with_context(where)));
        lines += join_fields({limit.directive, find_directive_type(limit.directive)->property(), value}) + "\n";
    }
    return lines;
}

/// The lines about resctrl.
static Result<std::string> schema_lines(const Arguments& arguments)
{
    const std::string bandwidth = arguments.value("mem-bw-schema");
    const std::string cache = arguments.value("l3-cache-schema");
    const auto of_cache = cache_lines(cache, !bandwidth.empty());
    if (!of_cache)
        return Error{"--l3-cache-schema '" + cache + "': expected " + expected_schemata};
    if (!bandwidth.empty() && !is_bandwidth_line(bandwidth))
        return Error{"--mem-bw-schema '" + bandwidth + "': expected " + expected_bandwidth};
    std::string lines;
    for (std::string_view line : *of_cache)
        lines += join_fields({"cgroup.rdt.schema", "/linux/intelRdt/l3CacheSchema", line}) + "\n";
    if (!bandwidth.empty())
        lines += join_fields({"cgroup.rdt.schema", "/linux/intelRdt/memBwSchema", bandwidth}) + "\n";
    return lines;
}

/// The group that is the container's to change. Of one that was there before it others live, too.
static Result<std::string> own_group(const Container& container)
{
    if (container.resctrl.empty())
        return Error{"container '" + container.state.id() + "' has no group of resctrl: its configuration has no linux.intelRdt"};
    const std::string& group = container.resctrl.front();
    for (const JournalEntry& entry : container.state.entries())
        if ((entry.what == "resctrl" || entry.what == "resctrl-shared") && entry.fields.size() == 1 && entry.fields[0] == group)
            return group;
    return Error{"the group '" + group + "' was there before container '" + container.state.id() + "' and is not its own to change"};
}

/// What the resources of `--resources` mean, as a plan.
static Result<std::string> read_resources(Stages& stages, const std::string& path)
{
    UniqueFd file;
    if (path != "-")
        file = TRY(open_input(path));
    SpawnOptions options;
    options.stdin_fd = file ? file.get() : STDIN_FILENO;
    return stages.run("oci-spec", {"plan", "--resources"}, options, max_plan_size).with_context(path == "-" ? "standard input" : "'" + path + "'");
}

/// How many of its fields say what a line is about: of two lines with the same ones the later is in force.
static size_t key_fields(const Directive& directive)
{
    static constexpr std::pair<std::string_view, size_t> keyed[] = {
        {"cgroup.blkio.weight-device", 2}, {"cgroup.blkio.throttle", 3}, {"cgroup.hugetlb", 1},
        {"cgroup.network.priority", 1},    {"cgroup.rdma", 1},           {"cgroup.unified", 1}};
    for (const auto& [name, count] : keyed)
        if (directive.is(name))
            return count;
    return 0;
}

static bool is_replaced_by(const Directive& before, const Directive& change)
{
    if (before.type != change.type)
        return false;
    if (before.is("cgroup.rdt.schema"))
        return before[0].substr(0, before[0].find(':')) == change[0].substr(0, change[0].find(':'));
    for (size_t i = 0; i < key_fields(before); i++)
        if (before[i] != change[i])
            return false;
    return true;
}

/// The device rules that config.json has of itself are replaced; those that every container has, and those of its own
/// devices, stay, as the last word.
static bool is_configured_device(const Directive& rule)
{
    return rule.is("cgroup.device") &&
           (rule.pointer.starts_with("/linux/resources/") || (rule[0] == "deny" && rule[1] == "a"));
}

static void add_line(PlanWriter& to, const Directive& line)
{
    to.add(line.type->name(), line.pointer, std::vector<std::string>(line.fields.begin(), line.fields.end()));
}

/// The container's plan with the changes in it.
static std::string changed_plan(const Plan& before, const Plan& changes)
{
    const bool has_devices = changes.find("cgroup.device") != nullptr;
    PlanWriter writer;
    for (const Directive& change : changes.directives())
        if (change.type->name().starts_with("cgroup."))
            add_line(writer, change);
    for (const Directive& line : before.directives()) {
        bool is_replaced = has_devices && is_configured_device(line);
        if (line.type->name().starts_with("cgroup.") && !line.is("cgroup.device"))
            for (const Directive& change : changes.directives())
                is_replaced = is_replaced || is_replaced_by(line, change);
        // Without a limit of memory there is none of memory and swap together either.
        const Directive* limit = changes.find("cgroup.memory.limit");
        is_replaced = is_replaced || (line.is("cgroup.memory.swap") && limit != nullptr && (*limit)[0] == "-1");
        if (!is_replaced)
            add_line(writer, line);
    }
    return std::move(writer).finish();
}

/// What oci-cgroup is told: where the cgroup is, the changes, and of what was before only what the changes have to be
/// seen with.
static Result<std::string> stage_plan(const Container& container, const Plan& before, const Plan& changes)
{
    PlanWriter writer;
    for (const Directive& change : changes.directives())
        add_line(writer, change);
    if (changes.find("cgroup.device") != nullptr)
        for (const Directive& line : before.directives())
            if (line.is("cgroup.device") && !is_configured_device(line))
                add_line(writer, line);
    const Directive* check = before.find("cgroup.memory.check-before-update");
    if (check != nullptr && changes.find("cgroup.memory.check-before-update") == nullptr)
        add_line(writer, *check);
    std::string lines;
    if (changes.find("cgroup.rdt.schema") != nullptr)
        lines += join_fields({"cgroup.rdt.group", "-", TRY(own_group(container))}) + "\n";
    for (const CgroupLocation& location : container.cgroups)
        lines += "cgroup.location\t-\t" + location_line(location);
    lines += unit_line(find_unit(container.state.entries()));
    return with_lines(std::move(writer).finish(), lines);
}

Result<void> change_limits(Stages& stages, const std::string& plan_text)
{
    UniqueFd plan = TRY(memory_file("ocirun-plan", plan_text));
    SpawnOptions options;
    options.stdin_fd = stages.null_fd();
    options.stdout_fd = stages.null_fd();
    options.inherit = {plan.get()};
    options.environment = manager_environment();
    ChildProcess stage = TRY(stages.start("oci-cgroup", {"update", "--plan-fd=" + std::to_string(plan.get())}, options));
    ExitStatus status = TRY(stage.wait());
    if (status.shell_status() != 0)
        return stages.failure("oci-cgroup", status);
    return {};
}

static Result<int> update(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global));
    const std::string& id = arguments.positionals()[0];
    StateRoot root = TRY(context.root_of(id));
    Stages stages = TRY(Stages::create(context));
    std::string lines = TRY(option_lines(arguments)) + TRY(schema_lines(arguments));
    std::string changes_text = std::string(plan_first_line) + std::string(plan_last_line);
    if (arguments.has("resources"))
        changes_text = TRY(read_resources(stages, arguments.value("resources")));
    // What the command line says comes later and so decides.
    Plan changes = TRY(Plan::parse(with_lines(changes_text, lines), "cgroup"));

    Container container = TRY(Container::find(root, id));
    // Of two at a time the second sees what the first has changed.
    TRY(container.state.lock(10));
    if (!container.state.is_current())
        return no_such_container(id);
    Status status = TRY(container.status());
    if (status == Status::stopped || status == Status::creating)
        return Error{"container not running: '" + id + "' is " + status_word(status)};
    if (container.cgroups.empty())
        return Error{"cannot update container '" + id + "': it has no cgroup"};
    if (changes.directives().empty())
        context.log.warning("nothing to change: give a limit; 'ocirun update --help' lists them");
    Plan before = TRY(container.plan());
    const std::string after = changed_plan(before, changes);

    const std::string told = TRY(stage_plan(container, before, changes));

    // Written aside before anything is changed, so that nothing but a rename is left to do when the limits are in
    // force.
    TRY(container.state.write("plan.next", after));
    StateFile facts{id, container.init, container.bundle, container.created, container.cgroups};
    TRY(container.state.write("state.json.next", runc_state_json(facts, TRY(Plan::parse(after, "ocirun")))));
    Result<void> changed = change_limits(stages, told);
    if (!changed.has_value()) {
        (void)container.state.remove("plan.next").has_value();
        (void)container.state.remove("state.json.next").has_value();
        return std::move(changed).error();
    }
    TRY(container.state.replace("plan", "plan.next"));
    TRY(container.state.replace("state.json", "state.json.next"));
    return exit_done;
}

constexpr Command update_command{
    "update", "ID", "change the limits of a container", update_options, OptionOrder::anywhere, 1, 1, update};
