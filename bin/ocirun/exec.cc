// ocirun exec: one more process in a running container.
#include "commands.h"

#include "console.h"
#include "container.h"
#include "context.h"
#include "launch.h"
#include "namespaces.h"
#include "stages.h"
#include "unit.h"

#include <cstdio>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static constexpr Option exec_options[] = {
    {"process", 'p', "FILE", "take the whole process from this JSON file"},
    {"tty", 't', "", "give it a terminal"},
    {"user", 'u', "UID[:GID]", "user and group, as numbers"},
    {"additional-gids", 'g', "GID", "one more group; may be repeated"},
    {"env", 'e', "NAME=VALUE", "one more variable; may be repeated"},
    {"cwd", 0, "DIR", "working directory in the container"},
    {"cap", 'c', "CAPABILITY", "one more capability; may be repeated"},
    {"no-new-privs", 0, "", "set no_new_privs"},
    {"apparmor", 0, "PROFILE", "AppArmor profile"},
    {"process-label", 0, "LABEL", "SELinux label"},
    {"detach", 'd', "", "return once the program runs"},
    {"pid-file", 0, "FILE", "write the process id there"},
    {"console-socket", 0, "SOCKET", "unix socket that receives the terminal"},
    {"pidfd-socket", 0, "SOCKET", "unix socket that receives a pidfd of the process"},
    {"preserve-fds", 0, "N", "pass N descriptors from 3 on to the program"},
    {"ignore-paused", 0, "", "also in a paused container"},
    {"cgroup", 0, "[CONTROLLER,...:]PATH", "start it in this cgroup below the container's; may be repeated"},
    {"no-subreaper", 0, "", "", true},
};

namespace {

/// A user as `exec --user` takes it. There is no half of one: what does not parse whole is an error,
/// so that `-u 1` can never end as root (CVE-2026-30892).
struct User {
    std::string uid;
    std::optional<std::string> gid;
};

Result<std::string> parse_id(std::string_view text, const std::string& option, std::string_view whole)
{
    Result<unsigned long long> id = parse_unsigned(text);
    // 4294967295 is (uid_t)-1: "leave unchanged" to the kernel.
    if (!id.has_value() || id.value() >= 4294967295)
        return Error{"--" + option + " '" + std::string(whole) + "': '" + std::string(text) + "' is not an id from 0 to 4294967294"};
    return std::to_string(id.value());
}

Result<User> parse_user(std::string_view text)
{
    size_t colon = text.find(':');
    User user{TRY(parse_id(text.substr(0, colon), "user", text)), std::nullopt};
    if (colon != std::string_view::npos)
        user.gid = TRY(parse_id(text.substr(colon + 1), "user", text));
    return user;
}

/// The process part of a plan, with what the command line changes in it.
class ProcessPlan {
public:
    explicit ProcessPlan(const Plan& plan, bool keep_arguments)
    {
        static constexpr std::string_view kept[] = {
            "init.user",     "init.additional-gid",     "init.env",           "init.cwd",
            "init.rlimit",   "init.no-new-privileges",  "init.oom-score-adj", "init.apparmor-profile",
            "init.scheduler", "init.io-priority",       "init.capability",    "init.selinux-label"};
        for (const Directive& directive : plan.directives()) {
            bool keep = keep_arguments && (directive.is("init.arg") || directive.is("init.terminal"));
            for (std::string_view name : kept)
                keep = keep || directive.is(name);
            if (directive.is("ocirun.exec-cpu-affinity")) {
                // Before and in the container's cgroup.
                if (!directive[0].empty())
                    lines_.push_back({"ns.cpu-affinity", std::string(directive.pointer) + "/initial", {std::string(directive[0])}});
                if (!directive[1].empty())
                    lines_.push_back({"init.cpu-affinity", std::string(directive.pointer) + "/final", {std::string(directive[1])}});
            }
            if (keep)
                add(directive);
        }
    }

    void add(const Directive& directive)
    {
        lines_.push_back({name_in_exec(directive), std::string(directive.pointer), {directive.fields.begin(), directive.fields.end()}});
    }
    void add(std::string_view name, std::vector<std::string> fields) { lines_.push_back({name, "-", std::move(fields)}); }
    void set(std::string_view name, std::vector<std::string> fields)
    {
        remove(name);
        add(name, std::move(fields));
    }
    void remove(std::string_view name)
    {
        std::erase_if(lines_, [&](const Line& line) { return line.name == name; });
    }
    bool has(std::string_view name) const
    {
        for (const Line& line : lines_)
            if (line.name == name)
                return true;
        return false;
    }
    void set_user(const User& user)
    {
        std::vector<std::string> fields{"0", "0", ""};
        for (const Line& line : lines_)
            if (line.name == "init.user")
                fields = line.fields;
        fields[0] = user.uid;
        if (user.gid)
            fields[1] = *user.gid;
        set("init.user", fields);
    }
    /// Adds to bounding, permitted and effective; to ambient only what is inheritable already; never
    /// to inheritable (CVE-2022-29162).
    void add_capability(const std::string& capability)
    {
        bool inheritable = false;
        for (const Line& line : lines_)
            if (line.name == "init.capability" && line.fields[0] == "inheritable")
                for (const std::string& field : line.fields)
                    inheritable = inheritable || field == capability;
        for (const char* set : {"bounding", "permitted", "effective", "ambient"}) {
            if (set == std::string_view("ambient") && !inheritable)
                continue;
            bool found = false;
            for (Line& line : lines_) {
                if (line.name != "init.capability" || line.fields[0] != set)
                    continue;
                found = true;
                line.fields.push_back(capability);
            }
            if (!found)
                add("init.capability", {set, capability});
        }
    }
    std::string text() const
    {
        PlanWriter writer;
        for (const Line& line : lines_)
            writer.add(line.name, line.pointer, line.fields);
        return std::move(writer).finish();
    }

private:
    /// In a user namespace oci-init cannot write its own score (oci-ns(8), --protect): oci-ns does it for every exec.
    static std::string_view name_in_exec(const Directive& directive)
    {
        return directive.is("init.oom-score-adj") ? "ns.oom-score-adj" : directive.type->name();
    }

    struct Line {
        std::string_view name;
        std::string pointer;
        std::vector<std::string> fields;
    };
    std::vector<Line> lines_;
};

/// `exec --process FILE`: the process object as a plan.
Result<Plan> read_process(Stages& stages, const std::string& path, const Signals& signals)
{
    UniqueFd file = TRY(open_input(path));
    SpawnOptions options;
    options.stdin_fd = file.get();
    return Plan::parse(TRY(stages.run("oci-spec", {"plan", "--process"}, options, max_plan_size, &signals).with_context("'" + path + "'")), "ocirun");
}

Result<std::string> process_plan(Stages& stages, const Plan& container_plan, const Arguments& arguments, const Signals& signals)
{
    const bool from_file = arguments.has("process");
    std::optional<Plan> process;
    if (from_file)
        process = TRY(read_process(stages, arguments.value("process"), signals));
    ProcessPlan plan(from_file ? *process : container_plan, from_file);
    if (!from_file) {
        if (arguments.positionals().size() < 2)
            return Error{"no program given: 'exec ID PROGRAM [ARG]...', or --process FILE"};
        for (size_t i = 1; i < arguments.positionals().size(); i++)
            plan.add("init.arg", {arguments.positionals()[i]});
    }
    // A file that names none does not lead out of the container's own confinement.
    for (std::string_view name : {"init.apparmor-profile", "init.selinux-label"})
        if (const Field own = container_plan.value(name); from_file && process->value(name).empty() && !own.empty())
            plan.set(name, {std::string(own)});
    if (arguments.has("tty") && !plan.has("init.terminal"))
        plan.set("init.terminal", {"0", "0"});
    if (arguments.has("user"))
        plan.set_user(TRY(parse_user(arguments.value("user"))));
    for (const std::string& gid : arguments.values("additional-gids"))
        plan.add("init.additional-gid", {TRY(parse_id(gid, "additional-gids", gid))});
    for (const std::string& variable : arguments.values("env")) {
        if (variable.find('=') == std::string::npos || variable[0] == '=')
            return Error{"--env '" + variable + "': expected NAME=VALUE"};
        plan.add("init.env", {variable});
    }
    if (arguments.has("cwd"))
        plan.set("init.cwd", {arguments.value("cwd")});
    for (const std::string& capability : arguments.values("cap"))
        plan.add_capability(capability);
    if (arguments.has("no-new-privs") && !plan.has("init.no-new-privileges"))
        plan.add("init.no-new-privileges", {});
    if (arguments.has("apparmor"))
        plan.set("init.apparmor-profile", {arguments.value("apparmor")});
    if (arguments.has("process-label"))
        plan.set("init.selinux-label", {arguments.value("process-label")});
    // The container's filter holds for every process in it, and so do what it says of memory, personality and the caller's groups.
    for (const Directive& directive : container_plan.directives())
        if (directive.type->name().starts_with("seccomp.") || directive.is("init.memory-policy") || directive.is("init.personality") ||
            directive.is("ns.keep-groups") || directive.is("init.keep-groups"))
            plan.add(directive);
    return plan.text();
}

Result<void> check_status(const Container& container, bool ignore_paused)
{
    Status status = TRY(container.status());
    if (status == Status::stopped || status == Status::creating)
        return Error{"cannot exec in a stopped container: '" + container.state.id() + "' is " + status_word(status)};
    if (status == Status::paused && !ignore_paused)
        return Error{"cannot exec in a paused container: resume '" + container.state.id() + "' first, or give --ignore-paused"};
    return {};
}

/// `exec --cgroup [CONTROLLER,...:]PATH`: PATH is below the container's cgroup, whatever it begins with; it must be there.
Result<void> move_below(std::vector<CgroupLocation>& locations, const std::string& text)
{
    const size_t colon = text.find(':');
    const std::string controllers = colon == std::string::npos ? "" : text.substr(0, colon);
    std::string below;
    for (std::string_view rest = std::string_view(text).substr(colon == std::string::npos ? 0 : colon + 1); !rest.empty();) {
        size_t slash = rest.find('/');
        std::string_view part = rest.substr(0, slash);
        if (part == "..")
            return Error{"bad sub cgroup path: --cgroup '" + text + "' contains '..'"};
        if (!part.empty() && part != ".")
            below.append("/").append(part);
        rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    }
    std::vector<CgroupLocation*> moved;
    for (std::string_view rest = controllers;;) {
        size_t comma = rest.find(',');
        bool found = false;
        for (CgroupLocation& location : locations) {
            if (!controllers.empty() && !location.has_controller(rest.substr(0, comma)))
                continue;
            found = true;
            moved.push_back(&location);
        }
        if (!found)
            return Error{"--cgroup '" + text + "': the container has no cgroup of the controller '" + std::string(rest.substr(0, comma)) + "'"};
        if (comma == std::string_view::npos)
            break;
        rest.remove_prefix(comma + 1);
    }
    for (CgroupLocation* location : moved) {
        const std::string directory = location->directory() + below;
        if (!TRY(CgroupDir::open(directory)))
            return Error{"bad sub cgroup path: --cgroup '" + text + "': cgroup '" + directory + "' does not exist"};
    }
    for (CgroupLocation* location : moved)
        location->path += below;
    return {};
}

struct Started {
    ChildProcess child;
    UniqueFd master;
};

/// Starts oci-ns, which becomes oci-init inside; returns when the program has been executed.
Result<Started> start_process(const Context& context, const StateRoot& root, Stages& stages, const Container& container,
                              const Arguments& arguments, const Signals& signals)
{
    const int kept_fds = TRY(prepare_descriptors(static_cast<int>(TRY(arguments.number("preserve-fds", 0)))));
    Plan container_plan = TRY(container.plan());
    std::string text = TRY(process_plan(stages, container_plan, arguments, signals));
    const std::string console_socket = arguments.value("console-socket");
    const bool detach = arguments.has("detach");
    Plan plan = TRY(Plan::parse(text, "ocirun"));
    const bool wants_terminal = plan.find("init.terminal") != nullptr;
    if (wants_terminal && detach && console_socket.empty())
        return Error{"cannot allocate tty if ocirun will detach without setting console socket: give --console-socket SOCKET, or no terminal"};
    if (!console_socket.empty() && !wants_terminal)
        return Error{"cannot use console socket without a terminal: give --tty, or /terminal true in the process file"};
    std::vector<CgroupLocation> cgroups = container.cgroups;
    for (const std::string& path : arguments.values("cgroup"))
        TRY(move_below(cgroups, path));
    // Beside the first process, and not above it, where the controllers could not be handed on any more. The container may have removed it.
    if (const Directive* delegate = container_plan.find("cgroup.delegate"); delegate != nullptr && !arguments.has("cgroup")) {
        std::vector<CgroupLocation> below = cgroups;
        if (move_below(below, std::string((*delegate)[0])).has_value())
            cgroups = std::move(below);
    }
    text = with_lines(text, listen_line() + cgroup_lines("ns.cgroup", cgroups) + resctrl_lines(container.resctrl));

    // Of a user's unit only systemd can let in a process that was started elsewhere, say in a login session: oci-ns waits for its plan meanwhile.
    std::optional<Unit> unit = find_unit(container.state.entries());
    const bool is_late = unit && unit->manager == "user";
    Pipe late_plan = is_late ? TRY(Pipe::create()) : Pipe();
    UniqueFd plan_file = is_late ? std::move(late_plan.read_end) : TRY(memory_file("ocirun-plan", text));
    UniqueFd filter = TRY(memory_file("ocirun-filter"));
    TRY(provide_filter(context, root, stages, text, filter.get(), signals));

    std::vector<std::string> enter{"enter", "--target=" + std::to_string(container.init.pid),
                                   "--start-time=" + std::to_string(container.init.start_time)};
    if (!arguments.has("cgroup"))
        enter.push_back("--follow-target");
    Namespaces namespaces = TRY(start_namespaces(stages, {.outside = std::move(enter),
                                                          .inside = {"exec"},
                                                          .plan_fd = plan_file.get(),
                                                          .filter_fd = filter.get(),
                                                          .preserved_fds = kept_fds,
                                                          .joins_others = true}));
    const int control = namespaces.control.get();
    plan_file.reset();
    if (is_late) {
        TRY(attach_to_unit(context, *unit, namespaces.process.pid(), path_below_unit(*unit, container.cgroups)));
        TRY(pass_plan(std::move(late_plan.write_end), text, signals));
    }

    Started started;
    bool complete = false;
    for (;;) {
        TRY(signals.wait_readable(control));
        Packet packet = TRY(receive_packet(control));
        if (packet.end_of_file)
            break;
        std::vector<std::string> fields = TRY(split_fields(packet.text));
        if (fields[0] == "pid" && fields.size() == 2) {
            started.child = ChildProcess(static_cast<pid_t>(TRY(parse_number(fields[1]))));
            ExitStatus ended = TRY(signals.wait_for(namespaces.process));
            if (ended.shell_status() != 0)
                return stages.failure("oci-ns", ended);
            if (plan.find("seccomp.listener") != nullptr) {
                StateFacts facts{container.state.id(), "running", container.init.pid, container.bundle, {}, {}};
                TRY(send_state(control, plan, state_json(facts, &container_plan, ""), started.child.pid()));
            }
            TRY(send_pidfd(arguments.value("pidfd-socket"), started.child.pid()));
        } else if (fields[0] == "terminal" && packet.fds.size() == 1) {
            started.master = TRY(receive_terminal(std::move(packet.fds[0]), console_socket, plan));
        } else if (fields[0] == "created") {
            complete = true;
        } else {
            return Error{"unexpected message '" + packet.text + "' from a stage"};
        }
    }
    if (!started.child)
        return stages.outer_failure(TRY(signals.wait_for(namespaces.process)));
    if (std::optional<Error> error = stages.reported())
        return std::move(*error);
    // Killed before it was anybody's program: its status must not pass for the program's.
    if (!complete)
        return stages.inner_failure(TRY(started.child.wait()));
    if (arguments.has("pid-file"))
        TRY(write_pid_file(arguments.value("pid-file"), started.child.pid()));
    return started;
}

Result<int> exec(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global).with_exit_code(255));
    auto work = [&]() -> Result<int> {
        const std::string& id = arguments.positionals()[0];
        StateRoot root = TRY(context.root_of(id));
        Container container = TRY(Container::find(root, id));
        TRY(check_status(container, arguments.has("ignore-paused")));
        Stages stages = TRY(Stages::create(context));
        Signals signals = TRY(Signals::block());
        if (!arguments.has("detach") && !arguments.has("no-subreaper"))
            ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        Started started = TRY(start_process(context, root, stages, container, arguments, signals).with_context("exec failed: unable to start container process"));
        pid_t pid = started.child.release();
        if (arguments.has("detach"))
            return exit_done;
        ExitStatus status = TRY(attend(pid, signals, started.master.get()));
        return status.shell_status();
    };
    // 255 tells our own failures from the program's statuses, as runc's users know it.
    return work().with_exit_code(255);
}

}  // namespace

constexpr Command exec_command{"exec", "ID PROGRAM [ARG]...", "run one more program in a container", exec_options, OptionOrder::before_positionals,
                               1, 100000, exec};
