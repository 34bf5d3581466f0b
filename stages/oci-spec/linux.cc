// Handlers for `linux`, without its resources and its seccomp.
#include "handlers.h"
#include "planner.h"
#include "words.h"
#include "interface_name/interface_name.h"
#include "schemata/schemata.h"

#include <algorithm>
#include <cstdio>

void plan_namespace(Planner& planner, Value value, Property property)
{
    Value type = value["type"];
    Value path = value["path"];
    if (!planner.check_word(type, namespace_words))
        return;
    if (planner.find_earlier(property, type.text(), value))
        return planner.add_problem(type, "each kind of namespace once");
    if (path.text().empty())
        planner.emit("ns.new", value, {type.text()});
    else if (planner.check_absolute_path(path))
        planner.emit("ns.join", value, {type.text(), path.text()});
    if (type.text() != "user" || !path.text().empty())
        return;
    // A process without a mapping has no ids in a new user namespace (man 7 user_namespaces).
    if (planner.has_no_users() && planner.has_no_groups())
        planner.add_sentence(value, "found a new user namespace, expected linux.uidMappings and linux.gidMappings");
    else if (planner.has_no_users())
        planner.warn(value, "there are no linux.uidMappings: the process keeps the caller's user, which has no id in the new user namespace");
    else if (planner.has_no_groups())
        planner.warn(value, "there are no linux.gidMappings: the process keeps the caller's group, which has no id in the new user namespace");
}

void plan_id_mappings(Planner& planner, Value value, Property property)
{
    if (value.size() == 0)
        return;
    if (!planner.has_namespace("user"))
        return planner.add_sentence(value, "found id mappings, expected none, as linux.namespaces has no 'user'");
    if (!check_id_mappings(planner, value))
        return;
    for (Value mapping = value.first(); mapping; mapping = mapping.next())
        planner.emit(property.note(), mapping, {mapping["containerID"].text(), mapping["hostID"].text(), mapping["size"].text()});
}

void plan_time_offset(Planner& planner, Value value, Property property)
{
    Value entry = planner.find_namespace("time");
    if (!entry || !entry["path"].text().empty())
        return planner.add_sentence(value, "found an offset, expected none, as linux.namespaces has no new 'time'");
    // time_namespaces(7)
    if (planner.check_range(value["nanosecs"], 0, 999'999'999))
        planner.emit(property.note(), value,
                     {property.name(), value["secs"] ? value["secs"].text() : "0", value["nanosecs"] ? value["nanosecs"].text() : "0"});
}

static bool has_component(std::string_view path, std::string_view component)
{
    while (!path.empty()) {
        size_t slash = path.find('/');
        if (path.substr(0, slash) == component)
            return true;
        if (slash == std::string_view::npos)
            break;
        path.remove_prefix(slash + 1);
    }
    return false;
}

/// The fields of `init.device`.
static std::vector<std::string> device_fields(Value device)
{
    auto number = [&](const char* name) { return std::string(device[name] ? device[name].text() : "0"); };
    const bool is_fifo = device["type"].text() == "p";
    // Go's os.FileMode and stat's st_mode carry the type in their upper bits; writers leave it there.
    const unsigned long long mode = device["fileMode"] ? *device["fileMode"].to_unsigned() & 07777 : 0666;
    char octal[16];
    snprintf(octal, sizeof octal, "%04llo", mode);
    return {std::string(device["type"].text()), std::string(device["path"].text()), is_fifo ? "0" : number("major"), is_fifo ? "0" : number("minor"),
            octal, number("uid"), number("gid")};
}

void plan_device(Planner& planner, Value value, Property property)
{
    Value type = value["type"];
    Value path = value["path"];
    if (!planner.check_word(type, "c b u p") || !planner.check_absolute_path(path))
        return;
    if (has_component(path.text(), "..") || path.text().ends_with('/'))
        return planner.add_problem(path, "a path without '..' that ends in a name");
    bool is_fifo = type.text() == "p";
    for (const char* name : {"major", "minor"})
        if (!is_fifo && !value[name])
            return planner.add_missing(value, name, "the number of the device");
    // The kernel's dev_t has 12 bits for the major and 20 for the minor number (include/linux/kdev_t.h).
    if (!is_fifo && (!planner.check_range(value["major"], 0, 0xfff) || !planner.check_range(value["minor"], 0, 0xfffff)))
        return;

    // The host's /dev/ptmx, which engines hand on with all its devices, would open no terminal of the container: the link does.
    if ((planner.is_dev_bound() && path.text().starts_with("/dev/")) || path.text() == "/dev/ptmx")
        return;
    const std::vector<std::string> fields = device_fields(value);
    // Engines hand on the same device twice when it was asked for by its name and by that of its directory. Of two different ones one
    // would be missing.
    if (Value earlier = planner.find_earlier(property, path.text(), value)) {
        if (device_fields(earlier) != fields)
            planner.add_problem(path, "each path once, or the same device again");
        return;
    }
    planner.emit("init.device", value, fields);
}

/// A sysctl's name with slashes, as below /proc/sys. Whichever of `.` and `/` comes first separates; the other is then
/// part of a name (sysctl(8), "net.ipv4.conf.eth0/1.forwarding").
static std::string sysctl_path(std::string_view key)
{
    std::string path(key);
    size_t first = path.find_first_of("./");
    if (first != std::string::npos && path[first] == '.')
        for (char& c : path)
            c = c == '.' ? '/' : c == '/' ? '.' : c;
    return path;
}

/// The kind of namespace that a sysctl belongs to; empty: none, it is the host's.
static std::string_view namespace_of_sysctl(std::string_view path)
{
    // ipc_namespaces(7), uts_namespaces(7), and /proc/sys/user of namespaces(7).
    if (path.starts_with("net/"))
        return "network";
    if (path.starts_with("fs/mqueue/"))
        return "ipc";
    if (path.starts_with("user/"))
        return "user";
    if (!path.starts_with("kernel/"))
        return {};
    path.remove_prefix(7);
    if (contains_word("msgmax msgmnb msgmni msg_next_id sem sem_next_id shmall shmmax shmmni shm_next_id shm_rmid_forced auto_msgmni", path))
        return "ipc";
    if (path == "domainname" || path == "hostname")
        return "uts";
    return {};
}

/// The host's parameters must be out of reach by any spelling (CVE-2022-0811).
static bool is_safe_sysctl_path(std::string_view path)
{
    for (char c : path)
        if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '=' || c == '+' || c == '\\')
            return false;
    return !has_component(path, "..") && !has_component(path, ".") && path.find("//") == std::string_view::npos && !path.ends_with('/');
}

void plan_sysctl(Planner& planner, Value value, Property property)
{
    std::string path = sysctl_path(value.key());
    if (!is_safe_sysctl_path(path))
        return planner.add_sentence(value, "found the key " + quoted(value.key()) + ", expected the name of a sysctl");
    for (char c : value.text())
        if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '=' || c == '+' || c == 0x7f)
            return planner.add_problem(value, "a value without control characters, '+' and '='");
    std::string_view kind = namespace_of_sysctl(path);
    if (kind.empty())
        return planner.add_sentence(value, "found a sysctl of the whole host, expected one that a namespace has of its own");
    if (!planner.has_namespace(kind))
        return planner.add_sentence(value, "found a sysctl of the host, as linux.namespaces has no '" + std::string(kind) + "'");
    const char* twin = path == "kernel/hostname" ? "hostname" : path == "kernel/domainname" ? "domainname" : nullptr;
    if (twin != nullptr && !planner.top()[twin].text().empty())
        return planner.add_sentence(value, std::string("found a second wish for the name, expected only /") + twin);
    planner.emit(property.note(), value, {value.key(), value.text()});
}

void plan_propagation(Planner& planner, Value value, Property property)
{
    // The r-forms are not in the schema; everyone writes them.
    if (planner.check_word(value, "private rprivate slave rslave shared rshared unbindable runbindable"))
        planner.emit(property.note(), value, {value.text()});
}

void plan_mount_label(Planner& planner, Value value, Property property)
{
    Value type = planner.top()["annotations"]["run.oci.mount_context_type"];
    if (value.text().empty())
        return;
    if (type.text().empty())
        planner.emit(property.note(), value, {value.text()});
    // mount(8), "FILESYSTEM-INDEPENDENT MOUNT OPTIONS"
    else if (planner.check_word(type, "context fscontext defcontext rootcontext"))
        planner.emit(property.note(), value, {value.text(), type.text()});
}

void refuse_personality_flags(Planner& planner, Value value, Property)
{
    if (value.size() > 0)
        planner.add_sentence(value, "found flags of a personality, expected none: the runtime-spec has none");
}

void plan_personality(Planner& planner, Value value, Property property)
{
    if (planner.check_word(value["domain"], "LINUX LINUX32"))
        planner.emit(property.note(), value, {value["domain"].text(), ""});
}

// ---------------------------------------------------------------- intelRdt

void plan_rdt(Planner& planner, Value value, Property property) { planner.emit(property.note(), value, {}); }

/// A directory of resctrl, or its root.
void plan_closid(Planner& planner, Value value, Property property)
{
    std::string_view name = value.text();
    if (name.empty())
        return;
    if (name != "/" && (name == "." || name == ".." || name.find('/') != std::string_view::npos || name.find('\n') != std::string_view::npos))
        return planner.add_problem(value, "the name of one directory, or '/'");
    planner.emit(property.note(), value, {name});
}

static void plan_schema_lines(Planner& planner, Value value, Property property, const std::optional<std::vector<std::string_view>>& lines)
{
    if (!lines)
        return planner.add_problem(value, expected_schemata);
    for (std::string_view line : *lines)
        planner.emit(property.note(), value, {line});
}

void plan_l3_schema(Planner& planner, Value value, Property property)
{
    const bool has_bandwidth_schema = !planner.top()["linux"]["intelRdt"]["memBwSchema"].text().empty();
    plan_schema_lines(planner, value, property, cache_lines(value.text(), has_bandwidth_schema));
}

void plan_bandwidth_schema(Planner& planner, Value value, Property property)
{
    if (!is_bandwidth_line(value.text()))
        return planner.add_problem(value, expected_bandwidth);
    planner.emit(property.note(), value, {value.text()});
}

void plan_schema(Planner& planner, Value value, Property property)
{
    if (value.text().find('\n') != std::string_view::npos)
        return planner.add_problem(value, "one line");
    plan_schema_lines(planner, value, property, schemata_lines(value.text()));
}

void plan_net_device(Planner& planner, Value value, Property property)
{
    if (!planner.has_namespace("network"))
        return planner.add_sentence(value, "found a network device to move, expected none, as linux.namespaces has no 'network'");
    if (!is_interface_name(value.key()))
        return planner.add_sentence(value, "found the key " + quoted(value.key()) + ", expected the name of a network interface");
    std::string_view name = value["name"].text().empty() ? value.key() : value["name"].text();
    if (!is_interface_name_or_template(name))
        return planner.add_problem(value["name"], "the name of a network interface, which may end in '%d'");
    if (!name.ends_with("%d") && planner.find_earlier(property, name, value))
        return planner.add_sentence(value, "found the name " + quoted(name) + " for a second device, expected each name once");
    planner.emit(property.note(), value, {value.key(), name});
}

void plan_memory_policy(Planner& planner, Value value, Property property)
{
    Value mode = value["mode"];
    Value nodes = value["nodes"];
    if (value.size() == 0)
        return;
    if (!mode)
        return planner.add_missing(value, "mode", "a memory policy, such as MPOL_BIND");
    if (!planner.check_word(mode, memory_policy_mode_words) ||
        !planner.check_number_list(nodes))
        return;
    // set_mempolicy(2)
    const bool takes_nodes = mode.text() != "MPOL_DEFAULT" && mode.text() != "MPOL_LOCAL";
    if (!takes_nodes && !nodes.text().empty())
        return planner.add_problem(nodes, "none, as " + std::string(mode.text()) + " takes no nodes");
    // What they say is about nodes. The kernel refuses them for one of the two, and passes over them for the other.
    if (!takes_nodes && value["flags"].size() > 0)
        return planner.add_sentence(value["flags"], "found flags, expected none, as " + std::string(mode.text()) + " takes no nodes");
    if (takes_nodes && mode.text() != "MPOL_PREFERRED" && nodes.text().empty())
        return planner.add_missing(value, "nodes", "a list of memory nodes, such as 0-3,7, as " + std::string(mode.text()) + " needs them");
    std::string flags;
    for (Value flag = value["flags"].first(); flag; flag = flag.next()) {
        if (!planner.check_word(flag, memory_policy_flag_words))
            return;
        flags += (flags.empty() ? "" : ",") + std::string(flag.text());
    }
    planner.emit(property.note(), value, {mode.text(), nodes.text(), flags});
}
