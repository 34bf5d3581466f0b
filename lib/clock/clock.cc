// The clock for deadlines.
#include "clock.h"

#include <ctime>

long long monotonic_ms()
{
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1'000'000;
}
