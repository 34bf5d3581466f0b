// Id maps of user namespaces: checked, as text, written.
#pragma once

#include "fd/fd.h"
#include "result/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// `size` ids from `container` on inside are those from `host` on outside.
struct IdRange {
    uint32_t container;
    uint32_t host;
    uint32_t size;
    std::string pointer = {};  ///< where in config.json it is asked for
};
using IdMap = std::vector<IdRange>;

/// CONTAINER:HOST:SIZE of --map-user and --map-group.
Result<IdRange> parse_id_range(std::string_view text);
/// From three fields.
Result<IdRange> make_id_range(std::string_view container, std::string_view host, std::string_view size);

/// Refuses what the kernel refuses without words: empty ranges, ids behind the last one, overlaps (man 7 user_namespaces).
Result<void> check_id_map(const IdMap& map);

/// As /proc/PID/uid_map takes it.
std::string id_map_text(const IdMap& map);

/// Whether two maps say the same, in whatever order. `written` is as /proc/PID/uid_map gives it.
bool is_same_id_map(const IdMap& map, std::string_view written);

/// Whether it maps nothing but `own_id`: what everybody may write for oneself.
bool maps_only(const IdMap& map, uint32_t own_id);

/// The caller's own ids and what it may write into maps.
struct Identity {
    uid_t uid;
    gid_t gid;
    bool may_map_users;   ///< CAP_SETUID
    bool may_map_groups;  ///< CAP_SETGID
    bool is_admin;        ///< CAP_SYS_ADMIN
};
Identity own_identity();

/// All subordinate ids that /etc/subuid and /etc/subgid give to the caller, mapped from `first` on.
Result<IdMap> subordinate_ids(const char* file, uint32_t owner, uint32_t first);

/// Who can write the maps of a new user namespace.
enum class MapWriter {
    nobody,        ///< nothing is mapped
    itself,        ///< only the own ids: its first process can do it
    outer_process  ///< needs privilege outside, or the set-user-ID programs
};
MapWriter map_writer(const IdMap& uid_map, const IdMap& gid_map, const Identity& identity);

/// Programs that write maps for unprivileged users; found before any namespace is entered.
struct MapPrograms {
    std::string newuidmap;
    std::string newgidmap;
};
/// Those that are needed; a missing one that is needed is an error.
Result<MapPrograms> find_map_programs(const IdMap& uid_map, const IdMap& gid_map, const Identity& identity);

/// Writes the maps of process `pid`, whose /proc directory is `proc_dir`.
Result<void> write_id_maps(pid_t pid, int proc_dir, const IdMap& uid_map, const IdMap& gid_map, const Identity& identity,
                           const MapPrograms& programs);
