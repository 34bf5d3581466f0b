// oci-init(8): the container's first process, from the moment its namespaces exist until it is the program.
#include "container.h"
#include "control.h"
#include "descriptors.h"
#include "devices.h"
#include "hidden_paths.h"
#include "hook/hook.h"
#include "mounts.h"
#include "options.h"
#include "privileges.h"
#include "process/process.h"
#include "program.h"
#include "rootfs.h"
#include "settings.h"
#include "stage/stage.h"
#include "system_call_filter.h"
#include "terminal.h"
#include "version.h"

#include <climits>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/// ocirun sends the state that hooks get only when there are some.
static Result<void> run_hooks_inside(const Plan& plan, std::string_view kind, Control& control, std::span<const std::string> otherwise = {})
{
    if (!has_hooks(plan, kind))
        return {};
    return run_hooks(plan, kind, TRY(control.state()), {}, otherwise);
}

/// What happens between `start` and the program, for run and exec alike. Returns only with an error.
static Error become_program(const Plan& plan, Control& control, const Options& options, const User& user, const CapabilitySets& capabilities,
                            const Program& program, SystemCallFilter& filter, Label& label)
{
    // Changed credentials would spoil the label's descriptor, so it comes first.
    TRY(label.apply());
    const bool no_new_privileges = plan.find("init.no-new-privileges") != nullptr;
    // Loading is privileged then; later it could not be done any more.
    if (!no_new_privileges)
        TRY(filter.load(control.known_state(), control.own_pid()));
    stage::step("drop privileges");
    TRY(set_limits(plan, Limits::files));
    TRY(drop_privileges(user, capabilities));
    TRY(verify_working_directory());
    // After the drop: their programs are files of the image.
    if (options.verb == Verb::run)
        TRY(run_hooks_inside(plan, "startContainer", control, program.environment));
    TRY(close_on_exec_from(3 + options.preserve_fds));
    // What the caller ignores is not the container's affair. ocirun starts us with nothing ignored.
    reset_signals(options.control_fd >= 0 ? 0 : ignored_signals());
    if (no_new_privileges) {
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
            return errno_error("cannot set no_new_privs").with_pointer("/process/noNewPrivileges");
        TRY(filter.load(control.known_state(), control.own_pid()));
    }
    stage::step("execute the program");
    return execute(program);
}

static Result<UniqueFd> open_bundle(const char* path)
{
    UniqueFd bundle(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    // The root of a user namespace may not be let through to it, but 'oci-ns new --bundle' has brought us there.
    char present[PATH_MAX];
    if (!bundle && errno == EACCES && ::getcwd(present, sizeof present) != nullptr && std::strcmp(present, path) == 0)
        bundle = UniqueFd(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!bundle)
        return errno_error("cannot open the bundle '" + std::string(path) + "'");
    return bundle;
}

static Error run(const Plan& plan, Control& control, const Options& options)
{
    if (plan.value("init.wait") == "namespaces") {
        TRY(control.say("namespaces"));
        TRY(control.wait_for("continue"));
    }
    const User user = TRY(read_user(plan));
    const CapabilitySets capabilities = TRY(read_capabilities(plan));
    SystemCallFilter filter = TRY(SystemCallFilter::prepare(plan, options.seccomp_fd));
    TRY(make_session(plan));
    if (filter.notifies()) {
        TRY(control.state());
        TRY(filter.connect(control.take_agent()));
    }

    UniqueFd bundle = TRY(open_bundle(options.bundle));
    // Modes in the plan are meant as they are.
    ::umask(0);
    const bool has_mount_namespace = plan_has_namespace(plan, "mount");
    UniqueFd null = TRY(open_null_device());
    InRoot root = TRY(prepare_root(plan, bundle.get(), has_mount_namespace));
    Container container{plan, control, std::move(root), std::move(bundle), has_mount_namespace, std::move(null)};

    TRY(take_sources(container));
    TRY(make_mounts(container));
    container.sources.clear();
    TRY(make_devices(container));
    TRY(make_links(container));
    TRY(run_hooks_inside(plan, "createContainer", control));
    UniqueFd terminal;
    if (plan.find("init.terminal") != nullptr) {
        terminal = TRY(open_terminal(container.root, plan, control));
        TRY(mount_console(container, terminal.get()));
    }
    TRY(make_working_directory(plan, container.root));
    // Settings are written through a procfs of our own, or the host's: before the root changes.
    TRY(set_namespace_settings(plan));
    TRY(set_cpus(plan, control.is_driven()));
    TRY(set_process_settings(plan));
    Label label = TRY(Label::prepare(plan));

    TRY(finish_root(container));
    TRY(make_paths_readonly(container));
    TRY(mask_paths(container));
    // From here on the host's files cannot be reached; their descriptors go.
    container.bundle.reset();
    container.null.reset();
    container.proc.reset();
    container.sys.reset();
    TRY(enter_root(container));

    TRY(set_limits(plan, Limits::all_but_files));
    TRY(set_groups(plan, user));
    Program program = TRY(read_program(plan, options.program, container.root, user));
    TRY(enter_working_directory(plan, container.root, user));
    TRY(find_program(program, container.root, user));
    if (terminal)
        TRY(take_terminal(std::move(terminal)));
    else
        TRY(use_own_null_device(container.root));

    TRY(control.wait_for_start());
    return become_program(plan, control, options, user, capabilities, program, filter, label);
}

/// Inside a running container. Everything here is hostile, so little is looked at.
static Error exec(const Plan& plan, Control& control, const Options& options)
{
    const User user = TRY(read_user(plan));
    const CapabilitySets capabilities = TRY(read_capabilities(plan));
    SystemCallFilter filter = TRY(SystemCallFilter::prepare(plan, options.seccomp_fd));
    TRY(make_session(plan));
    if (filter.notifies()) {
        TRY(control.state());
        TRY(filter.connect(control.take_agent()));
    }
    InRoot root = TRY(InRoot::open_root("/"));
    UniqueFd terminal;
    if (plan.find("init.terminal") != nullptr)
        terminal = TRY(open_terminal(root, plan, control));
    ::umask(0);
    TRY(set_cpus(plan, control.is_driven()));
    TRY(set_process_settings(plan));
    Label label = TRY(Label::prepare(plan));
    TRY(set_limits(plan, Limits::all_but_files));
    TRY(set_groups(plan, user));
    Program program = TRY(read_program(plan, {}, root, user));
    TRY(enter_working_directory(plan, root, user));
    TRY(find_program(program, root, user));
    if (terminal)
        TRY(take_terminal(std::move(terminal)));
    else
        TRY(use_own_null_device(root));
    TRY(control.say("created"));
    return become_program(plan, control, options, user, capabilities, program, filter, label);
}

static Error with_chain_loader_code(Error error)
{
    if (error.exit_code == exit_failed)
        error.exit_code = exit_stage_failed;
    return error;
}

int main(int argc, char** argv)
{
    // First of all: from the moment that this process is in the container's namespaces, its processes may look at it
    // (CVE-2016-9962).
    ::prctl(PR_SET_DUMPABLE, 0);
    stage::set_name("oci-init");
    if (Result<void> allowed = stage::refuse_set_id(); !allowed.has_value())
        return stage::report(allowed.error());
    Result<Options> options = parse_options(std::span<char* const>(argv, static_cast<size_t>(argc)));
    if (!options.has_value())
        return stage::report(with_chain_loader_code(std::move(options).error()));
    if (options.value().verb == Verb::help) {
        std::string text(usage_text);
        if (*options.value().help_on != '\0')
            text.insert(std::strlen("oci-init "), options.value().help_on + std::string(" "));
        (void)!::write(STDOUT_FILENO, text.data(), text.size());
        return exit_done;
    }
    if (options.value().verb == Verb::version) {
        constexpr std::string_view version = "oci-init version " OCIRUN_VERSION "\n";
        (void)!::write(STDOUT_FILENO, version.data(), version.size());
        return exit_done;
    }
    // Whatever the caller had open is closed for the programs that hooks run, too.
    Result<void> closed = close_on_exec_from(3 + options.value().preserve_fds);
    if (!closed.has_value())
        return stage::report(with_chain_loader_code(std::move(closed).error()));
    Result<Plan> plan = Plan::read(options.value().plan_fd, "init");
    if (!plan.has_value())
        return stage::report(with_chain_loader_code(std::move(plan).error()));

    Control control(options.value().control_fd, options.value().start_fd);
    Error error = options.value().verb == Verb::run ? run(plan.value(), control, options.value()) : exec(plan.value(), control, options.value());
    error = with_chain_loader_code(std::move(error));
    if (control.report_to_starter(error))
        return error.exit_code;
    return stage::report(error);
}
