// Reading and checking of what is asked for.
#include "request.h"

#include "cgroup/cgroup.h"

#include <unistd.h>

static Error unknown_kind(std::string_view name)
{
    std::string all;
    for (const NamespaceKind& kind : namespace_kinds)
        all += (all.empty() ? "" : ", ") + std::string(kind.name);
    return Error{"unknown kind of namespace '" + std::string(name) + "'; there are " + all};
}

Result<Join> parse_join(std::string_view text)
{
    size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals + 1 == text.size())
        return Error{"--join: expected KIND=PATH, found '" + std::string(text) + "'", 0, {}, exit_usage};
    const NamespaceKind* kind = find_kind(text.substr(0, equals));
    if (kind == nullptr)
        return unknown_kind(text.substr(0, equals)).with_context("--join").with_exit_code(exit_usage);
    return Join{kind, std::string(text.substr(equals + 1)), {}};
}

std::string path_below(const std::string& directory, std::string_view path)
{
    // The directory begins with the mount point and ends with the cgroup's own path: the longest beginning of `path` that it ends with.
    for (size_t end = path.size(); end != 0 && end != std::string_view::npos; end = path.rfind('/', end - 1))
        if (directory.ends_with(path.substr(0, end)) && (end == path.size() || path[end] == '/'))
            return std::string(path.substr(end == path.size() ? end : end + 1));
    return "";
}

Cgroup cgroup_at(const std::string& directory)
{
    return {::access((directory + "/cgroup.controllers").c_str(), F_OK) == 0, directory};
}

static std::string pointer_of(const Directive& line) { return line.pointer == "-" ? std::string() : std::string(line.pointer); }

static Result<void> add_line(Request& request, const Directive& line)
{
    if (line.is("ns.new") || line.is("ns.join")) {
        const NamespaceKind* kind = find_kind(line[0]);
        if (kind == nullptr)
            return unknown_kind(line[0]);
        if (line.is("ns.join")) {
            request.joins.push_back({kind, std::string(line[1]), pointer_of(line)});
            return {};
        }
        if ((request.new_flags & kind->flag) != 0)
            return Error{"a new " + std::string(kind->name) + " namespace is asked for twice"};
        if (request.new_flags == 0)
            request.new_pointer = pointer_of(line);
        request.new_flags |= kind->flag;
    } else if (line.is("ns.uid-map") || line.is("ns.gid-map")) {
        IdRange range = TRY(make_id_range(line[0], line[1], line[2]));
        range.pointer = pointer_of(line);
        (line.is("ns.uid-map") ? request.uid_map : request.gid_map).push_back(std::move(range));
    } else if (line.is("ns.time-offset")) {
        if (line[0] != "monotonic" && line[0] != "boottime")
            return Error{"unknown clock '" + std::string(line[0]) + "'; expected monotonic or boottime"};
        request.time_offsets.push_back({std::string(line[0]), TRY(parse_number(line[1])), TRY(parse_number(line[2])), pointer_of(line)});
    } else if (line.is("ns.keep-groups")) {
        request.keeps_groups = true;
    } else if (line.is("ns.oom-score-adj")) {
        request.oom_score_adj = OomScoreAdj{std::string(line[0]), pointer_of(line)};
    } else if (line.is("ns.cgroup")) {
        if (line[0] != "1" && line[0] != "2")
            return Error{"ns.cgroup: unknown version '" + std::string(line[0]) + "'; expected 1 or 2"};
        // Written by oci-cgroup, which has no such parts; a cgroup elsewhere would be joined by them.
        if (line[2].substr(0, 1) != "/" || line[3].substr(0, 1) != "/" || has_dot_dot(line[3]))
            return Error{"ns.cgroup: expected absolute paths without '..', found '" + std::string(line[2]) + "' and '" + std::string(line[3]) + "'"};
        request.cgroups.push_back({line[0] == "2", std::string(line[2]) + std::string(line[3])});
    } else if (line.is("ns.resctrl")) {
        if (line[0].substr(0, 1) != "/" || has_dot_dot(line[0]))
            return Error{"ns.resctrl: expected an absolute path without '..', found '" + std::string(line[0]) + "'"};
        // Joined by its file 'tasks', as a cgroup of v1 is.
        request.cgroups.push_back({false, std::string(line[0])});
    } else if (line.is("ns.net-device")) {
        NetDevice device{std::string(line[0]), std::string(line[1]), pointer_of(line)};
        TRY(check_net_device(device));
        request.net_devices.push_back(std::move(device));
    } else if (line.is("ns.mount-source")) {
        request.mount_sources.push_back(TRY(parse_mount_source(line)));
    } else if (line.is("ns.cpu-affinity")) {
        request.cpus = line[0];
        request.cpus_pointer = pointer_of(line);
    } else {
        return Error{"'" + std::string(line.type->name()) + "' is not known to this version"};
    }
    return {};
}

Result<void> add_plan(Request& request, const Plan& plan)
{
    for (const Directive& line : plan.directives())
        if (line.type->name().starts_with("ns."))
            TRY(add_line(request, line).with_pointer(line.pointer));
    return {};
}

Result<void> check(const Request& request)
{
    uint64_t joined = 0;
    for (const Join& join : request.joins) {
        std::string kind(join.kind->name);
        if ((joined & join.kind->flag) != 0)
            return Error{"two " + kind + " namespaces are to be joined"}.with_pointer(join.pointer);
        if ((request.new_flags & join.kind->flag) != 0)
            return Error{"a " + kind + " namespace is to be made and another one joined"}.with_pointer(join.pointer);
        joined |= join.kind->flag;
    }
    int v2_cgroups = 0;
    for (const Cgroup& cgroup : request.cgroups)
        if (cgroup.is_v2 && ++v2_cgroups > 1)
            return Error{"two cgroups of version 2 are to be joined; a process is in one only"};
    for (const IdMap* map : {&request.uid_map, &request.gid_map}) {
        if (!map->empty() && (request.new_flags & CLONE_NEWUSER) == 0 && (joined & CLONE_NEWUSER) == 0)
            return Error{"ids are mapped, but there is no user namespace to map them in"}.with_pointer(map->front().pointer);
        TRY(check_id_map(*map));
    }
    if (!request.net_devices.empty() && (request.new_flags & CLONE_NEWNET) == 0 && (joined & CLONE_NEWNET) == 0)
        return Error{"a network device is to be moved, but there is no network namespace to move it to"}.with_pointer(request.net_devices.front().pointer);
    if (!request.time_offsets.empty() && (request.new_flags & CLONE_NEWTIME) == 0)
        return Error{"a clock is to be offset, but there is no new time namespace"}.with_pointer(request.time_offsets.front().pointer);
    return {};
}

std::string kind_names(uint64_t flags)
{
    std::string names;
    int count = 0;
    for (const NamespaceKind& kind : namespace_kinds)
        count += (flags & kind.flag) != 0;
    int at = 0;
    for (const NamespaceKind& kind : namespace_kinds) {
        if ((flags & kind.flag) == 0)
            continue;
        if (at > 0)
            names += at + 1 == count ? " and " : ", ";
        names += kind.name;
        at++;
    }
    return names;
}
