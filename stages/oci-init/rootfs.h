// The root of the container: where it is, and the change into it.
#pragma once

#include "container.h"

/// Keeps mounts from travelling to the host, opens the root file system and makes it a mount of its own.
Result<InRoot> prepare_root(const Plan& plan, int bundle, bool has_mount_namespace);

/// Makes the root, and a /dev of its own, read-only when the plan says so.
Result<void> finish_root(Container& container);

/// Makes the prepared root this process's root: nothing of the host can be reached afterwards.
Result<void> enter_root(Container& container);

/// Whether the plan makes or joins a mount namespace.
bool plan_has_namespace(const Plan& plan, std::string_view kind);
