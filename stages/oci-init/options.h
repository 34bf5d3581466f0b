// The command line of oci-init.
#pragma once

#include "result/result.h"

#include <span>
#include <string>

enum class Verb { help, version, run, exec };

/// What was given. A plain loop over argv instead of lib/cli: docs/decisions/0004-oci-init-options.md.
struct Options {
    Verb verb = Verb::help;
    const char* help_on = "";  ///< with Verb::help: the verb that was named
    int plan_fd = -1;
    int control_fd = -1;
    int start_fd = -1;
    int seccomp_fd = -1;
    int preserve_fds = 0;
    const char* bundle = ".";
    /// Behind `--`: the program in place of the plan's.
    std::span<char* const> program;
};

/// Reads argv; the options for errors and steps are put into force at once. Every descriptor named
/// must be open and is made close-on-exec.
Result<Options> parse_options(std::span<char* const> argv);

extern const char* const usage_text;
