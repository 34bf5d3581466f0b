// The container's terminal.
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
