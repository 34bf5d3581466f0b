// ocirun create, ocirun run.
#include "commands.h"

#include "context.h"
#include "launch.h"
#include "stage/stage.h"
#include "undo.h"

#include <sys/prctl.h>

static constexpr Option bundle_option{"bundle", 'b', "DIR", "the bundle (default: the working directory)"};
static constexpr Option config_option{"config", 'f', "FILE", "the configuration (default: config.json in the bundle)"};
static constexpr Option console_option{"console-socket", 0, "SOCKET", "unix socket that receives the terminal"};
static constexpr Option pid_file_option{"pid-file", 0, "FILE", "write the process id of the container's first process there"};
static constexpr Option pidfd_option{"pidfd-socket", 0, "SOCKET", "unix socket that receives a pidfd of the first process"};
static constexpr Option preserve_option{"preserve-fds", 0, "N", "pass N descriptors from 3 on to the program"};
static constexpr Option no_pivot_option{"no-pivot", 0, "", "chroot instead of pivot_root (for a root on a ramdisk)"};
static constexpr Option no_keyring_option{"no-new-keyring", 0, "", "keep the caller's session keyring"};

static constexpr Option create_options[] = {bundle_option, config_option,   console_option,  pid_file_option,
                                            pidfd_option,  preserve_option, no_pivot_option, no_keyring_option};
static constexpr Option run_options[] = {
    bundle_option,   config_option,   console_option,    pid_file_option,
    pidfd_option,    preserve_option, no_pivot_option,   no_keyring_option,
    {"detach", 'd', "", "return once the program runs"},
    {"keep", 0, "", "keep the state when the program has ended, for 'delete'"},
    {"no-subreaper", 0, "", "do not adopt orphans of the container"},
};

static Result<LaunchRequest> request_from(const Arguments& arguments)
{
    LaunchRequest request;
    request.id = arguments.positionals()[0];
    request.bundle = arguments.value("bundle");
    request.config = arguments.value("config");
    request.console_socket = arguments.value("console-socket");
    request.pid_file = arguments.value("pid-file");
    request.pidfd_socket = arguments.value("pidfd-socket");
    request.preserve_fds = static_cast<int>(TRY(arguments.number("preserve-fds", 0)));
    request.no_pivot = arguments.has("no-pivot");
    request.no_new_keyring = arguments.has("no-new-keyring");
    return request;
}

/// `run failed: ` before the whole sentence, its JSON pointer included. Whatever the stages ended with, ours is 1.
static Error failed(const char* command, const Error& error)
{
    return Error{std::string(command) + " failed: " + error.message()};
}

static Result<int> create(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global));
    LaunchRequest request = TRY(request_from(arguments));
    request.start_later = true;
    Signals signals = TRY(Signals::block());
    StateRoot root = TRY(context.create_root());
    Result<Launched> made = launch(context, root, request, signals);
    if (!made.has_value())
        return failed("create", made.error());
    Launched launched = std::move(made).value();
    // From now on the container lives without us.
    stage::step("let go of the container");
    Result<void> committed = send_packet(launched.control.get(), "commit");
    if (!committed.has_value()) {
        launched.init_child = ChildProcess();
        TRY(destroy(context, root, launched.state, &launched.plan, launched.bundle));
        return failed("create", std::move(committed).with_context("the container's process has died").error());
    }
    launched.init_child.release();
    return exit_done;
}

static Result<int> run(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global));
    LaunchRequest request = TRY(request_from(arguments));
    const bool detach = arguments.has("detach");
    request.foreground = !detach;
    StateRoot root = TRY(context.create_root());
    Signals signals = TRY(Signals::block());
    if (!detach && !arguments.has("no-subreaper"))
        ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

    Result<Launched> made = launch(context, root, request, signals);
    if (!made.has_value())
        return failed("run", made.error());
    Launched launched = std::move(made).value();
    stage::step("start the program");
    Result<void> started = start_program(launched, signals);
    if (!started.has_value()) {
        launched.init_child = ChildProcess();
        TRY(destroy(context, root, launched.state, &launched.plan, launched.bundle));
        return failed("run", started.error());
    }
    launched.state.unlock();
    pid_t pid = launched.init_child.release();
    if (detach)
        return exit_done;

    ExitStatus status = TRY(attend(pid, signals, launched.master.get()));
    if (arguments.has("keep"))
        return status.shell_status();
    Result<void> destroyed = launched.state.lock(10);
    if (destroyed.has_value())
        destroyed = destroy(context, root, launched.state, &launched.plan, launched.bundle);
    if (!destroyed.has_value())
        context.log.warning("cannot remove container '" + request.id + "': " + destroyed.error().message());
    return status.shell_status();
}

constexpr Command create_command{"create", "ID", "create a container; 'start' runs its program", create_options, OptionOrder::anywhere, 1, 1, create};
constexpr Command run_command{"run", "ID", "create a container and run its program", run_options, OptionOrder::anywhere, 1, 1, run};
