// Whose cgroups are measured: named on the command line, or by a list that may grow.
#pragma once

#include "cli/cli.h"
#include "fd/fd.h"
#include "stats.h"

#include <string_view>
#include <vector>

/// A line of a list: `NAME TAB PATH`, or, by who knows more,
/// `NAME TAB PID TAB START-TIME TAB RESCTRL [TAB VERSION TAB CONTROLLERS TAB MOUNTPOINT TAB PATH]...`. With the escapes of the plan.
Result<Target> parse_target(std::string_view line);

/// The cgroup at `path`, which names the target. One that does not exist in any hierarchy is an error.
Result<Target> target_at(const std::string& name, const std::string& path);

/// Where targets come from: the paths on the command line at once, or else the lines of standard input as they come.
class Targets {
public:
    static Result<Targets> from(const std::vector<std::string>& paths);

    /// Where more are to be read; -1: that was all.
    int fd() const { return fd_; }
    /// The ones on the command line, or what can be read without waiting longer than for the first byte.
    Result<std::vector<Target>> take();
    /// Reads to the end.
    Result<std::vector<Target>> take_all();

private:
    std::vector<Target> ready_;
    std::string unfinished_;  ///< a line whose end has not come yet
    int fd_ = -1;
};
