// oci-ns(8): starts a program in new or joined namespaces.
#include "cli/cli.h"
#include "launch.h"
#include "stage/stage.h"
#include "version.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static constexpr Option new_options[] = {
    {"pid", 0, "", "a new pid namespace"},
    {"net", 0, "", "a new network namespace, its loopback interface up"},
    {"mount", 0, "", "a new mount namespace"},
    {"uts", 0, "", "a new uts namespace (host name)"},
    {"ipc", 0, "", "a new ipc namespace"},
    {"user", 0, "", "a new user namespace"},
    {"cgroup", 0, "", "a new cgroup namespace"},
    {"time", 0, "", "a new time namespace"},
    {"join", 0, "KIND=PATH", "join the namespace that PATH names"},
    {"map-root", 0, "", "map the own user and group to 0 in a new user namespace"},
    {"map-user", 0, "IN:OUT:SIZE", "map user ids in a new user namespace"},
    {"map-group", 0, "IN:OUT:SIZE", "map group ids in a new user namespace"},
    {"map-auto", 0, "", "map all subordinate ids of the caller (/etc/subuid, /etc/subgid)"},
    {"net-device", 0, "INTERFACE[=NAME]", "move this network interface into the network namespace"},
    {"propagation", 0, "WORD", "of a new mount namespace: private (default), slave, shared, unchanged"},
    {"mount-proc", 0, "", "mount a new proc on /proc"},
    {"cgroup-dir", 0, "DIR", "join this cgroup first"},
    {"plan-fd", 0, "FD", "take the 'ns.' lines of this plan, too"},
    {"bundle", 0, "DIR", "start in this directory; relative mount sources of the plan are found there"},
    {"control-fd", 0, "FD", "the process becomes a child of the process at the other end (ocirun)"},
    {"seal", 0, "", "execute PROGRAM from a sealed copy"},
    {"protect", 0, "", "execute PROGRAM from a read-only mount of its own, else from a sealed copy"},
};

static constexpr Option enter_options[] = {
    {"target", 0, "PID", "join the namespaces of this process in which we are not"},
    {"follow-target", 0, "", "where nobody may be in the cgroup itself: into the one below it in which the target is"},
    {"start-time", 0, "TICKS", "refuse another process with that number (field 22 of /proc/PID/stat)"},
    {"kind", 0, "KIND", "only this kind of the target's namespaces"},
    {"join", 0, "KIND=PATH", "join the namespace that PATH names"},
    {"cgroup-dir", 0, "DIR", "join this cgroup first"},
    {"plan-fd", 0, "FD", "take the 'ns.' lines of this plan, too"},
    {"control-fd", 0, "FD", "the process becomes a child of the process at the other end (ocirun)"},
    {"seal", 0, "", "execute PROGRAM from a sealed copy"},
    {"protect", 0, "", "execute PROGRAM from a read-only mount of its own, else from a sealed copy"},
    {"program-fd", 0, "FD", "with --protect: PROGRAM, open on such a mount already"},
};

static Result<unsigned long> propagation_of(const std::string& word)
{
    if (word == "private" || word == "rprivate")
        return MS_REC | MS_PRIVATE;
    if (word == "slave" || word == "rslave")
        return MS_REC | MS_SLAVE;
    if (word == "shared" || word == "rshared")
        return MS_REC | MS_SHARED;
    if (word == "unchanged")
        return 0UL;
    return Error{"--propagation: expected private, slave, shared or unchanged, found '" + word + "'", 0, {}, exit_usage};
}

static Result<void> add_maps(Request& request, const Arguments& arguments)
{
    for (const std::string& text : arguments.values("map-user"))
        request.uid_map.push_back(TRY(parse_id_range(text).with_context("--map-user").with_exit_code(exit_usage)));
    for (const std::string& text : arguments.values("map-group"))
        request.gid_map.push_back(TRY(parse_id_range(text).with_context("--map-group").with_exit_code(exit_usage)));
    bool maps_root = arguments.has("map-root");
    if (maps_root) {
        request.uid_map.push_back({0, ::geteuid(), 1});
        request.gid_map.push_back({0, ::getegid(), 1});
    }
    if (arguments.has("map-auto")) {
        for (IdRange& range : TRY(subordinate_ids("/etc/subuid", ::geteuid(), maps_root ? 1 : 0)))
            request.uid_map.push_back(std::move(range));
        for (IdRange& range : TRY(subordinate_ids("/etc/subgid", ::geteuid(), maps_root ? 1 : 0)))
            request.gid_map.push_back(std::move(range));
    }
    if (!request.uid_map.empty() || !request.gid_map.empty())
        request.new_flags |= CLONE_NEWUSER;
    return {};
}

static Result<void> add_joins(Request& request, const Arguments& arguments)
{
    for (const std::string& text : arguments.values("join"))
        request.joins.push_back(TRY(parse_join(text)));
    for (const std::string& directory : arguments.values("cgroup-dir"))
        request.cgroups.push_back(cgroup_at(directory));
    return {};
}

/// Puts a sealed memory file with `text` in the place of `fd`, for PROGRAM to read it again.
static Result<void> replace_by_memory_file(int fd, const std::string& text)
{
    UniqueFd file(::memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file)
        return errno_error("cannot make a memory file for the plan");
    TRY(write_all(file.get(), text).with_context("cannot copy the plan"));
    if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0 ||
        ::dup3(file.get(), fd, O_CLOEXEC) < 0)
        return errno_error("cannot hand on the plan");
    return {};
}

static Result<void> read_plan(Request& request, int fd)
{
    std::string text = TRY(read_whole(fd, max_plan_size).with_context("cannot read the plan"));
    struct stat status;
    if (::fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        TRY(replace_by_memory_file(fd, text));
    Plan plan = TRY(Plan::parse(std::move(text), "ns"));
    return add_plan(request, plan);
}

/// Hands the open sources on, and says so in the plan that PROGRAM gets.
static Result<void> hand_on_sources(const std::vector<OpenSource>& sources, int plan_fd, LaunchOptions& options)
{
    if (sources.empty())
        return {};
    std::string text = TRY(read_whole(plan_fd, max_plan_size).with_context("cannot read the plan"));
    text.resize(text.size() - plan_last_line.size());
    for (const OpenSource& source : sources) {
        text += join_fields({"init.mount-source", source.pointer, std::to_string(source.mount.get())}) + "\n";
        options.handed_on.push_back(source.mount.get());
    }
    return replace_by_memory_file(plan_fd, text + std::string(plan_last_line));
}

static Result<Target> target_of(const Arguments& arguments)
{
    Target target;
    target.pid = static_cast<pid_t>(TRY(arguments.number("target", 0)));
    if (target.pid <= 0)
        return Error{"--target: expected the number of a process, found '" + arguments.value("target") + "'", 0, {}, exit_usage};
    target.start_time = static_cast<unsigned long long>(TRY(arguments.number("start-time", 0)));
    for (const std::string& name : arguments.values("kind")) {
        const NamespaceKind* kind = find_kind(name);
        if (kind == nullptr)
            return Error{"--kind: unknown kind of namespace '" + name + "'", 0, {}, exit_usage};
        target.kinds |= kind->flag;
    }
    return target;
}

static Result<int> start(const Arguments& global, const Arguments& arguments, bool enters)
{
    Request request;
    if (enters && !arguments.has("target") && (arguments.has("start-time") || arguments.has("kind")))
        return Error{"--start-time and --kind say which --target; none is given", 0, {}, exit_usage};
    if (enters && !arguments.has("target") && !arguments.has("join") && !arguments.has("cgroup-dir") && !arguments.has("plan-fd"))
        return Error{"nothing to enter is given: --target PID, --join KIND=PATH or --cgroup-dir DIRECTORY", 0, {}, exit_usage};
    if (!enters) {
        for (const NamespaceKind& kind : namespace_kinds)
            if (arguments.has(kind.option))
                request.new_flags |= kind.flag;
        TRY(add_maps(request, arguments));
        for (const std::string& text : arguments.values("net-device"))
            request.net_devices.push_back(TRY(parse_net_device(text).with_context("--net-device").with_exit_code(exit_usage)));
    }
    TRY(add_joins(request, arguments));

    LaunchOptions options;
    options.control_fd = TRY(arguments.descriptor("control-fd"));
    options.follows_target = arguments.has("follow-target") && arguments.has("target");
    options.propagation = TRY(propagation_of(arguments.value("propagation", "private")));
    options.mounts_proc = arguments.has("mount-proc");
    int plan_fd = TRY(arguments.descriptor("plan-fd"));
    options.is_driven = plan_fd >= 0;
    if (plan_fd >= 0)
        options.handed_on.push_back(plan_fd);
    std::vector<int> reporting;
    for (const char* option : {"error-fd", "step-fd"})
        if (global.has(option))
            reporting.push_back(static_cast<int>(TRY(global.number(option, -1))));
    if (options.control_fd >= 0) {
        options.handed_on.push_back(options.control_fd);
        options.handed_on.insert(options.handed_on.end(), reporting.begin(), reporting.end());
    }

    Executable program(arguments.positionals());
    const bool is_protected = arguments.has("protect");
    const bool is_sealed = is_protected || arguments.has("seal");
    if (is_sealed)
        TRY(program.find());
    UniqueFd program_fd(TRY(arguments.descriptor("program-fd")));
    // While the plan is still being made, what does not depend on it is done. 'enter' has its plan.
    if (is_sealed && !enters)
        TRY(is_protected ? program.protect() : program.seal());
    if (plan_fd >= 0)
        TRY(read_plan(request, plan_fd));
    if (enters && request.new_flags != 0)
        return Error{"'enter' makes no namespaces, but a new " + kind_names(request.new_flags) + " is asked for"}.with_pointer(request.new_pointer);
    TRY(check(request));

    Joins joins;
    TRY(joins.add_paths(request.joins));
    if (arguments.has("target"))
        TRY(joins.add_target(TRY(target_of(arguments))));
    // Before anything is done that would have to be done again.
    if ((joins.flags() & CLONE_NEWPID) != 0) {
        std::vector<int> own = options.handed_on;
        own.insert(own.end(), reporting.begin(), reporting.end());
        if (program_fd)
            own.push_back(program_fd.get());
        TRY(Executable::protect_itself(own));
    }
    // A new mount namespace takes the working directory along, also to where its user could not come by the path.
    if (arguments.has("bundle") && ::chdir(arguments.value("bundle").c_str()) < 0)
        return errno_error("cannot enter the bundle '" + arguments.value("bundle") + "'");
    std::vector<OpenSource> sources = TRY(open_mount_sources(request, joins));
    TRY(hand_on_sources(sources, plan_fd, options));
    // Who has CAP_SYS_PTRACE in that namespace could take PROGRAM over before it has given its privileges up (CVE-2016-9962).
    if (is_sealed && options.is_driven && (joins.flags() & CLONE_NEWUSER) != 0)
        TRY(program.seal(Executable::Copy::unreadable));
    else if (is_protected && program_fd)
        TRY(program.use(std::move(program_fd)));
    else if (is_sealed && enters)
        TRY(is_protected ? program.protect() : program.seal());
    // In another mount namespace it may be another one, or there at all.
    if (!is_sealed && (joins.flags() & CLONE_NEWNS) == 0)
        TRY(program.find());
    return launch(request, joins, program, options);
}

/// A failure of the stage itself is told from those of PROGRAM.
static Result<int> with_chain_loader_codes(Result<int> status)
{
    if (!status.has_value() && status.error().exit_code == exit_failed)
        return std::move(status).error().with_exit_code(exit_stage_failed);
    return status;
}

static Result<int> run_new(const Arguments& global, const Arguments& arguments)
{
    return with_chain_loader_codes(start(global, arguments, false));
}

static Result<int> run_enter(const Arguments& global, const Arguments& arguments)
{
    return with_chain_loader_codes(start(global, arguments, true));
}

static constexpr Command commands[] = {
    {"new", "[--] PROGRAM [ARG]...", "start PROGRAM in new namespaces", new_options, OptionOrder::before_positionals, 1, SIZE_MAX, run_new},
    {"enter", "[--] PROGRAM [ARG]...", "start PROGRAM in namespaces that exist", enter_options, OptionOrder::before_positionals, 1, SIZE_MAX, run_enter},
};

int main(int argc, char** argv)
{
    return command_main({.name = "oci-ns",
                         .help = "start a program in new or joined namespaces",
                         .global_options = stage_options,
                         .commands = commands,
                         .version = OCIRUN_VERSION,
                         .prepare = prepare_stage},
                        argc, argv);
}
