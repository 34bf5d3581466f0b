// A clock for deadlines: nobody sets it.
#pragma once

/// Milliseconds of CLOCK_MONOTONIC.
long long monotonic_ms();
