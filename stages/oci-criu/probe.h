// Asking CRIU and the kernel whether checkpoint and restore work here.
#pragma once

#include "result/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Why it does not work, and what to do about it; both are sentences without a full stop.
struct Obstacle {
    std::string reason;
    std::string remedy;
};

/// A part of checkpointing that not every kernel has.
struct Feature {
    std::string_view name;       ///< the word of our options: "pre-dump"
    std::string_view criu_name;  ///< of `criu check --feature`
    bool works = false;
};

struct Probe {
    std::string program;              ///< path of criu; empty: not found
    std::string version;              ///< as in "3.17.1"; empty: not told
    std::string kernel;               ///< release of the running kernel
    std::vector<Obstacle> obstacles;  ///< none: it works
    std::vector<std::string> errors;  ///< CRIU's own error lines, the first ones
    std::vector<Feature> features;    ///< asked only when it works
    /// Of the kernel's configuration; nothing: it can't be read.
    std::optional<std::vector<std::string>> missing_options;

    bool works() const { return obstacles.empty(); }
};

/// Looks at `criu` (a path, or a name to be looked up in PATH), the caller's privileges and the kernel.
Result<Probe> probe_criu(const std::string& criu);

/// The number in what `criu --version` prints; empty: there is none.
std::string parse_version(std::string_view text);

/// The first lines of CRIU's output that report an error, without CRIU's time stamps.
std::vector<std::string> error_lines(std::string_view output);

/// What helps against an error of CRIU, as far as its words tell.
std::string remedy_for(std::string_view error, std::string_view version, std::string_view kernel);

/// Those of the options that CRIU needs which a kernel configuration (/boot/config-*) does not set.
std::vector<std::string> missing_kernel_options(std::string_view configuration);
