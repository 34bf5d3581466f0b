// ocirun start.
#include "commands.h"

#include "container.h"
#include "context.h"
#include "hook/hook.h"
#include "launch.h"
#include "sockets.h"
#include "stage/stage.h"
#include "undo.h"

static Error not_created(const Container& container, Status status)
{
    return Error{"cannot start container '" + container.state.id() + "' in the state '" + status_word(status) + "'; 'start' needs it created"};
}

/// Tells the first process to execute the program; returns when it has.
static Result<void> tell_to_start(const Container& container)
{
    UniqueFd socket = TRY(connect_to_start(container.state, Patience::unlimited));
    TRY(send_packet(socket.get(), "start"));
    bool starting = false;
    for (;;) {
        Result<Packet> packet = receive_packet(socket.get());
        if (!packet.has_value() && packet.error().error_number != ECONNRESET)
            return std::move(packet).error();
        if (!packet.has_value() || packet.value().end_of_file) {
            if (starting)
                return {};
            return Error{"container '" + container.state.id() + "' was started by somebody else, or its first process died"};
        }
        const std::string& text = packet.value().text;
        if (text == "starting") {
            starting = true;
        } else if (text.starts_with("error\t")) {
            std::string_view line = std::string_view(text).substr(6);
            if (line.ends_with('\n'))
                line.remove_suffix(1);
            // The container counts as stopped when we have said that it failed: engines remove it at once.
            wait_for_end(container.init);
            stage::StageError error = TRY(stage::parse_error_line(line));
            return Error{"start failed: unable to start container process: " + error.stage + ": " + error.error.message()};
        }
    }
}

static Result<int> start(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global));
    const std::string& id = arguments.positionals()[0];
    StateRoot root = TRY(context.root_of(id));
    Container container = TRY(Container::find(root, id));
    Status status = TRY(container.status());
    if (status != Status::created)
        return not_created(container, status);
    Plan plan = TRY(container.plan());
    TRY(tell_to_start(container));
    stage::step("remove the start socket");
    TRY(container.state.remove("start"));

    if (has_hooks(plan, "poststart")) {
        StateFacts facts{id, "running", container.init.pid, container.bundle, {}, {}};
        Result<void> hooks = run_hooks(plan, "poststart", state_json(facts, &plan, ""));
        if (!hooks.has_value()) {
            TRY(container.state.lock(10));
            TRY(destroy(context, root, container.state, &plan, container.bundle));
            return Error{"start failed: " + hooks.error().message()};
        }
    }
    return exit_done;
}

constexpr Command start_command{"start", "ID", "run the program of a created container", {}, OptionOrder::anywhere, 1, 1, start};
