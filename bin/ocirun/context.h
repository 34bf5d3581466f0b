// What every command of ocirun needs: the global options, the log, the state root.
#pragma once

#include "cli/cli.h"
#include "fd/fd.h"
#include "result/result.h"
#include "state/state.h"

#include <optional>
#include <string>
#include <string_view>

/// Says errors on stderr, and in the log file where there is one: engines read one or the other.
class Log {
public:
    enum class Format { text, json };

    /// Opens `path` for appending. A link, a directory, a device is refused; "/dev/stderr" is stderr.
    static Result<Log> open(const std::string& path, Format format, bool debug);
    /// As the global options --log, --log-format and --debug say.
    static Result<Log> from(const Arguments& global);
    Log() = default;

    void error(std::string_view message) const;
    void warning(std::string_view message) const;
    /// Only with --debug.
    void debug(std::string_view message) const;
    /// Whether debug() says anything: else its text need not be made.
    bool is_debugging() const { return debug_; }

private:
    void append(const char* level, std::string_view message) const;
    UniqueFd file_;  ///< -1: stderr
    Format format_ = Format::text;
    bool debug_ = false;
};

/// The conductor's surroundings.
struct Context {
    Log log;
    std::string root_path;
    bool root_was_given = false;
    std::string resctrl;  ///< where resctrl is mounted, for tests; empty: oci-cgroup finds it
    /// --cgroup-manager: auto, cgroupfs, disabled or systemd.
    std::string cgroup_manager;
    /// --test-step PROGRAM:N:SIGNAL
    std::string test_program;
    std::string test_step;

    /// Reads the global options. A log file that cannot be opened is an error unless `log_may_fail`
    /// (delete --force comes when its directory may be gone).
    static Result<Context> from(const Arguments& global, bool log_may_fail = false);

    /// The state root, made when missing.
    Result<StateRoot> create_root() const;
    /// Nothing: there is none yet, hence no container.
    Result<std::optional<StateRoot>> find_root() const;
    /// The root in which container `id` must be: without one the container does not exist.
    Result<StateRoot> root_of(const std::string& id) const;
};

/// `container 'ID' does not exist`, with the words that engines look for.
Error no_such_container(const std::string& id);

/// RFC 3339 in UTC with nanoseconds, now.
std::string timestamp();
