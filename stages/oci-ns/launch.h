// The making of namespaces and of the process in them.
#pragma once

#include "join.h"
#include "executable.h"
#include "request.h"

#include <sys/mount.h>
#include <vector>

/// What `new` and `enter` share beside the namespaces.
struct LaunchOptions {
    int control_fd = -1;             ///< ocirun's socket; -1: none
    std::vector<int> handed_on;      ///< descriptors that PROGRAM gets
    bool follows_target = false;     ///< into a cgroup below the one to be joined, when nobody may be in that one itself
    bool is_driven = false;          ///< by a plan: PROGRAM prepares mounts by itself
    unsigned long propagation = MS_REC | MS_PRIVATE;  ///< of a new mount namespace; 0: as it is
    bool mounts_proc = false;
};

/// Enters and makes the namespaces, joins the cgroups and becomes `program`, or starts it in a child
/// where that can't be avoided. Returns the status to end with, if at all.
Result<int> launch(const Request& request, Joins& joins, Executable& program, const LaunchOptions& options);
