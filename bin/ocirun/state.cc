// ocirun state.
#include "commands.h"

#include "container.h"
#include "context.h"

static Result<int> state(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global));
    const std::string& id = arguments.positionals()[0];
    StateRoot root = TRY(context.root_of(id));
    Container container = TRY(Container::find(root, id));
    Status status = TRY(container.status());
    Result<Plan> plan = container.plan();
    StateFacts facts{id, status_word(status), status == Status::stopped ? 0 : container.init.pid, container.bundle, container.created,
                     user_name(container.state.owner())};
    std::string text = state_json(facts, plan.has_value() ? &plan.value() : nullptr, "\n  ") + "\n";
    TRY(write_all(STDOUT_FILENO, text));
    return exit_done;
}

constexpr Command state_command{"state", "ID", "print the state of a container as JSON", {}, OptionOrder::anywhere, 1, 1, state};
