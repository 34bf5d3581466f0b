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

/// Annotations that are refused, as something else would run than was asked for.
static void refuse_annotation(Planner& planner, Value value)
{
    if (value.key() == "run.oci.handler" || (value.key() == "module.wasm.image/variant" && value.text() == "compat"))
        planner.add_problem(value, "none: there are no handlers here, a program is executed as it is");
    else if (value.key() == "run.oci.seccomp_bpf_data" || value.key() == "run.oci.seccomp_fail_unknown_syscall")
        planner.add_problem(value, "none: this annotation is not supported; linux.seccomp has the filter");
    else if (value.key() == "run.oci.seccomp.plugins")
        planner.add_problem(value, "none: there are no plugins here; linux.seccomp.listenerPath names who is asked");
}

void plan_annotation(Planner& planner, Value value, Property)
{
    const std::string_view key = value.key();
    if (key.empty())
        return planner.add_sentence(value, "found an empty key, expected the name of an annotation");
    planner.emit("ocirun.annotation", value, {key, value.text()});
    // The field's way to give the container's scope what config.json has no property for.
    static constexpr std::string_view unit_property = "org.systemd.property.";
    if (key.starts_with(unit_property))
        planner.emit("cgroup.systemd-property", value, {key.substr(unit_property.size()), value.text()});
    // It would mount a hierarchy of v1 on the host, where one is either there for all or for nobody.
    else if (key == "run.oci.systemd.force_cgroup_v1")
        planner.warn(value, "is ignored: the container has the cgroups of the host; a systemd that knows only cgroup v1 needs a host that was booted with it");
    else if (key.starts_with("krun.") || (key == "module.wasm.image/variant" && value.text() != "compat"))
        planner.warn(value, "is ignored: there are no handlers here, a program is executed as it is");
    if (value.text().empty())
        return;
    refuse_annotation(planner, value);
    if (key == "run.oci.systemd.subgroup") {
        planner.emit("cgroup.subgroup", value, {value.text()});
    } else if (key == "run.oci.delegate-cgroup") {
        planner.emit("cgroup.delegate", value, {value.text()});
    } else if (key == "run.oci.keep_original_groups") {
        planner.emit("ns.keep-groups", value, {});
        planner.emit("init.keep-groups", value, {});
        if (planner.top()["process"]["user"]["additionalGids"].size() > 0)
            planner.warn(value, "keeps the caller's groups: process.user.additionalGids are left out");
    } else if (key == "run.oci.pidfd_receiver") {
        if (planner.check_absolute_path(value))
            planner.emit("ocirun.pidfd-receiver", value, {value.text()});
    } else if (key == "run.oci.hooks.stdout" || key == "run.oci.hooks.stderr") {
        if (planner.check_absolute_path(value))
            planner.emit("ocirun.hook-output", value, {key.ends_with("stdout") ? "stdout" : "stderr", value.text()});
        for (const char* kind : {"createContainer", "startContainer"})
            if (planner.top()["hooks"][kind].size() > 0)
                planner.warn(value, "is not for hooks of " + std::string(kind) + ", which run in the container's namespaces");
    }
}

void plan_root(Planner& planner, Value value, Property property)
{
    if (value["path"].text().empty())
        planner.add_problem(value["path"], "the path of the root file system");
    else
        planner.emit(property.note(), value, {value["path"].text(), value["readonly"].is_true() ? "ro" : "rw"});
}

struct IdMapping {
    std::string_view option;  ///< idmap or ridmap; empty: the mount is not id-mapped
    std::string uids;         ///< CONTAINER:HOST:SIZE,...; empty: the maps of the container's user namespace
    std::string gids;
};

/// `idmap` or `ridmap` when it is such an option, with or without a mapping behind it; else empty.
static std::string_view id_map_word(std::string_view option)
{
    std::string_view word = option.substr(0, option.find('='));
    return word == "idmap" || word == "ridmap" ? word : "";
}

static std::string list_of_ranges(Value mappings)
{
    std::string text;
    for (Value mapping = mappings.first(); mapping; mapping = mapping.next())
        text += (text.empty() ? "" : ",") + std::string(mapping["containerID"].text()) + ":" + std::string(mapping["hostID"].text()) + ":" +
                std::string(mapping["size"].text());
    return text;
}

/// FROM-TO-SIZE#FROM-TO-SIZE... as other runtimes write them; with a '@' in front TO is an id of the container's user
/// namespace. Nothing: it is something else.
static std::optional<std::string> parse_ranges(std::string_view text, const IdMap& container_map)
{
    std::string ranges;
    while (!text.empty()) {
        std::string_view range = text.substr(0, text.find('#'));
        text.remove_prefix(std::min(text.size(), range.size() + 1));
        const bool is_relative = range.starts_with('@');
        range.remove_prefix(is_relative ? 1 : 0);
        unsigned long long numbers[3];
        for (unsigned long long& number : numbers) {
            size_t end = std::min(range.find('-'), range.size());
            Result<unsigned long long> parsed = parse_unsigned(range.substr(0, end));
            if (!parsed.has_value() || parsed.value() > UINT32_MAX || (end == range.size()) != (&number == &numbers[2]))
                return std::nullopt;
            number = parsed.value();
            range.remove_prefix(std::min(range.size(), end + 1));
        }
        if (is_relative) {
            std::optional<uint64_t> id = container_map.host_id(numbers[1], numbers[2]);
            if (!id)
                return std::nullopt;
            numbers[1] = *id;
        }
        ranges += (ranges.empty() ? "" : ",") + std::to_string(numbers[0]) + ":" + std::to_string(numbers[1]) + ":" + std::to_string(numbers[2]);
    }
    return ranges;
}

/// `uids=RANGES;gids=RANGES`; false: it is something else.
static bool parse_option_mapping(Planner& planner, std::string_view text, IdMapping& mapping)
{
    while (!text.empty()) {
        std::string_view part = text.substr(0, text.find(';'));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        const bool is_uids = part.starts_with("uids=");
        if (!is_uids && !part.starts_with("gids="))
            return false;
        std::optional<std::string> ranges = parse_ranges(part.substr(5), is_uids ? planner.user_map() : planner.group_map());
        if (!ranges)
            return false;
        (is_uids ? mapping.uids : mapping.gids) = *ranges;
    }
    return !mapping.uids.empty() && !mapping.gids.empty();
}

/// Whether and how the mount is id-mapped; nothing: there is a problem.
static std::optional<IdMapping> id_mapping_of(Planner& planner, Value mount)
{
    Value uids = mount["uidMappings"];
    Value gids = mount["gidMappings"];
    IdMapping mapping;
    Value from;
    for (Value option = mount["options"].first(); option; option = option.next()) {
        if (std::string_view word = id_map_word(option.text()); !word.empty()) {
            from = option;
            mapping.option = word;
        }
    }
    if (uids.size() == 0 && gids.size() == 0 && !from)
        return mapping;
    if (!is_bind_mount(mount)) {
        planner.add_sentence(from ? from : uids ? uids : gids, "found id mappings for a new file system, expected them on a bind mount only");
        return std::nullopt;
    }
    if (uids.size() != 0 || gids.size() != 0) {
        if (uids.size() == 0 || gids.size() == 0) {
            planner.add_missing(mount, uids.size() == 0 ? "uidMappings" : "gidMappings", "both 'uidMappings' and 'gidMappings'");
            return std::nullopt;
        }
        if (from && from.text() != mapping.option) {
            planner.add_problem(from, "no mapping here, as 'uidMappings' and 'gidMappings' have one");
            return std::nullopt;
        }
        if (!check_id_mappings(planner, uids) || !check_id_mappings(planner, gids))
            return std::nullopt;
        // The mapping alone means it, too (runtime-spec config.md, "POSIX-platform Mounts").
        if (!from)
            mapping.option = "idmap";
        mapping.uids = list_of_ranges(uids);
        mapping.gids = list_of_ranges(gids);
        return mapping;
    }
    if (from.text() != mapping.option) {
        if (parse_option_mapping(planner, from.text().substr(mapping.option.size() + 1), mapping))
            return mapping;
        planner.add_problem(from, std::string(mapping.option) + "=uids=FROM-TO-SIZE#...;gids=FROM-TO-SIZE#..., where @ before FROM needs TO in the container's own mapping");
        return std::nullopt;
    }
    Value user_namespace = planner.find_namespace("user");
    if (!user_namespace) {
        planner.add_problem(from, "'uidMappings' and 'gidMappings' with it, as linux.namespaces has no 'user' whose mapping it could take");
        return std::nullopt;
    }
    Value linux_section = planner.top()["linux"];
    if (user_namespace["path"].text().empty() && (linux_section["uidMappings"].size() == 0 || linux_section["gidMappings"].size() == 0)) {
        planner.add_problem(from, "'uidMappings' and 'gidMappings' with it, as linux has not both whose mapping it could take");
        return std::nullopt;
    }
    return mapping;
}

void plan_mount(Planner& planner, Value value, Property)
{
    Value destination = value["destination"];
    if (destination.text().empty())
        return planner.add_problem(destination, "a path in the container");
    const bool is_bind = is_bind_mount(value);
    if (is_bind && value["source"].text().empty())
        return planner.add_missing(value, "source", "the path that is bind-mounted");
    std::optional<IdMapping> mapping = id_mapping_of(planner, value);
    if (!mapping)
        return;

    // Destinations relative to the root have been allowed since runtime-spec 1.2.
    std::vector<std::string> fields;
    fields.push_back((destination.text().starts_with('/') ? "" : "/") + std::string(destination.text()));
    fields.emplace_back(value["type"].text());
    fields.emplace_back(value["source"].text());
    bool is_recursive = false;
    bool is_nofollow = false;
    for (Value option = value["options"].first(); option; option = option.next()) {
        is_recursive = is_recursive || option.text() == "rbind";
        is_nofollow = is_nofollow || option.text() == "src-nofollow";
        if (id_map_word(option.text()).empty())
            fields.emplace_back(option.text());
    }
    if (!mapping->option.empty())
        fields.emplace_back(mapping->option);
    planner.emit("init.mount", value, fields);

    // Inside of a user namespace the source may be out of reach, and ids are mapped by who owns the file system.
    if (!is_bind || (mapping->option.empty() && !planner.has_namespace("user")))
        return;
    std::string options(mapping->option);
    for (const auto& [is_set, word] : {std::pair<bool, const char*>{is_recursive, "recursive"}, {is_nofollow, "nofollow"}})
        if (is_set)
            options += (options.empty() ? "" : ",") + std::string(word);
    planner.emit("ns.mount-source", value, {value["source"].text(), options, mapping->uids, mapping->gids});
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
/// devices, consoles, pseudo-terminals and tun interfaces is allowed (Documentation/admin-guide/devices.txt): what needs more, as a
/// tun interface needs CAP_NET_ADMIN, is not given by it.
struct DefaultRule {
    char type[2];
    char major[4];
    char minor[4];
    char access[4];
};
constexpr DefaultRule default_rules[] = {
    {"c", "*", "*", "m"},   {"b", "*", "*", "m"},   {"c", "1", "3", "rwm"}, {"c", "1", "5", "rwm"}, {"c", "1", "7", "rwm"},
    {"c", "1", "8", "rwm"}, {"c", "1", "9", "rwm"}, {"c", "5", "0", "rwm"}, {"c", "5", "1", "rwm"}, {"c", "5", "2", "rwm"},
    {"c", "136", "*", "rwm"}, {"c", "10", "200", "rwm"},
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
    std::optional<uint64_t> owner = *uid.to_unsigned();
    if (planner.has_namespace("user"))
        owner = planner.user_map().host_id(*owner);
    if (owner && *owner != 0)
        planner.emit("cgroup.owner", uid, {std::to_string(*owner)});
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
