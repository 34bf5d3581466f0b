// Amounts in options: sizes with a suffix, shares of CPUs, times.
#pragma once

#include "result/result.h"

#include <chrono>
#include <string>
#include <string_view>

/// `64M`, `1G`, `1048576`, `-1`: a number with K, M, G or T (powers of 1024), as a plain number.
Result<std::string> parse_size(std::string_view text);

/// `1.5` CPUs in microseconds a period of 100 ms.
Result<std::string> parse_cpus(std::string_view text);

/// `5s`, `500ms`, `1m30s`, or `5` for seconds; more than nothing.
Result<std::chrono::milliseconds> parse_interval(std::string_view text);
