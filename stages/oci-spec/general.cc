// Handlers for the top level of config.json, and those that any section uses.
#include "handlers.h"
#include "planner.h"
#include "version.h"

void plan_as_is(Planner& planner, Value value, Property property) { planner.emit(property.note(), value, {value.text()}); }

void plan_text(Planner& planner, Value value, Property property)
{
    if (!value.text().empty())
        planner.emit(property.note(), value, {value.text()});
}

void plan_nonzero(Planner& planner, Value value, Property property)
{
    if (value.text() != "0")
        planner.emit(property.note(), value, {value.text()});
}

void plan_limit(Planner& planner, Value value, Property property)
{
    if (value.text() != "0")
        planner.emit(property.note(), value, {value.text().starts_with('-') ? "-1" : value.text()});
}

void plan_if_true(Planner& planner, Value value, Property property)
{
    const DirectiveType* directive = find_directive_type(property.note());
    if (!value.is_true()) {
        if (planner.is_update() && directive->max_fields > 0)
            planner.emit(property.note(), value, {"false"});
    } else if (directive->max_fields == 0) {
        planner.emit(property.note(), value, {});
    } else {
        planner.emit(property.note(), value, {"true"});
    }
}

void plan_absolute_path(Planner& planner, Value value, Property property)
{
    // A hook's path is part of the hook's own line.
    if (planner.check_absolute_path(value) && !property.note().ends_with(".hook"))
        planner.emit(property.note(), value, {value.text()});
}

void refuse(Planner& planner, Value value, Property property)
{
    if (value.size() > 0)
        planner.add_sentence(value, "found a value for " + quoted(property.name()) + ", expected none: it is not supported yet");
}

void plan_version(Planner& planner, Value value, Property property)
{
    std::optional<SpecVersion> version = parse_version(value.text());
    if (!version || version->major != 1)
        planner.add_problem(value, "a version of the runtime-spec from 1.0.0 to below 2.0.0, such as " OCIRUN_SPEC_VERSION);
    else if (planner.is_strict() && *version > *parse_version(OCIRUN_SPEC_VERSION))
        planner.add_problem(value, "at most " OCIRUN_SPEC_VERSION ", the newest version that is known");
    else
        planner.emit(property.note(), value, {value.text()});
}

void plan_annotation(Planner& planner, Value value, Property property)
{
    if (value.key().empty())
        planner.add_sentence(value, "found an empty key, expected the name of an annotation");
    else
        planner.emit(property.note(), value, {value.key(), value.text()});
}

void plan_root(Planner& planner, Value value, Property property)
{
    if (value["path"].text().empty())
        planner.add_problem(value["path"], "the path of the root file system");
    else
        planner.emit(property.note(), value, {value["path"].text(), value["readonly"].is_true() ? "ro" : "rw"});
}

void plan_mount(Planner& planner, Value value, Property property)
{
    Value destination = value["destination"];
    if (destination.text().empty())
        return planner.add_problem(destination, "a path in the container");
    if (is_bind_mount(value) && value["source"].text().empty())
        return planner.add_missing(value, "source", "the path that is bind-mounted");

    // Destinations relative to the root have been allowed since runtime-spec 1.2.
    std::vector<std::string> fields;
    fields.push_back((destination.text().starts_with('/') ? "" : "/") + std::string(destination.text()));
    fields.emplace_back(value["type"].text());
    fields.emplace_back(value["source"].text());
    for (Value option = value["options"].first(); option; option = option.next())
        fields.emplace_back(option.text());
    planner.emit(property.note(), value, fields);
}

void plan_mount_option(Planner& planner, Value value, Property)
{
    if (value.text() == "idmap" || value.text() == "ridmap")
        planner.add_problem(value, "another option: id-mapped mounts are not supported yet");
}

void plan_host_name(Planner& planner, Value value, Property property)
{
    // Setting it would rename the host.
    if (value.text().empty())
        return;
    if (planner.has_namespace("uts"))
        planner.emit(property.note(), value, {value.text()});
    else
        planner.add_problem(value, "none, as linux.namespaces has no 'uts'");
}

void plan_hook(Planner& planner, Value value, Property property)
{
    Value timeout = value["timeout"];
    if (!planner.check_range(timeout, 1, INT32_MAX))
        return;
    // The pattern is /hooks/KIND/*.
    std::string_view kind = property.pattern().substr(7);
    kind = kind.substr(0, kind.find('/'));
    std::vector<std::string> fields;
    fields.emplace_back(kind);
    fields.push_back(std::to_string(value.index()));
    fields.emplace_back(value["path"].text());
    fields.emplace_back(timeout ? timeout.text() : "0");
    fields.push_back(std::to_string(value["args"].size()));
    for (Value arg = value["args"].first(); arg; arg = arg.next())
        fields.emplace_back(arg.text());
    for (Value entry = value["env"].first(); entry; entry = entry.next())
        fields.emplace_back(entry.text());
    planner.emit(property.note(), value, fields);
}

namespace {

/// The devices that every container has (runtime-spec config-linux.md, "Default Devices"); /dev/ptmx is a link,
/// /dev/console is made with the terminal.
struct DefaultDevice {
    char path[16];
    char major[2];
    char minor[2];
};
constexpr DefaultDevice default_devices[] = {
    {"/dev/null", "1", "3"},   {"/dev/zero", "1", "5"},    {"/dev/full", "1", "7"},
    {"/dev/random", "1", "8"}, {"/dev/urandom", "1", "9"}, {"/dev/tty", "5", "0"},
};

/// runtime-spec runtime-linux.md, "Dev symbolic links"; /dev/ptmx by config-linux.md; /dev/core is what every
/// runtime adds.
struct DefaultLink {
    char path[16];
    char target[20];
};
constexpr DefaultLink default_links[] = {
    {"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"}, {"/dev/stdout", "/proc/self/fd/1"},
    {"/dev/stderr", "/proc/self/fd/2"}, {"/dev/core", "/proc/kcore"},      {"/dev/ptmx", "pts/ptmx"},
};

/// Making any node is allowed, as a node without permission to open it is worth nothing; using the default
/// devices and pseudo-terminals is allowed.
struct DefaultRule {
    char type[2];
    char major[4];
    char minor[2];
    char access[4];
};
constexpr DefaultRule default_rules[] = {
    {"c", "*", "*", "m"},   {"b", "*", "*", "m"},   {"c", "1", "3", "rwm"}, {"c", "1", "5", "rwm"}, {"c", "1", "7", "rwm"},
    {"c", "1", "8", "rwm"}, {"c", "1", "9", "rwm"}, {"c", "5", "0", "rwm"}, {"c", "5", "2", "rwm"}, {"c", "136", "*", "rwm"},
};

}  // namespace

static bool has_device(Value devices, std::string_view path)
{
    for (Value device = devices.first(); device; device = device.next())
        if (device["path"].text() == path)
            return true;
    return false;
}

/// runtime-spec config-linux.md, "Cgroup ownership": the container's user gets the cgroup exactly if it sees it as a root of its own and writable.
static void plan_cgroup_owner(Planner& planner, Value config)
{
    Value own_namespace = planner.find_namespace("cgroup");
    Value uid = config["process"]["user"]["uid"];
    if (!own_namespace || !own_namespace["path"].text().empty() || !uid)
        return;
    bool is_writable = false;
    for (Value mount = config["mounts"].first(); mount; mount = mount.next()) {
        if (mount["destination"].text() != "/sys/fs/cgroup")
            continue;
        is_writable = mount["source"].text() == "cgroup";
        for (Value option = mount["options"].first(); option; option = option.next())
            is_writable = is_writable && option.text() != "ro";
    }
    if (!is_writable)
        return;
    unsigned long long owner = *uid.to_unsigned();
    if (Value user = planner.find_namespace("user"); user) {
        bool is_mapped = false;
        for (Value mapping = config["linux"]["uidMappings"].first(); mapping && !is_mapped; mapping = mapping.next()) {
            unsigned long long inside = *mapping["containerID"].to_unsigned();
            is_mapped = owner >= inside && owner - inside < *mapping["size"].to_unsigned();
            if (is_mapped)
                owner = owner - inside + *mapping["hostID"].to_unsigned();
        }
        if (!is_mapped)
            return;
    }
    if (owner != 0)
        planner.emit("cgroup.owner", uid, {std::to_string(owner)});
}

void plan_config(Planner& planner, Value value, Property)
{
    plan_cgroup_owner(planner, value);
    Value linux_section = value["linux"];
    if (linux_section["resources"]["devices"].size() == 0)
        planner.emit_default("cgroup.device", {"deny", "a", "*", "*", "rwm"});
    for (const DefaultRule& rule : default_rules)
        planner.emit_default("cgroup.device", {"allow", rule.type, rule.major, rule.minor, rule.access});
    for (Value device = linux_section["devices"].first(); device; device = device.next()) {
        std::string_view type = device["type"].text() == "u" ? "c" : device["type"].text();
        if (type != "p")
            planner.emit("cgroup.device", device, {"allow", type, device["major"].text(), device["minor"].text(), "rwm"});
    }
    if (planner.is_dev_bound())
        return;
    for (const DefaultDevice& device : default_devices)
        if (!has_device(linux_section["devices"], device.path))
            planner.emit_default("init.device", {"c", device.path, device.major, device.minor, "0666", "0", "0"});
    for (const DefaultLink& link : default_links)
        planner.emit_default("init.link", {link.path, link.target});
}
