// The versions that `--version` and `features` print.
#pragma once

#ifndef OCIRUN_VERSION
#define OCIRUN_VERSION "0.1.0"
#endif
#ifndef OCIRUN_COMMIT
#define OCIRUN_COMMIT "unknown"
#endif

/// The newest runtime-spec that is implemented.
#define OCIRUN_SPEC_VERSION "1.3.0"
