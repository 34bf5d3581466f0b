// The container's terminal, and what is there without one.
#pragma once

#include "container.h"

#include <sys/types.h>

/// A new terminal on the container's own devpts, with its size and owner (`init.terminal`). The slave stays, the
/// master goes to whoever drives us.
Result<UniqueFd> open_terminal(const InRoot& root, const Plan& plan, Control& control);

/// Puts the terminal on /dev/console.
Result<void> mount_console(Container& container, int slave);

/// Makes it the controlling terminal and descriptors 0, 1 and 2.
Result<void> take_terminal(UniqueFd slave);

/// Where descriptor 0, 1 or 2 is a null device, as engines hand on the host's, the container's own takes its place: the owner and mode
/// of the host's could be changed by way of it. A container without one is an error then.
Result<void> use_own_null_device(const InRoot& root);
