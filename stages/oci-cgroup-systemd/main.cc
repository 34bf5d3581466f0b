// oci-cgroup-systemd(8): makes, changes and stops a transient unit of systemd.
#include "cli/cli.h"
#include "fd/fd.h"
#include "journal/journal.h"
#include "manager.h"
#include "process/process.h"
#include "stage/stage.h"
#include "version.h"

#include <csignal>
#include <sys/prctl.h>
#include <unistd.h>

static Result<ManagerKind> manager_of(const Arguments& arguments)
{
    if (arguments.has("user") && arguments.has("system"))
        return Error{"--user and --system: give either", 0, {}, exit_usage};
    return arguments.has("user") ? ManagerKind::user : arguments.has("system") ? ManagerKind::system : own_manager();
}

static Result<std::vector<Property>> properties_of(const Arguments& arguments, std::string_view option)
{
    std::vector<Property> properties;
    for (const std::string& text : arguments.values(option))
        properties.push_back(TRY(parse_property(text).with_exit_code(exit_usage)));
    return properties;
}

/// Limits, without those that this systemd does not know, and behind them the properties, which decide.
static Result<std::vector<Property>> known_properties(Manager& manager, std::vector<Property> limits, const std::vector<Property>& properties)
{
    TRY(manager.leave_out_unknown(limits));
    limits.insert(limits.end(), properties.begin(), properties.end());
    return limits;
}

static Result<int> run_start(const Arguments&, const Arguments& arguments)
{
    UnitRequest request;
    request.name = arguments.positionals()[0];
    request.description = arguments.value("description", request.name);
    request.slice = arguments.value("slice");
    request.properties = TRY(properties_of(arguments, "property"));
    std::vector<Property> limits = TRY(properties_of(arguments, "limit"));
    const bool is_slice = request.name.ends_with(".slice");
    if (!is_slice && !request.name.ends_with(".scope"))
        return Error{"unit '" + request.name + "': expected a name that ends in .scope or .slice", 0, {}, exit_usage};
    for (const std::string& text : arguments.values("pid"))
        request.pids.push_back(TRY(parse_pid(text).with_context("--pid").with_exit_code(exit_usage)));
    if (is_slice == !request.pids.empty())
        return Error{is_slice ? "a slice has no processes of its own: leave out --pid" : "a scope needs a process: give --pid PID", 0, {}, exit_usage};
    ManagerKind kind = TRY(manager_of(arguments));
    // Where the field's containers of a user are, and not among the desktop's applications.
    if (request.slice.empty() && kind == ManagerKind::user && !is_slice)
        request.slice = "user.slice";
    int journal_fd = TRY(arguments.descriptor("journal-fd"));
    // Whoever started us and has died undoes what we do no more.
    if (arguments.has("parent") &&
        (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || std::to_string(::getppid()) != arguments.value("parent")))
        return Error{"the process that has asked for unit '" + request.name + "' has ended"};

    Manager manager = TRY(Manager::connect(kind));
    const UnitState state = TRY(manager.state(request.name));
    if (state == UnitState::running)
        return Error{"unit '" + request.name + "' exists already; another container has that name, or has left it ('systemctl stop' ends it)"};
    request.properties = TRY(known_properties(manager, std::move(limits), request.properties));
    // The journal has the unit before it exists.
    stage::step("record unit " + request.name);
    TRY(append_to_journal(journal_fd, {{"unit", {kind == ManagerKind::user ? "user" : "system", request.name, request.description}}}));
    if (state == UnitState::ended)
        TRY(manager.forget(request.name));
    TRY(manager.start(request));
    std::string path = TRY(manager.control_group(request.name));
    TRY(write_all(STDOUT_FILENO, path + "\n").with_context("standard output"));
    return exit_done;
}

static Result<int> run_set(const Arguments&, const Arguments& arguments)
{
    const std::string& unit = arguments.positionals()[0];
    std::vector<Property> properties = TRY(properties_of(arguments, "property"));
    std::vector<Property> limits = TRY(properties_of(arguments, "limit"));
    if (properties.empty() && limits.empty())
        return Error{"'set' needs --property NAME=VALUE", 0, {}, exit_usage};
    Manager manager = TRY(Manager::connect(TRY(manager_of(arguments))));
    properties = TRY(known_properties(manager, std::move(limits), properties));
    std::string before;
    for (const Property& property : TRY(manager.read_properties(unit, properties))) {
        // Such a list is added to the one that is there, but for an empty one.
        if (property.is_list_of_tuples())
            before += property.name + "=@" + property.value.type + " []\n";
        if (!property.is_list_of_tuples() || !property.value.children.empty())
            before += property.name + "=" + gvariant_text(property.value) + "\n";
    }
    TRY(manager.set_properties(unit, properties));
    TRY(write_all(STDOUT_FILENO, before).with_context("standard output"));
    return exit_done;
}

static Result<int> run_attach(const Arguments&, const Arguments& arguments)
{
    std::vector<pid_t> pids;
    for (size_t i = 1; i < arguments.positionals().size(); i++)
        pids.push_back(TRY(parse_pid(arguments.positionals()[i]).with_exit_code(exit_usage)));
    Manager manager = TRY(Manager::connect(TRY(manager_of(arguments))));
    TRY(manager.attach(arguments.positionals()[0], arguments.value("below"), pids));
    return exit_done;
}

static Result<int> run_stop(const Arguments&, const Arguments& arguments)
{
    const std::string& unit = arguments.positionals()[0];
    Manager manager = TRY(Manager::connect(TRY(manager_of(arguments))));
    if (TRY(manager.state(unit)) == UnitState::unknown)
        return exit_done;
    if (arguments.has("description") && TRY(manager.description(unit)) != arguments.value("description"))
        return exit_done;
    if (arguments.has("kill"))
        TRY(manager.kill(unit));
    TRY(manager.stop(unit));
    return exit_done;
}

static constexpr Option user_option{"user", 0, "", "the user's manager"};
static constexpr Option system_option{"system", 0, "", "the host's manager (default for its root; for others the user's)"};
static constexpr Option property_option{"property", 'p', "NAME=VALUE", "a property, its value in GVariant's text format; may be repeated"};

static constexpr Option limit_option{"limit", 0, "NAME=VALUE", "as --property, but passed over where systemd is too old for it"};

static constexpr Option start_options[] = {
    user_option,
    system_option,
    {"pid", 0, "PID", "a process that moves into the scope; may be repeated"},
    {"slice", 0, "SLICE", "the slice that the unit is in"},
    {"description", 0, "TEXT", "the unit's description (default: its name)"},
    property_option,
    limit_option,
    {"journal-fd", 0, "FD", "write the unit to FD before it is made"},
    {"parent", 0, "PID", "end with this process, who is the parent", true},
};
static constexpr Option set_options[] = {user_option, system_option, property_option, limit_option};
static constexpr Option attach_options[] = {user_option, system_option, {"below", 0, "PATH", "not into the unit's cgroup but into PATH below it"}};
static constexpr Option stop_options[] = {
    user_option,
    system_option,
    {"description", 0, "TEXT", "only a unit that has this description"},
    {"kill", 0, "", "kill its processes first, without asking them to end"},
};

static constexpr Command commands[] = {
    {"start", "UNIT", "make a transient scope or slice; print its cgroup", start_options, OptionOrder::anywhere, 1, 1, run_start},
    {"set", "UNIT", "change properties of a unit until it ends; print what they were", set_options, OptionOrder::anywhere, 1, 1, run_set},
    {"attach", "UNIT PID...", "move processes into a unit's cgroup", attach_options, OptionOrder::anywhere, 2, SIZE_MAX, run_attach},
    {"stop", "UNIT", "stop a unit and forget it; a missing one is fine", stop_options, OptionOrder::anywhere, 1, 1, run_stop},
};

int main(int argc, char** argv)
{
    Program program{"oci-cgroup-systemd", "makes, changes and stops transient units of systemd", stage_options, commands, OCIRUN_VERSION, exit_usage, prepare_stage, nullptr};
    return command_main(program, argc, argv);
}
