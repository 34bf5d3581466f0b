// A container's cgroup once it exists: where it is, its files, its processes, its end.
#pragma once

#include "fd/fd.h"
#include "plan/plan.h"
#include "result/result.h"

#include <csignal>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// Where a container's cgroup is in one hierarchy: a line of `oci-cgroup create` (spec/protocol.md),
/// the fields of `ns.cgroup` and `init.cgroup`.
struct CgroupLocation {
    int version = 0;          ///< 1 or 2
    std::string controllers;  ///< v1: as the kernel names the hierarchy, `cpu,cpuacct` or `name=systemd`; v2: empty
    std::string mountpoint;   ///< where the hierarchy is mounted
    std::string path;         ///< below the mountpoint, begins with a slash

    std::string directory() const { return path == "/" ? mountpoint : mountpoint + path; }
    /// Whether the hierarchy is one of `controller`'s (v1).
    bool has_controller(std::string_view controller) const;
};

/// Reads the four fields; checks version, absolute paths and that no component is `..`.
Result<CgroupLocation> parse_location(std::span<const Field> fields);
/// Reads one line of `oci-cgroup create`, without the newline.
Result<CgroupLocation> parse_location_line(std::string_view line);
/// The inverse: the line with its newline.
std::string location_line(const CgroupLocation& location);

/// Whether `path` has a component `..`: such a path is refused everywhere.
bool has_dot_dot(std::string_view path);

/// Opens what is below `directory`; -1: errno. Never leaves it, whatever is mounted or linked on the way. O_CLOEXEC is added.
int open_beneath(int directory, const char* path, int flags);

/// The process ids in the text of a `cgroup.procs`, as they stand there; 0 for each that our pid namespace cannot name.
std::vector<pid_t> parse_processes(std::string_view text);
/// `12, 13, ...`
std::string list_of(std::span<const pid_t> pids);

/// `process 5 is in it`, `processes 5, 7 are in it`.
std::string who_is_inside(std::span<const pid_t> pids);

/// A file of a cgroup, open for writing.
class CgroupFile {
public:
    /// Writes with one write(2), as the kernel wants it. The error is `cannot write 'VALUE' to 'FILE'`.
    Result<void> write(std::string_view value) const;

private:
    friend class CgroupDir;
    CgroupFile(UniqueFd fd, std::string_view name) : fd_(std::move(fd)), name_(name) {}
    UniqueFd fd_;
    std::string name_;
};

/// Holds the directory of one cgroup. Files are named by a single component: a name with a slash is
/// refused, and nothing is followed out of the directory (openat2), so that a name from a
/// configuration cannot reach another cgroup.
class CgroupDir {
public:
    /// Nothing: there is no such directory. What is not on a cgroup file system is an error.
    static Result<std::optional<CgroupDir>> open(const std::string& directory);

    int fd() const { return fd_.get(); }
    int version() const { return version_; }
    const std::string& name() const { return name_; }

    /// The content without the last newline.
    Result<std::string> read(std::string_view file) const;
    /// Like read(), but nothing for a file that does not exist.
    Result<std::optional<std::string>> read_if_exists(std::string_view file) const;
    /// Opens, writes as CgroupFile does, and closes.
    Result<void> write(std::string_view file, std::string_view value) const;
    /// For a file that is written to more than once.
    Result<CgroupFile> open_to_write(std::string_view file) const;
    bool has(std::string_view file) const;
    Result<std::optional<CgroupDir>> child(std::string_view name) const;
    Result<std::vector<std::string>> child_names() const;
    /// The processes of it and of all cgroups below it.
    Result<std::vector<pid_t>> processes() const;
    /// Those of it alone, as parse_processes() tells them.
    Result<std::vector<pid_t>> own_processes() const;
    /// Whether it is frozen itself (v1: freezer.state, v2: cgroup.freeze). One that cannot be frozen is not.
    Result<bool> is_frozen() const;

    /// Takes a descriptor of a cgroup's directory.
    CgroupDir(UniqueFd fd, int version, std::string name) : fd_(std::move(fd)), version_(version), name_(std::move(name)) {}

private:
    Result<UniqueFd> open_file(std::string_view file, int flags) const;

    UniqueFd fd_;
    int version_;
    std::string name_;  ///< for messages
};

/// Sends `signal` to every process in the cgroup and below it; a process that is born meanwhile is
/// not missed. SIGKILL uses cgroup.kill (Linux 5.14, v2); otherwise the processes are frozen if
/// the hierarchy can do that, signalled by pidfd, and thawed again. A missing cgroup is fine. On v1
/// give the directory of the freezer's hierarchy, where there is one (location_to_kill()).
Result<void> kill_processes(const std::string& directory, int signal = SIGKILL);

/// Removes the cgroup with all cgroups below it. Processes that are dying are waited for, but not
/// longer than `patience_ms`; then the error names those that are left. A missing cgroup is fine.
Result<void> remove_cgroup(const std::string& directory, int patience_ms = 5000);

/// Removes the cgroup unless something is in it (false then); its sub-cgroups are not touched. For
/// parents that a create had to make: others may have put their own cgroups there since.
Result<bool> remove_empty_cgroup(const std::string& directory);

/// Whether the container is frozen. No cgroup, or none that can be frozen: false.
Result<bool> is_frozen(std::span<const CgroupLocation> locations);

/// Freezes (and waits until all have stopped) or thaws.
Result<void> set_frozen(std::span<const CgroupLocation> locations, bool frozen);

/// Of a container's locations the one to freeze and to kill by: v1 freezer, else v2, else the first; null when there is none.
const CgroupLocation* location_to_kill(std::span<const CgroupLocation> locations);
