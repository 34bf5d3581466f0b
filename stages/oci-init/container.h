// What the steps of building a container share.
#pragma once

#include "control.h"
#include "fd/fd.h"
#include "path/in_root.h"
#include "plan/plan.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

/// The container while it is built.
struct Container {
    const Plan& plan;
    Control& control;
    InRoot root;
    UniqueFd bundle;
    /// False: the root file system is built in the mount namespace of the caller, and entered by chroot.
    bool has_mount_namespace;
    /// The host's /dev/null, checked; what masked files are covered with.
    UniqueFd null;
    /// The mounts on the container's /proc and /sys, when the plan makes them. Paths below them are looked up
    /// from here, so that they are found whatever happens to the names 'proc' and 'sys' (CVE-2019-19921).
    std::optional<InRoot> proc = {};
    std::optional<InRoot> sys = {};
    /// A /dev that is to be read-only when all is made in it.
    UniqueFd readonly_dev = UniqueFd();
    /// Sources that oci-ns opened, by the JSON pointer of their mount, in the plan's order.
    std::vector<std::pair<std::string_view, UniqueFd>> sources = {};
};

/// Opens what is at `path` of the container, for mounting on it: below /proc and /sys from their mounts.
Result<UniqueFd> open_in_container(const Container& container, std::string_view path);

/// The host's /dev/null, which must be character device 1:3 (CVE-2025-31133).
Result<UniqueFd> open_null_device();

/// Whether it is one, of whatever file system (Documentation/admin-guide/devices.txt: 1:3).
bool is_null_device(int fd);
