// Device nodes and links: `init.device` and `init.link` lines.
#pragma once

#include "container.h"

/// Makes the nodes with their exact modes and owners; where nodes cannot be made (a user namespace), the host's
/// are bound. A right node that is there already is taken.
Result<void> make_devices(Container& container);

/// Makes the symbolic links, each unless something has its name.
Result<void> make_links(Container& container);
