// The features document of the runtime-spec.
#pragma once

#include "tree.h"

/// What this build can do (runtime-spec features.md), from the tables that the parser uses. Of the host only the kernel
/// is asked, for `linux.seccomp.supportedFlags`.
Tree features();
