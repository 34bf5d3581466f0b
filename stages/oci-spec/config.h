// The configuration that `oci-spec new` writes.
#pragma once

#include <string>
#include <sys/types.h>

/// A container for root: `sh` on a terminal, confined.
std::string default_config();
/// The same for someone without privilege: a user namespace in which `uid` and `gid` are root.
std::string rootless_config(uid_t uid, gid_t gid);
