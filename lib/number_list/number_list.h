// Lists of CPUs and memory nodes as cpuset(7) writes them, "0-3,7", as the bit masks that system calls take.
#pragma once

#include "result/result.h"

#include <string_view>
#include <vector>

/// Bit N of word N / 64 and so on, N counted as the kernel counts in an `unsigned long` mask. Refuses what is no list,
/// is empty, or has a number beyond 8191.
Result<std::vector<unsigned long>> parse_number_list(std::string_view text);
