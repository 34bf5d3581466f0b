// Sources of bind mounts that are opened before the user namespace, where they may be out of reach.
#pragma once

#include "fd/fd.h"
#include "id_map.h"
#include "plan/plan.h"
#include "result/result.h"

#include <string>
#include <vector>

class Joins;
struct Request;

/// One `ns.mount-source` line.
struct MountSource {
    std::string path; ///< from the working directory
    bool is_recursive = false;
    bool is_nofollow = false;
    bool is_id_mapped = false;
    bool maps_recursively = false;
    IdMap uid_map; ///< both empty: the maps of the container's user namespace
    IdMap gid_map;
    std::string pointer;
};

Result<MountSource> parse_mount_source(const Directive& line);

/// A copy of the mount, attached nowhere.
struct OpenSource {
    std::string pointer;
    UniqueFd mount;
};

/// Opens what PROGRAM could not make by itself: id-mapped mounts, and sources that the user namespace's root may not
/// reach. The others are left to it: a mount that is copied inside cannot lose its flags.
Result<std::vector<OpenSource>> open_mount_sources(const Request& request, const Joins& joins);
