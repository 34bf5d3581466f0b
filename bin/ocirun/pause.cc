// ocirun pause and resume.
#include "commands.h"

#include "container.h"
#include "context.h"

static Error not_running(const Container& container, Status status, const char* what)
{
    return Error{"container not running: '" + container.state.id() + "' is " + status_word(status) +
                 ", and only a running one can be " + what};
}

static Result<int> pause(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global));
    const std::string& id = arguments.positionals()[0];
    StateRoot root = TRY(context.root_of(id));
    Container container = TRY(Container::find(root, id));
    Status status = TRY(container.status());
    // A created one waits already; frozen, it would not hear `start`.
    if (status != Status::running)
        return not_running(container, status, "paused");
    TRY(set_frozen(container.cgroups, true));
    return exit_done;
}

static Result<int> resume(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global));
    const std::string& id = arguments.positionals()[0];
    StateRoot root = TRY(context.root_of(id));
    Container container = TRY(Container::find(root, id));
    Status status = TRY(container.status());
    if (status != Status::paused)
        return Error{"container not paused: '" + id + "' is " + status_word(status)};
    TRY(set_frozen(container.cgroups, false));
    return exit_done;
}

constexpr Command pause_command{"pause", "ID", "suspend all processes of a container", {}, OptionOrder::anywhere, 1,
                                1,       pause};
constexpr Command resume_command{
    "resume", "ID", "let the processes of a paused container go on", {}, OptionOrder::anywhere, 1, 1, resume};
