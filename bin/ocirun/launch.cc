// create and run: which stage starts when, and what they tell each other (spec/protocol.md).
#include "launch.h"

#include "hook/hook.h"
#include "host_mounts.h"
#include "json/json.h"
#include "namespaces.h"
#include "seccomp/filter.h"
#include "sockets.h"
#include "undo.h"
#include "unit.h"
#include "version.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// ---------------------------------------------------------------- descriptors

int listen_fds()
{
    const char* pid = ::getenv("LISTEN_PID");
    const char* count = ::getenv("LISTEN_FDS");
    if (pid == nullptr || count == nullptr || std::to_string(::getpid()) != pid)
        return 0;
    Result<long long> number = parse_number(count);
    return number.has_value() && number.value() > 0 && number.value() < 1024 ? static_cast<int>(number.value()) : 0;
}

/// How many descriptors from 3 on were open when the program started, without a hole.
static int inherited_descriptors = 0;

void secure_descriptors()
{
    // 0, 1 and 2 exist, so that nothing else takes their place.
    for (int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC); fd >= 0; fd = ::open("/dev/null", O_RDWR | O_CLOEXEC)) {
        if (fd > 2) {
            ::close(fd);
            break;
        }
        ::fcntl(fd, F_SETFD, 0);
    }
    while (::fcntl(3 + inherited_descriptors, F_GETFD) >= 0)
        inherited_descriptors++;
    if (::syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    // Linux < 5.11: as many as there can be.
    const long limit = ::sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < limit; fd++)
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

Result<int> prepare_descriptors(int preserve)
{
    if (preserve < 0 || preserve > 4096)
        return Error{"--preserve-fds " + std::to_string(preserve) + ": expected 0 to 4096"};
    int kept = preserve + listen_fds();
    // Into a hole among them one of ours may have gone: it would reach the container.
    if (kept > inherited_descriptors)
        return Error{"--preserve-fds " + std::to_string(preserve) + ": descriptor " + std::to_string(3 + inherited_descriptors) + " is not open", EBADF};
    return kept;
}

Result<UniqueFd> open_input(const std::string& path)
{
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    struct stat status;
    if (!file || ::fstat(file.get(), &status) < 0)
        return errno_error("cannot open '" + path + "'");
    if (S_ISDIR(status.st_mode))
        return Error{"cannot read '" + path + "'", EISDIR};
    // The reader waits for the bytes of a fifo, and we for the reader, where a signal is heard.
    if (::fcntl(file.get(), F_SETFL, O_RDONLY) < 0)
        return errno_error("cannot open '" + path + "'");
    return file;
}

// ---------------------------------------------------------------- plan text

std::string with_lines(const std::string& plan_text, const std::string& lines)
{
    return plan_text.substr(0, plan_text.size() - plan_last_line.size()) + lines + std::string(plan_last_line);
}

std::string cgroup_lines(std::string_view directive, const std::vector<CgroupLocation>& locations)
{
    std::string lines;
    for (const CgroupLocation& location : locations)
        lines += std::string(directive) + "\t-\t" + location_line(location);
    return lines;
}

std::string resctrl_lines(const std::vector<std::string>& groups)
{
    std::string lines;
    for (const std::string& group : groups)
        lines += join_fields({"ns.resctrl", "-", group}) + "\n";
    return lines;
}

// ---------------------------------------------------------------- seccomp

static std::string seccomp_lines(const std::string& plan_text)
{
    std::string lines;
    for (size_t at = 0; at < plan_text.size();) {
        size_t line_end = plan_text.find('\n', at);
        std::string_view line(plan_text.data() + at, line_end + 1 - at);
        if (line.starts_with("seccomp."))
            lines += line;
        at = line_end + 1;
    }
    return lines;
}

static uint64_t fnv1a(std::string_view text)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

static Result<std::string> compile_filter(Stages& stages, const std::string& plan_text, const Signals& signals)
{
    UniqueFd plan = TRY(memory_file("ocirun-plan", plan_text));
    SpawnOptions options;
    options.stdin_fd = plan.get();
    return stages.run("oci-seccomp", {"compile"}, options, 16 << 20, &signals);
}

static constexpr size_t most_filters = 100;

/// Removes the oldest files of the cache, so that `most_filters` are left. Whoever reads one of them has it open.
static void prune_filters(int cache)
{
    UniqueFd copy(::openat(cache, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR* stream = copy ? ::fdopendir(copy.get()) : nullptr;
    if (stream == nullptr)
        return;
    (void)copy.release();
    ScopeExit close_stream([&] { ::closedir(stream); });
    std::vector<std::pair<time_t, std::string>> files;
    struct stat status;
    while (const dirent* entry = ::readdir(stream))
        if (entry->d_name[0] != '.' && ::fstatat(cache, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
            files.emplace_back(status.st_mtime, entry->d_name);
    std::sort(files.begin(), files.end());
    for (size_t i = 0; i + most_filters < files.size(); i++)
        ::unlinkat(cache, files[i].second.c_str(), 0);
}

/// The cache in the state root: `HASH.filter` has the lines, an empty one, and the filter. The lines are compared, and the file
/// appears as a whole: two plans with one hash, which can be made on purpose, never get each other's filter. It is trusted
/// because only the caller can write there.
Result<void> provide_filter(const Context& context, const StateRoot& root, Stages& stages, const std::string& plan_text, int into,
                            const Signals& signals)
{
    std::string lines = seccomp_lines(plan_text);
    if (lines.empty())
        return {};
    static constexpr const char* cache_folder = ".seccomp";
    if (::mkdirat(root.fd(), cache_folder, 0700) < 0 && errno != EEXIST)
        return errno_error("cannot make the cache of filters in '" + root.path() + "'");
    UniqueFd cache(::openat(root.fd(), cache_folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!cache)
        return errno_error("cannot open the cache of filters in '" + root.path() + "'");
    // Another version may compile the same lines differently.
    const std::string key = std::string(OCIRUN_VERSION "\n") + lines + "\n";
    char name[32];
    std::snprintf(name, sizeof name, "%016llx.filter", static_cast<unsigned long long>(fnv1a(key)));

    UniqueFd known(::openat(cache.get(), name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    const std::string content = known ? TRY(read_whole(known.get(), 32 << 20)) : std::string();
    if (content.starts_with(key)) {
        std::string_view filter = std::string_view(content).substr(key.size());
        // A crash of the machine may have cut it short.
        if (check_filter(filter).has_value())
            return write_all(into, filter);
    }
    context.log.debug("compiling the system-call filter");
    std::string filter = TRY(compile_filter(stages, plan_text, signals));
    // A cache that cannot be written costs time, nothing else.
    const std::string temporary = std::string(name) + "." + std::to_string(::getpid());
    UniqueFd out(::openat(cache.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!out || !write_all(out.get(), key + filter).has_value() || ::renameat(cache.get(), temporary.c_str(), cache.get(), name) < 0)
        ::unlinkat(cache.get(), temporary.c_str(), 0);
    prune_filters(cache.get());
    return write_all(into, filter);
}

// ---------------------------------------------------------------- the state, for oci-init

/// Where the filter's agent is connected to, a socket of the host is in reach. Whether anybody needs it oci-init knows, and
/// says why there is none.
static Result<void> send_listener(int control, const Directive& listener, pid_t pid)
{
    Result<UniqueFd> agent = connect_to_socket(std::string(listener[0]));
    const int fd = agent.has_value() ? agent.value().get() : -1;
    return send_packet(control, join_fields({"listener", std::to_string(pid)}), fd >= 0 ? std::span<const int>(&fd, 1) : std::span<const int>());
}

/// The OCI state for the hooks that oci-init runs. Annotations can make it longer than a packet may be.
static Result<void> send_state_alone(int control, const std::string& state)
{
    constexpr size_t max_packet = 32 << 10;
    if (state.size() <= max_packet)
        return send_packet(control, join_fields({"state", state}));
    UniqueFd file = TRY(memory_file("state", state));
    const int fd = file.get();
    return send_packet(control, "state", std::span<const int>(&fd, 1));
}

Result<void> send_state(int control, const Plan& plan, const std::string& state, pid_t pid)
{
    const Directive* listener = plan.find("seccomp.listener");
    Result<void> sent;
    if (listener != nullptr)
        sent = send_listener(control, *listener, pid);
    if (sent.has_value())
        sent = send_state_alone(control, state);
    // It has died; what it said about it is read elsewhere.
    if (!sent.has_value() && sent.error().error_number == EPIPE)
        return {};
    return sent;
}

// ---------------------------------------------------------------- files

Result<void> write_pid_file(const std::string& path, pid_t pid)
{
    struct stat status;
    if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
        return Error{"the pid file '" + path + "' exists and is not a regular file"};
    size_t slash = path.rfind('/');
    std::string temporary = (slash == std::string::npos ? "" : path.substr(0, slash + 1)) + "." +
                            (slash == std::string::npos ? path : path.substr(slash + 1)) + "." + std::to_string(::getpid());
    UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file)
        return errno_error("cannot write the pid file '" + path + "'");
    ScopeExit remove_again([&] { ::unlink(temporary.c_str()); });
    TRY(write_all(file.get(), std::to_string(pid)).with_context("cannot write the pid file '" + path + "'"));
    if (::rename(temporary.c_str(), path.c_str()) < 0)
        return errno_error("cannot write the pid file '" + path + "'");
    remove_again.dismiss();
    return {};
}

/// Whether a directory of `bundle` would be seen from inside the container: the bundle in the root
/// file system, or in something that is bound into it.
static bool is_seen_from_inside(const Plan& plan, const std::string& bundle)
{
    auto holds_bundle = [&](const std::string& path) {
        char real[PATH_MAX];
        if (::realpath(path.c_str(), real) == nullptr)
            return false;
        std::string folder(real);
        return folder == "/" || bundle == folder || bundle.starts_with(folder + "/");
    };
    std::string root = rootfs_path(plan, bundle);
    if (!root.empty() && holds_bundle(root))
        return true;
    for (const Directive& mount : plan.directives()) {
        if (!mount.is("init.mount"))
            continue;
        bool is_bind = mount[1] == "bind";
        for (size_t i = 3; i < mount.fields.size(); i++)
            is_bind = is_bind || mount[i] == "bind" || mount[i] == "rbind";
        std::string source(mount[2]);
        if (is_bind && !source.empty() && holds_bundle(source[0] == '/' ? source : bundle + "/" + source))
            return true;
    }
    return false;
}

// ---------------------------------------------------------------- the launch

namespace {

/// A signal that asks us to end ends the wait for a hook.
Interruption interruption_by(const Signals& signals)
{
    return {signals.fd(), [&signals] { return signals.check(); }};
}

/// A stage that was started before its plan was there.
struct EarlyStage {
    ChildProcess process;
    UniqueFd plan;  ///< the writing end of the pipe on which it waits
};

/// Whether a process of these cgroups needed more memory than their limit allows (cgroup-v2.rst, memory.events; v1 counts also
/// what could be freed then). `oom_kill` says less: the kernel counts it where the memory is accounted, and a first process
/// that has not executed oci-init yet may share oci-ns's.
bool has_reached_memory_limit(const std::vector<CgroupLocation>& locations)
{
    for (const CgroupLocation& location : locations) {
        if (location.version == 1 && !location.has_controller("memory"))
            continue;
        Result<std::optional<CgroupDir>> cgroup = CgroupDir::open(location.directory());
        if (!cgroup.has_value() || !cgroup.value())
            continue;
        Result<std::string> counts = cgroup.value()->read(location.version == 1 ? "memory.failcnt" : "memory.events");
        if (!counts.has_value())
            continue;
        const std::string& text = counts.value();
        if (location.version == 1 ? text != "0" : text.find("\noom ") != std::string::npos && text.find("\noom 0\n") == std::string::npos)
            return true;
    }
    return false;
}

class Launcher {
public:
    Launcher(const Context& context, const StateRoot& root, const LaunchRequest& request, const Signals& signals, Stages stages)
        : context_(context), root_(root), request_(request), signals_(signals), stages_(std::move(stages))
    {
    }

    Result<Launched> run()
    {
        TRY(find_bundle());
        kept_fds_ = TRY(prepare_descriptors(request_.preserve_fds));
        TRY(start_reading());
        TRY(start_namespaces());
        stage::step("make the entry in the state root");
        state_ = TRY(ContainerState::create(root_, request_.id, {{"boot", {TRY(read_boot_id())}}, {"bundle", {bundle_}}}));
        Result<Launched> launched = make();
        if (!launched.has_value())
            give_up();
        return launched;
    }

private:
    Result<void> find_bundle()
    {
        char real[PATH_MAX];
        std::string given = request_.bundle.empty() ? "." : request_.bundle;
        if (::realpath(given.c_str(), real) == nullptr)
            return errno_error("cannot open the bundle '" + given + "'");
        bundle_ = real;
        config_path_ = request_.config.empty() ? bundle_ + "/config.json" : request_.config;
        Result<UniqueFd> config = open_input(config_path_);
        if (!config.has_value() && config.error().error_number == ENOENT)
            return Error{"cannot open '" + config_path_ + "'; a bundle is a directory with config.json ('ocirun spec' writes one)", ENOENT};
        config_ = TRY(std::move(config));
        return {};
    }

    Result<void> start_reading()
    {
        Pipe pipe = TRY(Pipe::create());
        SpawnOptions options;
        options.stdin_fd = config_.get();
        options.stdout_fd = pipe.write_end.get();
        reader_ = TRY(stages_.start("oci-spec", {"plan"}, options));
        plan_pipe_ = std::move(pipe.read_end);
        config_.reset();
        return {};
    }

    /// Both are told by descriptors that exist before the plan does.
    Result<void> start_namespaces()
    {
        Pipe plan = TRY(Pipe::create());
        filter_ = TRY(memory_file("ocirun-filter"));
        if (request_.start_later) {
            // Bound later, when there is a state directory.
            start_socket_ = UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
            if (!start_socket_)
                return errno_error("cannot make a socket");
        }
        Namespaces started = TRY(::start_namespaces(stages_, {.outside = {"new", "--bundle=" + bundle_},
                                                              .inside = {"run", "--bundle=" + bundle_},
                                                              .plan_fd = plan.read_end.get(),
                                                              .filter_fd = filter_.get(),
                                                              .start_fd = start_socket_.get(),
                                                              .preserved_fds = kept_fds_}));
        namespaces_.process = std::move(started.process);
        namespaces_.plan = std::move(plan.write_end);
        control_ = std::move(started.control);
        return {};
    }

    Result<Launched> make()
    {
        if (context_.cgroup_manager != "disabled")
            TRY(start_cgroup());
        TRY(read_plan());
        TRY(check_terminal());
        stage::step("let oci-cgroup begin");
        if (cgroup_)
            TRY(pass_plan(std::move(cgroup_->plan), is_one_process() ? with_lines(plan_text_, pids_line("2")) : plan_text_, signals_));
        TRY(make_state_directory());
        TRY(provide_filter(context_, root_, stages_, plan_text_, filter_.get(), signals_));
        TRY(finish_cgroup());
        TRY(record_mounts());
        stage::step("let oci-ns begin");
        TRY(pass_plan(std::move(namespaces_.plan), final_plan(), signals_));
        TRY(converse());
        // Warnings go to the log.
        if (std::optional<Error> error = stages_.reported())
            return std::move(*error);
        return finish();
    }

    Result<void> start_cgroup()
    {
        Pipe plan = TRY(Pipe::create());
        Pipe output = TRY(Pipe::create());
        SpawnOptions options;
        options.stdin_fd = stages_.null_fd();
        options.stdout_fd = output.write_end.get();
        options.inherit = {plan.read_end.get(), state_->journal_fd()};
        std::vector<std::string> words{"create", "--plan-fd=" + std::to_string(plan.read_end.get()),
                                       "--journal-fd=" + std::to_string(state_->journal_fd()), "--name=" + request_.id};
        if (::geteuid() != 0 || is_in_user_namespace())
            words.push_back("--tolerate-denied");
        if (!context_.resctrl.empty())
            words.push_back("--resctrl=" + context_.resctrl);
        if (context_.cgroup_manager != "cgroupfs") {
            // A scope needs a process from the start. oci-ns is there, has nothing to do until it gets the plan, and the first
            // process is born where it is (docs/decisions/0007-systemd.md).
            words.push_back("--manager=" + context_.cgroup_manager);
            words.push_back("--pid=" + std::to_string(namespaces_.process.pid()));
            options.environment = manager_environment();
            if (context_.test_program == "oci-cgroup-systemd")
                words.push_back("--unit-test-step=" + context_.test_step);
        }
        cgroup_ = EarlyStage{TRY(stages_.start("oci-cgroup", words, options)), std::move(plan.write_end)};
        cgroup_output_ = std::move(output.read_end);
        return {};
    }

    Result<void> read_plan()
    {
        plan_text_ = TRY(signals_.read_all(plan_pipe_.get(), max_plan_size));
        ExitStatus status = TRY(signals_.wait_for(reader_));
        if (status.shell_status() != 0)
            return stages_.failure("oci-spec", status).with_context("'" + config_path_ + "'");
        plan_ = TRY(Plan::parse(plan_text_, "ocirun"));
        return {};
    }

    Result<void> check_terminal()
    {
        bool wants_terminal = plan_->find("init.terminal") != nullptr;
        if (wants_terminal && !request_.foreground && request_.console_socket.empty())
            return Error{"cannot allocate tty if ocirun will detach without setting console socket: set it to false in config.json, or give "
                         "--console-socket SOCKET with a program that receives the terminal there",
                         0, "/process/terminal"};
        if (!request_.console_socket.empty() && (!wants_terminal || request_.foreground))
            return Error{"cannot use console socket if ocirun will not detach or allocate tty: --console-socket goes with 'create' or "
                         "'run --detach', and with true in config.json",
                         0, "/process/terminal"};
        return {};
    }

    Result<void> make_state_directory()
    {
        stage::step("make the state directory");
        TRY(state_->create_directory(bundle_, !is_seen_from_inside(*plan_, bundle_)));
        TRY(state_->write("plan", plan_text_));
        if (!request_.start_later)
            return {};
        return listen_for_start(*state_, start_socket_.get());
    }

    Result<void> finish_cgroup()
    {
        if (!cgroup_) {
            if (const Directive* rdt = plan_->find("cgroup.rdt"))
                return Error{"without cgroups (--cgroup-manager disabled) there is nobody to join a group of resctrl", 0, std::string(rdt->pointer)};
            return {};
        }
        std::string lines = TRY(signals_.read_all(cgroup_output_.get(), 1 << 20));
        ExitStatus status = TRY(signals_.wait_for(cgroup_->process));
        if (status.shell_status() != 0)
            return stages_.failure("oci-cgroup", status);
        CreatedCgroups made = TRY(parse_created_cgroups(lines));
        cgroups_ = std::move(made.locations);
        resctrl_ = std::move(made.resctrl);
        stage::step("record the cgroups");
        std::vector<JournalEntry> entries;
        if (context_.log.is_debugging())
            for (const CgroupLocation& location : cgroups_)
                context_.log.debug("the container's cgroup is " + location.directory());
        for (const CgroupLocation& location : cgroups_)
            entries.push_back({"location", {std::to_string(location.version), location.controllers, location.mountpoint, location.path}});
        for (const std::string& group : resctrl_)
            entries.push_back({"resctrl-group", {group}});
        return state_->record(entries);
    }

    /// Without a mount namespace the container's mounts are the host's, and stay until they are unmounted.
    Result<void> record_mounts()
    {
        for (const Directive& line : plan_->directives())
            if ((line.is("ns.new") || line.is("ns.join")) && line[0] == "mount")
                return {};
        char real[PATH_MAX];
        if (::realpath(rootfs_path(*plan_, bundle_).c_str(), real) == nullptr || std::string_view(real) == "/")
            return {};
        std::vector<std::string> fields{real};
        for (std::string& id : TRY(mounts_below(real)))
            fields.push_back(std::move(id));
        return state_->record({{"mounts", std::move(fields)}});
    }

    std::string final_plan()
    {
        std::string lines = cgroup_lines("ns.cgroup", cgroups_) + resctrl_lines(resctrl_) + cgroup_lines("init.cgroup", cgroups_);
        if (has_hooks(*plan_, "prestart") || has_hooks(*plan_, "createRuntime"))
            lines += "init.wait\t-\tnamespaces\n";
        if (request_.no_pivot)
            lines += "init.no-pivot\t-\n";
        if (request_.no_new_keyring)
            lines += "init.no-new-keyring\t-\n";
        lines += listen_line();
        return lines.empty() ? plan_text_ : with_lines(plan_text_, lines);
    }

    std::string hook_state(const char* status)
    {
        StateFacts facts{request_.id, status, init_.pid, bundle_, {}, {}};
        return state_json(facts, &*plan_, "");
    }

    /// Answers oci-ns and oci-init until the container is made.
    Result<void> converse()
    {
        for (;;) {
            TRY(signals_.wait_readable(control_.get()));
            Packet packet = TRY(receive_packet(control_.get()));
            if (packet.end_of_file)
                return dead_stage();
            std::vector<std::string> fields = TRY(split_fields(packet.text));
            if (fields[0] == "pid" && fields.size() == 2) {
                TRY(record_process(static_cast<pid_t>(TRY(parse_number(fields[1])))));
            } else if (fields[0] == "namespaces") {
                hooks_ran_ = true;
                TRY(run_hooks(*plan_, "prestart", hook_state("creating"), interruption_by(signals_)));
                TRY(run_hooks(*plan_, "createRuntime", hook_state("creating"), interruption_by(signals_)));
                TRY(send_packet(control_.get(), "continue"));
            } else if (fields[0] == "terminal" && packet.fds.size() == 1) {
                master_ = TRY(receive_terminal(std::move(packet.fds[0]), request_.console_socket, *plan_));
            } else if (fields[0] == "created") {
                return enter_delegated_cgroup();
            } else {
                return Error{"unexpected message '" + packet.text + "' from a stage"};
            }
        }
    }

    /// The container's own cgroup namespace has been made above it by now.
    Result<void> enter_delegated_cgroup()
    {
        const Directive* delegate = plan_->find("cgroup.delegate");
        for (const CgroupLocation& location : cgroups_) {
            if (delegate == nullptr || location.version != 2)
                continue;
            // Without `..`: oci-cgroup has made it. A cgroup file system has no links.
            const std::string directory = location.directory() + "/" + std::string((*delegate)[0]);
            std::optional<CgroupDir> cgroup = TRY(CgroupDir::open(directory));
            if (!cgroup)
                return Error{"the delegated cgroup is gone"}.with_pointer(delegate->pointer);
            stage::step("enter the delegated cgroup");
            TRY(cgroup->write("cgroup.procs", std::to_string(init_.pid)).with_pointer(delegate->pointer));
        }
        return {};
    }

    Result<void> record_process(pid_t pid)
    {
        init_child_ = ChildProcess(pid);
        std::optional<ProcessStatus> status = read_process_status(pid);
        if (!status)
            return dead_stage();
        init_ = ProcessId{pid, status->start_time};
        if (context_.log.is_debugging())
            context_.log.debug("the container's first process is " + std::to_string(pid));
        stage::step("record the first process");
        TRY(state_->record({{"process", {std::to_string(pid), std::to_string(status->start_time)}}}));
        // From now on createContainer hooks may run.
        hooks_ran_ = hooks_ran_ || has_hooks(*plan_, "createContainer");
        if (has_hooks(*plan_, "createContainer") || has_hooks(*plan_, "startContainer") || plan_->find("seccomp.listener") != nullptr)
            TRY(send_state(control_.get(), *plan_, hook_state("creating"), pid));
        // It has nothing more to do; its status tells whether the id maps were written.
        ExitStatus ended = TRY(signals_.wait_for(namespaces_.process));
        if (ended.shell_status() != 0)
            return dead_namespaces(ended);
        return is_one_process() ? limit_to_one_process() : Result<void>();
    }

    static std::string pids_line(const std::string& limit) { return "cgroup.pids.limit\t/linux/resources/pids/limit\t" + limit + "\n"; }

    /// With systemd oci-ns is in the container's cgroup as well until it has started the first process.
    bool is_one_process() const
    {
        const Field limit = plan_->value("cgroup.pids.limit");
        return context_.cgroup_manager != "cgroupfs" && cgroup_ && (limit == "0" || limit == "1");
    }

    Result<void> limit_to_one_process()
    {
        const std::string lines = pids_line("1") + unit_line(find_unit(TRY(state_->journal()))) + cgroup_lines("cgroup.location", cgroups_);
        return change_limits(stages_, std::string(plan_first_line) + lines + std::string(plan_last_line));
    }

    /// All holders of the control socket are gone: which one should have lived, and what did it say?
    Error dead_stage()
    {
        if (!init_child_)
            return dead_namespaces(TRY(signals_.wait_for(namespaces_.process)));
        const ExitStatus status = TRY(signals_.wait_for(init_child_));
        Error error = with_memory_limit(status, stages_.inner_failure(status));
        if (error.exit_code == exit_cannot_execute || error.exit_code == exit_not_found)
            return std::move(error).with_context("unable to start container process");
        return error;
    }

    Result<Launched> finish()
    {
        const std::string created = timestamp();
        stage::step("write the state");
        TRY(state_->write("state.json", runc_state_json({request_.id, init_, bundle_, created, cgroups_}, *plan_)));
        TRY(send_pidfd(request_.pidfd_socket, init_.pid));
        TRY(send_pidfd(std::string(plan_->value("ocirun.pidfd-receiver")), init_.pid));
        stage::step("write the pid file");
        if (!request_.pid_file.empty())
            TRY(write_pid_file(request_.pid_file, init_.pid));
        if (has_hooks(*plan_, "startContainer") || plan_->find("seccomp.listener") != nullptr)
            TRY(send_state_alone(control_.get(), hook_state("created")));
        stage::step("mark the container as made");
        // Last: with this line the container counts as made.
        TRY(state_->record({{"created", {created}}}));
        return Launched{std::move(*state_), std::move(*plan_), bundle_, init_, std::move(init_child_), std::move(stages_),
                        std::move(control_), std::move(master_)};
    }

    /// oci-ns has failed, or the first process has before anybody knew it.
    Error dead_namespaces(ExitStatus status) { return with_memory_limit(status, stages_.outer_failure(status)); }

    /// A SIGKILL does not tell that it was for want of memory; the cgroup does, as long as it is there.
    Error with_memory_limit(ExitStatus status, Error error)
    {
        if (!status.signaled || status.number != SIGKILL || !has_reached_memory_limit(cgroups_))
            return error;
        const Directive* limit = plan_->find("cgroup.memory.limit");
        error.attempted += "; the kernel killed it because the container's memory limit is too small";
        if (limit != nullptr)
            error.attempted += " (" + std::string(limit->pointer) + ")";
        return error;
    }

    void give_up()
    {
        // The destructors kill and reap.
        namespaces_.process = ChildProcess();
        init_child_ = ChildProcess();
        cgroup_.reset();
        Result<void> undone = destroy(context_, root_, *state_, hooks_ran_ ? &*plan_ : nullptr, bundle_);
        if (!undone.has_value())
            context_.log.warning("cannot remove what is left of container '" + request_.id + "': " + undone.error().message());
    }

    const Context& context_;
    const StateRoot& root_;
    const LaunchRequest& request_;
    const Signals& signals_;
    std::string config_path_;
    Stages stages_;
    std::string bundle_;
    UniqueFd config_;
    int kept_fds_ = 0;
    ChildProcess reader_;
    UniqueFd plan_pipe_;
    EarlyStage namespaces_;
    std::optional<EarlyStage> cgroup_;
    UniqueFd cgroup_output_;
    UniqueFd filter_;
    UniqueFd start_socket_;
    UniqueFd control_;
    UniqueFd master_;
    std::optional<ContainerState> state_;
    std::string plan_text_;
    std::optional<Plan> plan_;
    std::vector<CgroupLocation> cgroups_;
    std::vector<std::string> resctrl_;
    ProcessId init_;
    ChildProcess init_child_;
    bool hooks_ran_ = false;
};

}  // namespace

Result<Launched> launch(const Context& context, const StateRoot& root, const LaunchRequest& request, const Signals& signals)
{
    TRY(check_container_id(request.id));
    Launcher launcher(context, root, request, signals, TRY(Stages::create(context)));
    return launcher.run();
}

Result<void> start_program(Launched& launched, const Signals& signals)
{
    TRY(send_packet(launched.control.get(), "start"));
    TRY(signals.wait_readable(launched.control.get()));
    Packet packet = TRY(receive_packet(launched.control.get()));
    if (!packet.end_of_file)
        return Error{"unexpected message '" + packet.text + "' from oci-init"};
    if (std::optional<Error> error = launched.stages.reported())
        return std::move(*error).with_context("unable to start container process");
    if (!has_hooks(launched.plan, "poststart"))
        return {};
    StateFacts facts{launched.state.id(), "running", launched.init.pid, launched.bundle, {}, {}};
    return run_hooks(launched.plan, "poststart", state_json(facts, &launched.plan, ""), interruption_by(signals));
}

Result<void> destroy(const Context& context, const StateRoot& root, ContainerState& state, const Plan* plan, const std::string& bundle)
{
    // Another command has removed it meanwhile, and run the hooks; cgroups of its name may be another container's by now.
    if (!state.is_current())
        return {};
    TRY(undo_container(context, root, state));
    if (plan == nullptr || !has_hooks(*plan, "poststop"))
        return {};
    StateFacts facts{state.id(), "stopped", 0, bundle, {}, {}};
    Result<void> hooks = run_hooks(*plan, "poststop", state_json(facts, plan, ""));
    if (!hooks.has_value())
        context.log.warning(hooks.error().message());
    return {};
}
