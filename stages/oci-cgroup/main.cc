// oci-cgroup(8): makes, limits, joins, measures, freezes, kills and removes a cgroup.
#include "cgroup/cgroup.h"
#include "cli/cli.h"
#include "clock/clock.h"
#include "commands.h"
#include "create.h"
#include "hierarchy.h"
#include "options.h"
#include "process/process.h"
#include "process/program.h"
#include "rdt.h"
#include "stage/stage.h"
#include "update.h"
#include "version.h"

#include <algorithm>
#include <optional>
#include <time.h>
#include <unistd.h>

namespace {
/// What the plan and the options ask for. Owns the text that the directives and rules point to.
struct Asked {
    std::optional<Plan> plan;
    OptionLimits options;
    std::string path;
    Field path_where = "-";
    std::optional<uid_t> owner;
    Field owner_where = "-";
    std::vector<CgroupLocation> locations;
    std::vector<Directive> limits;
    std::vector<DeviceRule> devices;
    RdtRequest rdt;
    std::vector<std::string> unit_properties;
    const Directive* subgroup = nullptr;
    const Directive* delegate = nullptr;
    std::optional<OwnedUnit> unit;
};
}  // namespace

static Result<Asked> read_asked(const Arguments& arguments)
{
    Asked asked;
    int plan_fd = TRY(arguments.descriptor("plan-fd"));
    asked.options = TRY(OptionLimits::read(arguments));
    if (plan_fd >= 0) {
        asked.plan.emplace(TRY(Plan::read(plan_fd, "cgroup")));
        for (const Directive& directive : asked.plan->directives()) {
            if (!directive.type->name().starts_with("cgroup."))
                continue;
            if (directive.is("cgroup.device")) {
                asked.devices.push_back(TRY(parse_device_rule(directive.fields).with_pointer(directive.pointer)));
                asked.devices.back().where = directive.pointer;
            } else if (directive.is("cgroup.path")) {
                asked.path = directive[0];
                asked.path_where = directive.pointer;
            } else if (directive.is("cgroup.owner")) {
                asked.owner = static_cast<uid_t>(TRY(parse_unsigned(directive[0]).with_pointer(directive.pointer)));
                asked.owner_where = directive.pointer;
            } else if (directive.is("cgroup.systemd-property")) {
                asked.unit_properties.push_back(std::string(directive[0]) + "=" + std::string(directive[1]));
            } else if (directive.is("cgroup.subgroup")) {
                asked.subgroup = &directive;
            } else if (directive.is("cgroup.delegate")) {
                asked.delegate = &directive;
            } else if (directive.is("cgroup.unit")) {
                asked.unit = OwnedUnit{std::string(directive[0]), std::string(directive[1])};
            } else if (directive.is("cgroup.location")) {
                asked.locations.push_back(TRY(parse_location(directive.fields)));
            } else if (!asked.rdt.take(directive)) {
                asked.limits.push_back(directive);
            }
        }
    }
    // What the command line says comes later and so decides.
    asked.limits.insert(asked.limits.end(), asked.options.directives().begin(), asked.options.directives().end());
    asked.devices.insert(asked.devices.end(), asked.options.devices().begin(), asked.options.devices().end());
    if (!arguments.positionals().empty()) {
        asked.path = arguments.positionals()[0];
        asked.path_where = "-";
    }
    return asked;
}

static Result<int> run_create(const Arguments&, const Arguments& arguments)
{
    Asked asked = TRY(read_asked(arguments));
    CgroupRequest request;
    request.journal_fd = TRY(arguments.descriptor("journal-fd"));
    request.tolerate_denied = arguments.has("tolerate-denied");
    request.limits = asked.limits;
    request.devices = asked.devices;
    request.owner = asked.owner;
    request.owner_where = asked.owner_where;
    request.path = asked.path;
    request.path_where = asked.path_where;
    request.manager = TRY(parse_cgroup_manager(arguments.value("manager", "cgroupfs")));
    if (arguments.has("pid"))
        request.pid = TRY(parse_pid(arguments.value("pid")).with_context("--pid").with_exit_code(exit_usage));
    request.name = arguments.value("name", request.path);
    request.unit_properties = asked.unit_properties;
    request.subgroup = asked.subgroup;
    request.delegate = asked.delegate;
    request.unit_test_step = arguments.value("unit-test-step");
    if (request.name.empty())
        return Error{"'create' needs a PATH, a plan with cgroup.path, or --name", 0, {}, exit_usage};
    if (request.path.empty() && request.name.find('/') != std::string::npos)
        return Error{"--name: '" + request.name + "' contains a slash", 0, {}, exit_usage};

    const std::string last_component = request.name.substr(request.name.rfind('/') + 1);
    RdtGroups groups = TRY(RdtGroups::create(asked.rdt, arguments.value("name", last_component), arguments.value("resctrl"), request.journal_fd));
    const std::vector<CgroupLocation> locations = TRY(create_cgroup(request));
    std::string lines;
    for (const CgroupLocation& location : locations)
        lines += location_line(location);
    for (const std::string& directory : groups.directories())
        lines += join_fields({"resctrl", directory}) + "\n";
    Result<void> written = write_all(STDOUT_FILENO, lines).with_context("standard output");
    if (!written.has_value())
        for (const CgroupLocation& location : locations)
            (void)remove_cgroup(location.directory()).has_value();
    TRY(std::move(written));
    groups.keep();
    return exit_done;
}

static Result<OpenCgroup> open_present(CgroupLocation location)
{
    const std::string directory = location.directory();
    std::optional<OpenCgroup> cgroup = TRY(open_existing(std::move(location)));
    if (!cgroup)
        return Error{"cannot change the limits of cgroup '" + directory + "'", ENOENT};
    return std::move(*cgroup);
}

static Result<int> run_update(const Arguments&, const Arguments& arguments)
{
    Asked asked = TRY(read_asked(arguments));
    if (asked.locations.empty() && asked.path.empty())
        return Error{"'update' needs a PATH, or a plan with cgroup.location or cgroup.path", 0, {}, exit_usage};
    std::vector<OpenCgroup> cgroups;
    if (asked.locations.empty() || !arguments.positionals().empty())
        cgroups = TRY(find_existing(asked.path).with_pointer(asked.path_where));
    else
        for (CgroupLocation& location : asked.locations)
            cgroups.push_back(TRY(open_present(std::move(location))));
    if (asked.rdt.monitoring || !asked.rdt.closid.empty() || (!asked.rdt.schemata.empty() && asked.rdt.group.empty()))
        return Error{"'update' changes the schemata of the group of resctrl that cgroup.rdt.group names, and nothing else of it"}.with_pointer(
            asked.rdt.where);
    TRY(update_cgroup(std::move(cgroups), asked.limits, asked.devices, asked.rdt, asked.unit ? &*asked.unit : nullptr));
    return exit_done;
}

/// Of the cgroups and of those below them, each once.
static Result<std::vector<pid_t>> processes_in(std::span<const OpenCgroup> cgroups)
{
    std::vector<pid_t> inside;
    for (const OpenCgroup& cgroup : cgroups)
        for (pid_t pid : TRY(cgroup.dir.processes()))
            inside.push_back(pid);
    std::sort(inside.begin(), inside.end());
    inside.erase(std::unique(inside.begin(), inside.end()), inside.end());
    return inside;
}

static Result<void> join(const std::string& path)
{
    for (const OpenCgroup& cgroup : TRY(find_existing(path))) {
        stage::step("join cgroup " + cgroup.dir.name());
        TRY(cgroup.dir.write("cgroup.procs", "0").with_context("cannot join cgroup '" + cgroup.dir.name() + "'"));
    }
    return {};
}

static Result<int> run_join(const Arguments&, const Arguments& arguments)
{
    std::vector<char*> program;
    for (const std::string& word : arguments.positionals())
        program.push_back(const_cast<char*>(word.c_str()));
    program.push_back(nullptr);
    size_t start = arguments.positionals().size() > 1 && arguments.positionals()[1] == "--" ? 2 : 1;
    if (program[start] == nullptr)
        return Error{"'join' needs PATH [--] PROGRAM [ARG]...", 0, {}, exit_usage};

    std::string path = TRY(find_in_path(program[start]));
    TRY(join(arguments.positionals()[0]).with_exit_code(exit_stage_failed));
    ::execv(path.c_str(), program.data() + start);
    return execution_error(path, errno);
}

/// The hierarchy that can freeze comes first: with SIGKILL it gets them all, the others those that are
/// in them alone.
static Result<void> kill_everywhere(const std::vector<CgroupLocation>& locations, int signal)
{
    const CgroupLocation* first = location_to_kill(locations);
    TRY(kill_processes(first->directory(), signal));
    if (signal == SIGKILL)
        for (const CgroupLocation& location : locations)
            if (&location != first)
                TRY(kill_processes(location.directory(), signal));
    return {};
}

static Result<int> run_kill(const Arguments&, const Arguments& arguments)
{
    int signal = arguments.has("signal") ? TRY(parse_signal_name(arguments.value("signal"))) : SIGKILL;
    TRY(kill_everywhere(locations_of(TRY(find_existing(arguments.positionals()[0]))), signal));
    return exit_done;
}

static Result<int> freeze_or_thaw(const std::string& path, bool frozen)
{
    const std::vector<OpenCgroup> cgroups = TRY(find_existing(path));
    if (const OpenCgroup* freezer = find_controller(cgroups, "freezer"); frozen && freezer != nullptr) {
        const std::vector<pid_t> inside = TRY(freezer->dir.processes());
        if (std::binary_search(inside.begin(), inside.end(), ::getpid()))
            return Error{"cannot freeze cgroup '" + path + "': this process is in it"};
    }
    TRY(set_frozen(locations_of(cgroups), frozen));
    return exit_done;
}

static Result<int> run_freeze(const Arguments&, const Arguments& arguments) { return freeze_or_thaw(arguments.positionals()[0], true); }
static Result<int> run_thaw(const Arguments&, const Arguments& arguments) { return freeze_or_thaw(arguments.positionals()[0], false); }

static Result<int> run_ps(const Arguments&, const Arguments& arguments)
{
    const std::vector<pid_t> inside = TRY(processes_in(TRY(find_existing(arguments.positionals()[0]))));
    const bool json = arguments.has("json");
    std::string text = json ? "[" : "";
    for (pid_t pid : inside)
        text += (json && text.size() > 1 ? "," : "") + std::to_string(pid) + (json ? "" : "\n");
    TRY(write_all(STDOUT_FILENO, text + (json ? "]\n" : "")).with_context("standard output"));
    return exit_done;
}

/// Nothing is removed while somebody is in it. Those who are just ending get a second.
static Result<void> wait_until_empty(std::span<const OpenCgroup> cgroups)
{
    for (const long long end = monotonic_ms() + 1000;;) {
        const std::vector<pid_t> inside = TRY(processes_in(cgroups));
        if (inside.empty())
            return {};
        if (monotonic_ms() >= end)
            return Error{"cannot remove cgroup '" + cgroups[0].location.path + "': " + who_is_inside(inside) + "; '--kill' ends " + (inside.size() == 1 ? "it" : "them")};
        timespec pause{0, 10'000'000};
        ::nanosleep(&pause, nullptr);
    }
}

static Result<int> run_delete(const Arguments&, const Arguments& arguments)
{
    Result<std::vector<OpenCgroup>> found = find_existing(arguments.positionals()[0]);
    if (!found.has_value() && found.error().error_number == ENOENT && arguments.has("if-exists"))
        return exit_done;
    const std::vector<OpenCgroup> cgroups = TRY(std::move(found));
    const std::vector<CgroupLocation> locations = locations_of(cgroups);
    if (arguments.has("kill"))
        TRY(kill_everywhere(locations, SIGKILL));
    else
        TRY(wait_until_empty(cgroups));
    for (const CgroupLocation& location : locations)
        TRY(remove_cgroup(location.directory()));
    return exit_done;
}

static constexpr Option kill_options[] = {
    {"signal", 's', "SIGNAL", "name or number; KILL by default"},
};
static constexpr Option ps_options[] = {
    {"json", 0, "", "an array of process ids"},
};
static constexpr Option delete_options[] = {
    {"kill", 0, "", "kill the processes in it first"},
    {"if-exists", 0, "", "a cgroup that does not exist is fine"},
};
static constexpr Option plan_option{"plan-fd", 0, "FD", "read limits, device rules and where the cgroup is from the plan at FD"};
static constexpr Option create_own_options[] = {
    {"journal-fd", 0, "FD", "write each directory to FD before it is made"},
    {"resctrl", 0, "DIR", "where resctrl is mounted; found by default"},
    {"name", 0, "NAME", "without a path: a cgroup of this name near the caller's own"},
    {"tolerate-denied", 0, "", "not being permitted is fine when neither a path nor a limit is asked for"},
    {"manager", 0, "MANAGER", "cgroupfs (default), systemd, or auto: systemd where it can be reached"},
    {"pid", 0, "PID", "with systemd: the process that moves into the scope and holds it until others are there"},
    {"unit-test-step", 0, "N:SIGNAL", "for tests", true},
};

int main(int argc, char** argv)
{
    std::vector<Option> create_options{plan_option};
    create_options.insert(create_options.end(), limit_options.begin(), limit_options.end());
    const size_t shared_options = create_options.size();
    create_options.insert(create_options.end(), std::begin(create_own_options), std::end(create_own_options));
    const std::span<const Option> update_options = std::span(create_options).first(shared_options);
    const Command commands[] = {
        {"create", "[PATH]", "make a cgroup with its limits in force", create_options, OptionOrder::anywhere, 0, 1, run_create},
        {"update", "[PATH]", "give a cgroup other limits, all or none", update_options, OptionOrder::anywhere, 0, 1, run_update},
        {"join", "PATH [--] PROGRAM [ARG]...", "execute PROGRAM in the cgroup", {}, OptionOrder::before_positionals, 2, SIZE_MAX, run_join},
        {"kill", "PATH", "send a signal to every process in the cgroup", kill_options, OptionOrder::anywhere, 1, 1, run_kill},
        {"ps", "PATH", "print the processes in the cgroup and in those below it", ps_options, OptionOrder::anywhere, 1, 1, run_ps},
        {"freeze", "PATH", "suspend every process in the cgroup", {}, OptionOrder::anywhere, 1, 1, run_freeze},
        {"thaw", "PATH", "let them go on", {}, OptionOrder::anywhere, 1, 1, run_thaw},
        stat_command,
        events_command,
        top_command,
        why_command,
        prepare_command,
        {"delete", "PATH", "remove the cgroup and those below it", delete_options, OptionOrder::anywhere, 1, 1, run_delete},
    };
    Program program{"oci-cgroup", "makes, limits, joins, measures, freezes, kills and removes a cgroup", stage_options, commands, OCIRUN_VERSION, exit_usage, prepare_stage, nullptr};
    return command_main(program, argc, argv);
}
