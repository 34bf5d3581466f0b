// A container without a mount namespace of its own leaves its mounts on the host: which they are, and how they go.
#pragma once

#include "result/result.h"

#include <string>
#include <vector>

/// The ids of the mounts below the directory `path`, the youngest last (man 5 proc_pid_mountinfo).
Result<std::vector<std::string>> mounts_below(const std::string& path);

/// Unmounts what is mounted below `path`, but for the mounts with these ids.
Result<void> unmount_below(const std::string& path, const std::vector<std::string>& kept);
