// open_tree(2) for all, and a user namespace for each mapping: mount_setattr(2) takes its maps from one.
#include "mount_sources.h"

#include "join.h"
#include "mounts/mount_calls.h"
#include "process/as_user.h"
#include "process/clone.h"
#include "process/process.h"
#include "request.h"
#include "stage/stage.h"

#include <cstdio>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif

static Result<IdMap> parse_id_map(std::string_view text)
{
    IdMap map;
    while (!text.empty()) {
        std::string_view range = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), range.size() + 1));
        map.push_back(TRY(parse_id_range(range)));
    }
    TRY(check_id_map(map));
    return map;
}

Result<MountSource> parse_mount_source(const Directive& line)
{
    MountSource source;
    source.path = line[0];
    source.pointer = line.pointer;
    for (std::string_view rest = line[1]; !rest.empty();) {
        std::string_view word = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), word.size() + 1));
        if (word == "recursive")
            source.is_recursive = true;
        else if (word == "nofollow")
            source.is_nofollow = true;
        else if (word == "idmap" || word == "ridmap")
            source.is_id_mapped = true;
        else
            return Error{"unknown option '" + std::string(word) + "' of a mount's source"};
        source.maps_recursively = source.maps_recursively || word == "ridmap";
    }
    source.uid_map = TRY(parse_id_map(line[2]));
    source.gid_map = TRY(parse_id_map(line[3]));
    return source;
}

namespace
{

struct Waiting {
    int read_end;
    int write_end;
};

} // namespace

/// Lives as long as its user namespace is to be had by its number.
static void wait_for_end(void* argument)
{
    const Waiting& waiting = *static_cast<Waiting*>(argument);
    ::close(waiting.write_end);
    char byte;
    while (::read(waiting.read_end, &byte, 1) < 0 && errno == EINTR) {}
    ::_exit(0);
}

static Result<UniqueFd> make_user_namespace(const IdMap& uid_map, const IdMap& gid_map)
{
    const Identity identity = own_identity();
    const MapPrograms programs = TRY(find_map_programs(uid_map, gid_map, identity));
    Pipe pipe = TRY(Pipe::create());
    Waiting waiting{pipe.read_end.get(), pipe.write_end.get()};
    pid_t pid = -1;
    stage::step("make a user namespace for a mount's ids");
    TRY(clone_child({CLONE_NEWUSER, -1, Memory::copied, wait_for_end, &waiting, &pid})
            .with_context("cannot make a user namespace for a mount's ids"));
    const ChildProcess child(pid);
    char path[40];
    std::snprintf(path, sizeof path, "/proc/%d", pid);
    UniqueFd directory(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        return errno_error("cannot open '" + std::string(path) + "'");
    TRY(write_id_maps(pid, directory.get(), uid_map, gid_map, identity, programs));
    UniqueFd made(::openat(directory.get(), "ns/user", O_RDONLY | O_CLOEXEC));
    if (!made)
        return errno_error("cannot open '" + std::string(path) + "/ns/user'");
    return made;
}

static uint32_t host_id_of_root(const IdMap& map)
{
    for (const IdRange& range : map)
        if (range.container == 0)
            return range.host;
    return 65534; // somebody without any rights
}

static Result<UniqueFd> copy_mount(const MountSource& source)
{
    UniqueFd copy = mount_calls::open_tree(AT_FDCWD, source.path.c_str(),
                                           OPEN_TREE_CLONE | (source.is_recursive ? AT_RECURSIVE : 0) |
                                               (source.is_nofollow ? AT_SYMLINK_NOFOLLOW : 0));
    if (!copy)
        return errno_error("cannot bind '" + source.path + "'");
    // What is mounted on it later must not travel to the host.
    if (mount_calls::mount_setattr(copy.get(), {.propagation = MS_SLAVE}, true) < 0)
        return errno == ENOSYS ? Error{"id-mapped mounts, and sources that the user namespace's root cannot reach, "
                                       "need Linux 5.12 (mount_setattr)",
                                       ENOSYS}
                               : errno_error("cannot set the propagation of '" + source.path + "'");
    return copy;
}

static Result<void> map_ids(int mount, const MountSource& source, int user_namespace)
{
    stage::step("map the ids of " + source.path);
    if (mount_calls::mount_setattr(mount, {.set = MOUNT_ATTR_IDMAP, .userns_fd = static_cast<uint64_t>(user_namespace)},
                                   source.maps_recursively) == 0)
        return {};
    // man 2 mount_setattr: EINVAL for a file system that cannot do it, EPERM for one that belongs to another user
    // namespace, and for a mount that is mapped already.
    std::string why = errno == EINVAL ? ": this file system does not support it" : "";
    if (errno == EPERM)
        why = ": it is id-mapped already, or mapping it needs privilege where it was mounted";
    return errno_error("cannot map the ids of '" + source.path + "'" + why);
}

Result<std::vector<OpenSource>> open_mount_sources(const Request& request, const Joins& joins)
{
    std::vector<OpenSource> opened;
    if (request.mount_sources.empty())
        return opened;
    const bool is_privileged = own_identity().is_admin;
    // Group 0, say, must not open a door here that is closed inside. PROGRAM chooses its groups by itself.
    if (is_privileged && !request.keeps_groups && ::setgroups(0, nullptr) < 0 && errno != EPERM)
        return errno_error("cannot leave the supplementary groups");

    std::vector<std::pair<std::string, UniqueFd>> made; // user namespaces by their maps; "" is that of the container's maps
    for (const MountSource& source : request.mount_sources) {
        if (!source.is_id_mapped) {
            // Without privilege the user namespace's root is we ourselves.
            if (!is_privileged)
                continue;
            AsUser as_root_inside(host_id_of_root(request.uid_map), host_id_of_root(request.gid_map));
            UniqueFd reached(
                ::openat(AT_FDCWD, source.path.c_str(), O_PATH | O_CLOEXEC | (source.is_nofollow ? O_NOFOLLOW : 0)));
            if (reached || errno != EACCES)
                continue;
        }
        stage::step("open the mount source " + source.path);
        UniqueFd mount = TRY(copy_mount(source).with_pointer(source.pointer));
        if (source.is_id_mapped) {
            int user_namespace = -1;
            const bool takes_containers = source.uid_map.empty();
            const IdMap& uid_map = takes_containers ? request.uid_map : source.uid_map;
            const IdMap& gid_map = takes_containers ? request.gid_map : source.gid_map;
            if (takes_containers)
                user_namespace = joins.descriptor(CLONE_NEWUSER);
            if (user_namespace < 0) {
                if (uid_map.empty() || gid_map.empty())
                    return Error{"there is no user namespace to take the ids of '" + source.path + "' from"}
                        .with_pointer(source.pointer);
                const std::string key = takes_containers ? "" : id_map_text(uid_map) + "\n" + id_map_text(gid_map);
                for (const auto& [text, fd] : made)
                    if (text == key)
                        user_namespace = fd.get();
                if (user_namespace < 0) {
                    made.emplace_back(key, TRY(make_user_namespace(uid_map, gid_map).with_pointer(source.pointer)));
                    user_namespace = made.back().second.get();
                }
            }
            TRY(map_ids(mount.get(), source, user_namespace).with_pointer(source.pointer));
        }
        opened.push_back({source.pointer, std::move(mount)});
    }
    return opened;
}
