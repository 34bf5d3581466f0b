// Signals by name and number.
#pragma once

#include "result/result.h"

#include <string_view>

/// `9`, `KILL`, `SIGKILL`, `sigkill`, `RTMIN+3`, `SIGRTMAX-1`; 0 only as a number. Unknown: an error.
Result<int> parse_signal(std::string_view text);

/// The error that says what is one.
Error unknown_signal(std::string_view text);
