// Read-only and masked paths.
#pragma once

#include "container.h"

/// Makes the paths of `init.readonly-path` lines read-only; those that do not exist are passed over.
Result<void> make_paths_readonly(Container& container);

/// Covers the paths of `init.masked-path` lines: files by the null device, directories by an empty read-only
/// directory; those that do not exist are passed over.
Result<void> mask_paths(Container& container);
