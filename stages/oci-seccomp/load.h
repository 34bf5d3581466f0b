// Becoming a program under a filter.
#pragma once

#include "result/result.h"

#include <string>
#include <vector>

enum class NoNewPrivileges { when_needed, always, never };

struct LoadOptions {
    unsigned flags = 0;  ///< SECCOMP_FILTER_FLAG_
    NoNewPrivileges no_new_privileges = NoNewPrivileges::when_needed;
    int listener_fd = -1;  ///< a socket that takes the listener's descriptor; -1: none
};

/// Loads the filter and executes `program` (the name and its arguments). Returns only an error, with
/// exit code 125, 126 or 127. All that can be refused is refused before the filter is in force.
Error load_and_execute(const std::string& filter, const std::vector<std::string>& program, const LoadOptions& options);
