// Reading a container's state; the OCI state document.
#include "container.h"

#include "json/json.h"
#include "scan/scan.h"
#include "sockets.h"

#include <fcntl.h>

const char* status_word(Status status)
{
    switch (status) {
    case Status::creating: return "creating";
    case Status::created: return "created";
    case Status::running: return "running";
    case Status::paused: return "paused";
    case Status::stopped: break;
    }
    return "stopped";
}

Result<CreatedCgroups> parse_created_cgroups(std::string_view text)
{
    CreatedCgroups created;
    while (!text.empty()) {
        size_t line_end = text.find('\n');
        if (line_end == std::string_view::npos)
            return Error{"the list of cgroups is cut short"};
        std::string_view line = text.substr(0, line_end);
        if (line.starts_with("resctrl\t"))
            created.resctrl.push_back(TRY(split_fields(line))[1]);
        else
            created.locations.push_back(TRY(parse_location_line(line)));
        text.remove_prefix(line_end + 1);
    }
    return created;
}

/// What the journal says about the container.
static Result<void> read_facts(Container& container)
{
    for (const JournalEntry& entry : container.state.entries()) {
        const std::vector<std::string>& fields = entry.fields;
        if (entry.what == "boot" && fields.size() == 1) {
            container.stale = fields[0] != TRY(read_boot_id());
        } else if (entry.what == "bundle" && fields.size() == 1) {
            container.bundle = fields[0];
        } else if (entry.what == "created" && fields.size() == 1) {
            container.created = fields[0];
        } else if (entry.what == "location" && fields.size() == 4) {
            const Field location[] = {fields[0], fields[1], fields[2], fields[3]};
            container.cgroups.push_back(TRY(parse_location(location)));
        } else if (entry.what == "resctrl-group" && fields.size() == 1) {
            container.resctrl.push_back(fields[0]);
        } else if (entry.what == "process" && fields.size() == 2) {
            container.init.pid = static_cast<pid_t>(TRY(parse_number(fields[0])));
            container.init.start_time = TRY(parse_unsigned(fields[1]));
        } else if (entry.what == "damaged") {
            return Error{"a line cannot be read"};
        }
    }
    if (container.stale)
        container.init = {};
    return {};
}

static bool is_made(const ContainerState& state)
{
    for (const JournalEntry& entry : state.entries())
        if (entry.what == "created")
            return true;
    return false;
}

Result<Container> Container::find(const StateRoot& root, const std::string& id)
{
    std::optional<ContainerState> state = TRY(ContainerState::find(root, id));
    // Whoever makes or deletes it holds the lock. If nobody does any more, it may have been made since the journal was read.
    const bool is_being_made = state && !is_made(*state) && state->is_locked();
    if (state && !is_made(*state) && !is_being_made)
        state = TRY(ContainerState::find(root, id));
    if (!state)
        return no_such_container(id);
    Container container{std::move(*state), {}, {}, {}, false, is_being_made, {}, {}};
    Result<void> read = read_facts(container);
    if (!read.has_value())
        return std::move(read).error().with_context("the state of container '" + id + "' in '" + root.path() + "/" + id +
                                                    "' is damaged ('delete --force' undoes what it still says)");
    return container;
}

Result<Status> Container::status() const
{
    if (stale)
        return Status::stopped;
    if (init.pid == 0 || created.empty())
        return is_being_made ? Status::creating : Status::stopped;
    if (!is_alive(init))
        return Status::stopped;
    if (waits_for_start(state))
        return Status::created;
    if (!cgroups.empty() && TRY(is_frozen(cgroups)))
        return Status::paused;
    return Status::running;
}

Result<Plan> Container::plan() const
{
    std::optional<std::string> text = TRY(state.read("plan"));
    if (!text)
        return Error{"the state of container '" + state.id() + "' has no plan: its bundle is gone or it was never made"};
    return Plan::parse(std::move(*text), "ocirun");
}

std::string rootfs_path(const Plan& plan, const std::string& bundle)
{
    Field path = plan.value("init.root");
    if (path.empty())
        return "";
    if (path.starts_with('/'))
        return std::string(path);
    return bundle + "/" + std::string(path);
}

std::string state_json(const StateFacts& facts, const Plan* plan, const std::string& separator)
{
    const std::string colon = separator.empty() ? ":" : ": ";
    const std::string comma = "," + separator;
    std::string text = "{" + separator;
    std::string_view version = plan != nullptr ? plan->value("ocirun.version", "1.0.0") : "1.0.0";
    text += "\"ociVersion\"" + colon + json::quote(version);
    text += comma + "\"id\"" + colon + json::quote(facts.id);
    text += comma + "\"pid\"" + colon + std::to_string(facts.pid);
    text += comma + "\"status\"" + colon + json::quote(facts.status);
    text += comma + "\"bundle\"" + colon + json::quote(facts.bundle);
    if (plan != nullptr)
        text += comma + "\"rootfs\"" + colon + json::quote(rootfs_path(*plan, facts.bundle));
    if (!facts.created.empty())
        text += comma + "\"created\"" + colon + json::quote(facts.created);
    std::string annotations;
    if (plan != nullptr) {
        for (const Directive& directive : plan->directives()) {
            if (!directive.is("ocirun.annotation"))
                continue;
            annotations += (annotations.empty() ? "" : ",") + separator + (separator.empty() ? "" : "  ") + json::quote(directive[0]) + colon +
                           json::quote(directive[1]);
        }
    }
    if (!annotations.empty())
        text += comma + "\"annotations\"" + colon + "{" + annotations + separator + "}";
    if (!facts.owner.empty())
        text += comma + "\"owner\"" + colon + json::quote(facts.owner);
    text += separator.empty() ? "}" : separator.substr(0, separator.size() - 2) + "}";
    return text;
}

/// The limits by the names that runc's state.json has for them.
static std::string limits_json(const Plan& plan)
{
    struct Name {
        std::string_view directive;
        const char* key;
        bool is_text;
    };
    static constexpr Name names[] = {
        {"cgroup.memory.limit", "memory", false},
        {"cgroup.memory.reservation", "memory_reservation", false},
        {"cgroup.memory.swap", "memory_swap", false},
        {"cgroup.memory.swappiness", "memory_swappiness", false},
        {"cgroup.memory.disable-oom-killer", "oom_kill_disable", false},
        {"cgroup.cpu.shares", "cpu_shares", false},
        {"cgroup.cpu.quota", "cpu_quota", false},
        {"cgroup.cpu.burst", "cpu_burst", false},
        {"cgroup.cpu.period", "cpu_period", false},
        {"cgroup.cpu.realtime-runtime", "cpu_rt_quota", false},
        {"cgroup.cpu.realtime-period", "cpu_rt_period", false},
        {"cgroup.cpu.idle", "cpu_idle", false},
        {"cgroup.cpuset.cpus", "cpuset_cpus", true},
        {"cgroup.cpuset.mems", "cpuset_mems", true},
        {"cgroup.pids.limit", "pids_limit", false},
        {"cgroup.blkio.weight", "blkio_weight", false},
        {"cgroup.blkio.leaf-weight", "blkio_leaf_weight", false},
        {"cgroup.network.class-id", "net_cls_classid_u", false},
    };
    std::string limits;
    std::string unified;
    for (const Directive& directive : plan.directives()) {
        if (!directive.type->name().starts_with("cgroup.") || directive.is("cgroup.device"))
            continue;
        if (directive.is("cgroup.unified"))
            unified += (unified.empty() ? "" : ",") + json::quote(directive[0]) + ":" + json::quote(directive[1]);
        for (const Name& name : names)
            if (directive.is(name.directive))
                limits += std::string(",\"") + name.key + "\":" + (name.is_text ? json::quote(directive[0]) : std::string(directive[0]));
    }
    return limits + (unified.empty() ? "" : ",\"unified\":{" + unified + "}");
}

std::string runc_state_json(const StateFile& facts, const Plan& plan)
{
    const std::string pid = std::to_string(facts.init.pid);
    std::string text = "{\"id\":" + json::quote(facts.id) + ",\"init_process_pid\":" + pid +
                       ",\"init_process_start\":" + std::to_string(facts.init.start_time) + ",\"created\":" + json::quote(facts.created) +
                       ",\"config\":{\"rootfs\":" + json::quote(rootfs_path(plan, facts.bundle)) + ",\"hostname\":" +
                       json::quote(plan.value("init.hostname")) + ",\"labels\":[" + json::quote("bundle=" + facts.bundle) + "],\"cgroups\":{\"path\":" +
                       json::quote(plan.value("cgroup.path")) + limits_json(plan) + "}}";
    std::string paths;
    for (const CgroupLocation& cgroup : facts.cgroups)
        paths += (paths.empty() ? "" : ",") + json::quote(cgroup.controllers) + ":" + json::quote(cgroup.directory());
    text += ",\"cgroup_paths\":{" + paths + "},\"namespace_paths\":{";
    static constexpr const char* kinds[][2] = {{"NEWCGROUP", "cgroup"}, {"NEWIPC", "ipc"}, {"NEWNET", "net"},  {"NEWNS", "mnt"},
                                               {"NEWPID", "pid"},       {"NEWTIME", "time"}, {"NEWUSER", "user"}, {"NEWUTS", "uts"}};
    const char* comma = "";
    for (auto& [key, file] : kinds) {
        text += std::string(comma) + "\"" + key + "\":\"/proc/" + pid + "/ns/" + file + "\"";
        comma = ",";
    }
    return text + "}}\n";
}

std::string user_name(uid_t uid)
{
    // No getpwuid: in a static program it would load name service modules of the host.
    Result<std::string> text = read_file("/etc/passwd", 16 << 20);
    const std::string wanted = std::to_string(uid);
    if (text.has_value()) {
        std::string_view rest = text.value();
        while (!rest.empty()) {
            std::string_view line = take_line(rest);
            std::string_view name = take(line, ':');
            take(line, ':');  // the password
            if (take(line, ':') == wanted)
                return std::string(name);
        }
    }
    return "#" + wanted;
}
