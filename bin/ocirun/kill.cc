// ocirun kill.
#include "commands.h"

#include "container.h"
#include "context.h"
#include "process/pidfd.h"
#include "process/signal_name.h"

#include <csignal>
#include <unistd.h>

static constexpr Option kill_options[] = {
    {"all", 'a', "", "signal every process of the container"},
};

/// Without a pid namespace of its own the death of the first process does not end the others.
static bool shares_pid_namespace(const Container& container)
{
    Result<Plan> plan = container.plan();
    if (!plan.has_value())
        return false;
    for (const Directive& directive : plan.value().directives())
        if ((directive.is("ns.new") || directive.is("ns.join")) && directive[0] == "pid")
            return directive.is("ns.join");
    return true;
}

static Result<int> kill_container(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global));
    const std::string& id = arguments.positionals()[0];
    int number = TRY(parse_signal(arguments.positionals().size() > 1 ? arguments.positionals()[1] : "TERM"));
    StateRoot root = TRY(context.root_of(id));
    Container container = TRY(Container::find(root, id));

    const CgroupLocation* cgroup = location_to_kill(container.cgroups);
    const bool all = arguments.has("all") || shares_pid_namespace(container);
    if (all && cgroup != nullptr && number != 0 && !container.stale) {
        // Reaches what the first process left behind, too.
        if (!arguments.has("all") && !is_alive(container.init) && number != SIGKILL)
            return Error{"container not running: '" + id + "' is stopped"};
        TRY(kill_processes(cgroup->directory(), number));
        return exit_done;
    }
    std::optional<UniqueFd> pidfd = container.init.pid != 0 ? TRY(open_process(container.init)) : std::nullopt;
    if (!pidfd || !is_alive(container.init))
        return Error{"container not running: '" + id + "' is stopped"};
    if (send_signal(pidfd->get(), number) < 0) {
        if (errno == ESRCH)
            return Error{"container not running: '" + id + "' is stopped"};
        return errno_error("cannot send signal " + std::to_string(number) + " to container '" + id + "'");
    }
    // A frozen process dies when it thaws; on cgroup v1 that does not happen by itself.
    if (number == SIGKILL && TRY(is_frozen(container.cgroups)))
        TRY(set_frozen(container.cgroups, false));
    return exit_done;
}

constexpr Command kill_command{"kill", "ID [SIGNAL]", "send a signal (default TERM) to a container", kill_options, OptionOrder::anywhere, 1, 2,
                               kill_container};
