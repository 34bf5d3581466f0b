// ocirun delete.
#include "commands.h"

#include "container.h"
#include "context.h"
#include "launch.h"
#include "undo.h"

#include <csignal>
#include <cstdlib>

static constexpr Option delete_options[] = {
    {"force", 'f', "", "kill what runs; a missing container is no error"},
};

/// Whether SIGKILL is under way to it (ShdPnd in man 5 proc): 'kill ID KILL' returns before its process has ended.
static bool is_being_killed(pid_t pid)
{
    Result<std::string> status = read_file("/proc/" + std::to_string(pid) + "/status", 1 << 16);
    static constexpr std::string_view name = "\nShdPnd:\t";
    size_t at = status.has_value() ? status.value().find(name) : std::string::npos;
    return at != std::string::npos && (std::strtoull(status.value().c_str() + at + name.size(), nullptr, 16) & (1ULL << (SIGKILL - 1))) != 0;
}

static Result<int> delete_container(const Arguments& global, const Arguments& arguments)
{
    const bool force = arguments.has("force");
    Context context = TRY(Context::from(global, force));
    const std::string& id = arguments.positionals()[0];
    std::optional<StateRoot> root = TRY(context.find_root());
    if (!root) {
        if (force)
            return exit_done;
        return no_such_container(id);
    }
    TRY(check_container_id(id));
    std::optional<ContainerState> entry = TRY(ContainerState::find(*root, id));
    if (!entry) {
        // A create that was killed before its entry appeared leaves only a hidden one.
        if (!force)
            return no_such_container(id);
        TRY(remove_unfinished_entries(*root, id));
        return exit_done;
    }
    // A damaged state is an error, and reason enough to undo what the journal knows with --force.
    Result<Container> container = Container::find(*root, id);
    if (!container.has_value() && !force)
        return std::move(container).error();
    if (!container.has_value())
        context.log.warning(container.error().message());
    if (container.has_value()) {
        Result<Status> status = container.value().status();
        if (!force) {
            Status now = TRY(std::move(status));
            if (now == Status::running && is_being_killed(container.value().init.pid)) {
                TRY(kill_and_wait(container.value().init));
                now = TRY(container.value().status());
            }
            if (now != Status::stopped && now != Status::created)
                return Error{"cannot delete container '" + id + "' that is not stopped: " + status_word(now) + "; stop it with 'kill', or give --force"};
        } else if (status.has_value() && status.value() == Status::creating) {
            // Whoever is creating it loses its process, gives up and lets go of the lock.
            TRY(kill_and_wait(container.value().init));
        }
    }
    TRY(entry->lock(10));
    // Its maker may have come to its end while we waited: now the journal and the plan are whole.
    if (container.has_value() && container.value().is_being_made)
        container = Container::find(*root, id);
    Result<Plan> plan = container.has_value() ? container.value().plan() : Result<Plan>(container.error());
    TRY(destroy(context, *root, *entry, plan.has_value() ? &plan.value() : nullptr, container.has_value() ? container.value().bundle : ""));
    return exit_done;
}

constexpr Command delete_command{"delete", "ID", "remove a stopped container", delete_options, OptionOrder::anywhere, 1, 1, delete_container};
