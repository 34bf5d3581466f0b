// The files of one cgroup; killing, freezing and removing it.
#include "cgroup/cgroup.h"

#include "clock/clock.h"
#include "process/pidfd.h"
#include "scan/scan.h"
#include "stage/stage.h"

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>

// ---------------------------------------------------------------- locations

bool CgroupLocation::has_controller(std::string_view controller) const
{
    for (std::string_view rest = controllers;;) {
        size_t comma = rest.find(',');
        if (rest.substr(0, comma) == controller)
            return true;
        if (comma == std::string_view::npos)
            return false;
        rest.remove_prefix(comma + 1);
    }
}

bool has_dot_dot(std::string_view path)
{
    for (;;) {
        size_t slash = path.find('/');
        if (path.substr(0, slash) == "..")
            return true;
        if (slash == std::string_view::npos)
            return false;
        path.remove_prefix(slash + 1);
    }
}

static Result<CgroupLocation> checked(CgroupLocation location, std::string_view version)
{
    if (version != "1" && version != "2")
        return Error{"cgroup version '" + std::string(version) + "': expected 1 or 2"};
    location.version = version[0] - '0';
    for (const std::string& path : {location.mountpoint, location.path})
        if (!path.starts_with('/') || has_dot_dot(path))
            return Error{"cgroup path '" + path + "' is not absolute or contains '..'"};
    return location;
}

Result<CgroupLocation> parse_location(std::span<const Field> fields)
{
    if (fields.size() != 4)
        return Error{"a cgroup's location has 4 fields, not " + std::to_string(fields.size())};
    return checked({0, std::string(fields[1]), std::string(fields[2]), std::string(fields[3])}, fields[0]);
}

Result<CgroupLocation> parse_location_line(std::string_view line)
{
    std::vector<std::string> fields = TRY(split_fields(line));
    std::vector<Field> views(fields.begin(), fields.end());
    return parse_location(views);
}

std::string location_line(const CgroupLocation& location)
{
    return join_fields({location.version == 1 ? "1" : "2", location.controllers, location.mountpoint, location.path}) + "\n";
}

const CgroupLocation* location_to_kill(std::span<const CgroupLocation> locations)
{
    for (const CgroupLocation& location : locations)
        if (location.version == 1 && location.has_controller("freezer"))
            return &location;
    for (const CgroupLocation& location : locations)
        if (location.version == 2)
            return &location;
    return locations.empty() ? nullptr : &locations.front();
}

// ---------------------------------------------------------------- files

int open_beneath(int directory, const char* path, int flags)
{
    open_how how{};
    how.flags = static_cast<uint64_t>(flags) | O_CLOEXEC | O_NOFOLLOW;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
    int fd = static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
    // Denied by an old engine's filter (EPERM), or Linux < 5.6: there are no links in a cgroup file system, and no path comes
    // here that has `..` in it.
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = ::openat(directory, path, flags | O_CLOEXEC | O_NOFOLLOW);
    return fd;
}

static Result<void> check_name(std::string_view name)
{
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos)
        return Error{"'" + std::string(name) + "' is not the name of a file in a cgroup"};
    return {};
}

Result<std::optional<CgroupDir>> CgroupDir::open(const std::string& directory)
{
    UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) {
        if (errno == ENOENT)
            return std::optional<CgroupDir>();
        return errno_error("cannot open cgroup '" + directory + "'");
    }
    // A path from a state directory or a journal is never trusted to name a cgroup.
    struct statfs file_system;
    if (::fstatfs(fd.get(), &file_system) < 0)
        return errno_error("cannot open cgroup '" + directory + "'");
    if (file_system.f_type != CGROUP_SUPER_MAGIC && file_system.f_type != CGROUP2_SUPER_MAGIC)
        return Error{"'" + directory + "' is not on a cgroup file system"};
    int version = file_system.f_type == CGROUP2_SUPER_MAGIC ? 2 : 1;
    return std::optional<CgroupDir>(CgroupDir(std::move(fd), version, directory));
}

Result<UniqueFd> CgroupDir::open_file(std::string_view file, int flags) const
{
    TRY(check_name(file));
    int fd = open_beneath(fd_.get(), std::string(file).c_str(), flags);
    if (fd < 0)
        return errno_error("cannot open '" + std::string(file) + "'");
    return UniqueFd(fd);
}

Result<std::string> CgroupDir::read(std::string_view file) const
{
    UniqueFd fd = TRY(open_file(file, O_RDONLY));
    std::string text = TRY(read_all(fd.get(), 64 << 20).with_context("'" + std::string(file) + "' of cgroup '" + name_ + "'"));
    if (text.ends_with('\n'))
        text.pop_back();
    return text;
}

Result<std::optional<std::string>> CgroupDir::read_if_exists(std::string_view file) const
{
    Result<std::string> text = read(file);
    if (!text.has_value() && text.error().error_number == ENOENT)
        return std::optional<std::string>();
    return std::optional<std::string>(TRY(std::move(text)));
}

static std::string cannot_write(std::string_view value, std::string_view file)
{
    std::string shown(value.substr(0, 80));
    std::replace(shown.begin(), shown.end(), '\n', ' ');
    return "cannot write '" + shown + "' to '" + std::string(file) + "'";
}

Result<void> CgroupFile::write(std::string_view value) const
{
    ssize_t written = ::write(fd_.get(), value.data(), value.size());
    if (written < 0)
        return errno_error(cannot_write(value, name_));
    if (static_cast<size_t>(written) != value.size())
        return Error{cannot_write(value, name_) + ": only " + std::to_string(written) + " bytes were taken"};
    return {};
}

Result<CgroupFile> CgroupDir::open_to_write(std::string_view file) const { return CgroupFile(TRY(open_file(file, O_WRONLY)), file); }

Result<void> CgroupDir::write(std::string_view file, std::string_view value) const
{
    Result<CgroupFile> opened = open_to_write(file);
    if (!opened.has_value())
        return Error{cannot_write(value, file), opened.error().error_number};
    return opened.value().write(value);
}

bool CgroupDir::has(std::string_view file) const
{
    struct stat status;
    return check_name(file).has_value() && ::fstatat(fd_.get(), std::string(file).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<std::optional<CgroupDir>> CgroupDir::child(std::string_view name) const
{
    TRY(check_name(name));
    std::string path = name_ + "/" + std::string(name);
    UniqueFd fd(open_beneath(fd_.get(), std::string(name).c_str(), O_RDONLY | O_DIRECTORY));
    if (!fd) {
        if (errno == ENOENT)
            return std::optional<CgroupDir>();
        return errno_error("cannot open cgroup '" + path + "'");
    }
    return std::optional<CgroupDir>(CgroupDir(std::move(fd), version_, std::move(path)));
}

static std::vector<std::string> directory_names(int fd)
{
    std::vector<std::string> names;
    // A descriptor of its own: closedir closes it, and the offset is not shared.
    int own = ::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* stream = own < 0 ? nullptr : ::fdopendir(own);
    if (stream == nullptr) {
        if (own >= 0)
            ::close(own);
        return names;
    }
    while (const dirent* entry = ::readdir(stream))
        if (entry->d_type == DT_DIR && std::string_view(entry->d_name) != "." && std::string_view(entry->d_name) != "..")
            names.emplace_back(entry->d_name);
    ::closedir(stream);
    return names;
}

Result<std::vector<std::string>> CgroupDir::child_names() const { return directory_names(fd_.get()); }

/// Visits every cgroup below `top`, children before their parent: visit(parent, name, cgroup). Holds
/// two descriptors however deep the tree is: a container that may make cgroups can make it very deep.
template <typename Visit>
static Result<void> visit_below(int top, Visit visit)
{
    UniqueFd here(::openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!here)
        return errno_error("cannot open a cgroup");
    std::vector<std::string> names;
    std::vector<std::vector<std::string>> todo;
    todo.push_back(directory_names(here.get()));
    for (;;) {
        if (!todo.back().empty()) {
            std::string name = std::move(todo.back().back());
            todo.back().pop_back();
            UniqueFd next(open_beneath(here.get(), name.c_str(), O_RDONLY | O_DIRECTORY));
            if (!next)
                continue;  // gone meanwhile
            here = std::move(next);
            names.push_back(std::move(name));
            todo.push_back(directory_names(here.get()));
            continue;
        }
        todo.pop_back();
        if (todo.empty())
            return {};
        // A cgroup stays below the parent that it was made in, so `..` leads back to where we came from.
        UniqueFd parent(::openat(here.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!parent)
            return errno_error("cannot open a cgroup");
        visit(parent.get(), names.back(), here.get());
        here = std::move(parent);
        names.pop_back();
    }
}

std::vector<pid_t> parse_processes(std::string_view text)
{
    std::vector<pid_t> pids;
    while (!text.empty())
        if (Result<unsigned long long> pid = parse_unsigned(take_line(text)); pid.has_value())
            pids.push_back(static_cast<pid_t>(pid.value()));
    return pids;
}

std::string list_of(std::span<const pid_t> pids)
{
    std::string list;
    for (size_t i = 0; i < pids.size() && i < 20; i++)
        list += (i == 0 ? "" : ", ") + std::to_string(pids[i]) + (pids[i] == 0 ? " (of another pid namespace)" : "");
    return pids.size() > 20 ? list + ", ..." : list;
}

std::string who_is_inside(std::span<const pid_t> pids)
{
    return pids.size() == 1 ? "process " + list_of(pids) + " is in it" : "processes " + list_of(pids) + " are in it";
}

Result<std::vector<pid_t>> CgroupDir::own_processes() const { return parse_processes(TRY(read("cgroup.procs"))); }

static void append_processes(int cgroup, std::vector<pid_t>& to)
{
    UniqueFd file(open_beneath(cgroup, "cgroup.procs", O_RDONLY));
    if (!file)
        return;  // removed meanwhile
    // A threaded cgroup cannot be read (EOPNOTSUPP): its processes are listed in its domain cgroup.
    if (Result<std::string> text = read_all(file.get(), 64 << 20); text.has_value())
        for (pid_t pid : parse_processes(text.value()))
            if (pid != 0)
                to.push_back(pid);
}

static Result<std::vector<pid_t>> processes_of(int cgroup)
{
    std::vector<pid_t> pids;
    append_processes(cgroup, pids);
    TRY(visit_below(cgroup, [&](int, const std::string&, int below) { append_processes(below, pids); }));
    // v1 may list a process twice (man 7 cgroups).
    std::sort(pids.begin(), pids.end());
    pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
    return pids;
}

Result<std::vector<pid_t>> CgroupDir::processes() const { return processes_of(fd_.get()); }

// ---------------------------------------------------------------- freezing

static void sleep_ms(long milliseconds)
{
    timespec time{milliseconds / 1000, milliseconds % 1000 * 1000000};
    ::nanosleep(&time, nullptr);
}

static bool can_freeze(const CgroupDir& cgroup) { return cgroup.has(cgroup.version() == 1 ? "freezer.state" : "cgroup.freeze"); }

Result<bool> CgroupDir::is_frozen() const
{
    if (version_ == 2)
        return TRY(read_if_exists("cgroup.freeze")).value_or("0") == "1";
    return TRY(read_if_exists("freezer.state")).value_or("THAWED") != "THAWED";
}

static Result<bool> all_stopped(const CgroupDir& cgroup)
{
    if (cgroup.version() == 1)
        return TRY(cgroup.read("freezer.state")) == "FROZEN";
    return TRY(cgroup.read("cgroup.events")).find("frozen 1") != std::string::npos;
}

static Result<void> thaw(const CgroupDir& cgroup)
{
    return cgroup.version() == 1 ? cgroup.write("freezer.state", "THAWED") : cgroup.write("cgroup.freeze", "0");
}

/// Freezes and waits for at most `patience_ms`; false: not all have stopped.
static Result<bool> freeze(const CgroupDir& cgroup, long long patience_ms)
{
    long long end = monotonic_ms() + patience_ms;
    for (long pause = 1;; pause = std::min(pause * 2, 50L)) {
        // v1: writing again makes the kernel try again with those that could not be frozen.
        if (pause == 1 || cgroup.version() == 1)
            TRY(cgroup.version() == 1 ? cgroup.write("freezer.state", "FROZEN") : cgroup.write("cgroup.freeze", "1"));
        if (TRY(all_stopped(cgroup)))
            return true;
        if (monotonic_ms() >= end)
            return false;
        sleep_ms(pause);
    }
}

Result<bool> is_frozen(std::span<const CgroupLocation> locations)
{
    const CgroupLocation* location = location_to_kill(locations);
    if (location == nullptr)
        return false;
    std::optional<CgroupDir> cgroup = TRY(CgroupDir::open(location->directory()));
    return cgroup ? cgroup->is_frozen() : Result<bool>(false);
}

Result<void> set_frozen(std::span<const CgroupLocation> locations, bool frozen)
{
    const CgroupLocation* location = location_to_kill(locations);
    if (location == nullptr)
        return Error{"cannot freeze: the container has no cgroup"};
    std::optional<CgroupDir> cgroup = TRY(CgroupDir::open(location->directory()));
    if (!cgroup)
        return Error{"cannot freeze cgroup '" + location->path + "'", ENOENT};
    if (!can_freeze(*cgroup))
        return Error{"cannot freeze cgroup '" + location->path + "': neither a v1 freezer nor cgroup v2 is mounted"};
    stage::step(frozen ? "freeze the cgroup" : "thaw the cgroup");
    if (!frozen)
        return thaw(*cgroup);
    bool stopped = TRY(freeze(*cgroup, 10000));
    if (!stopped) {
        TRY(thaw(*cgroup));
        return Error{"cannot freeze cgroup '" + location->path + "': some process did not stop within 10 seconds"};
    }
    return {};
}

// ---------------------------------------------------------------- killing

/// Signals those processes of the cgroup that are not in `done` yet, and adds them. False: there were
/// none. (One that has left its place to a child before it could be signalled counts: look again.)
static Result<bool> signal_new_processes(const CgroupDir& cgroup, int signal, std::vector<pid_t>& done)
{
    std::vector<pid_t> found = TRY(cgroup.processes());
    std::vector<std::pair<pid_t, UniqueFd>> opened;
    bool any = false;
    size_t next = 0;
    while (next < found.size()) {
        // In portions, so that the limit of open descriptors does not matter.
        opened.clear();
        for (; next < found.size() && opened.size() < 64; next++) {
            if (std::binary_search(done.begin(), done.end(), found[next]))
                continue;
            any = true;
            if (UniqueFd pidfd = open_pidfd(found[next]))
                opened.emplace_back(found[next], std::move(pidfd));
            else if (errno != ESRCH && errno != EINVAL)
                return errno_error("cannot open process " + std::to_string(found[next]) + " of cgroup '" + cgroup.name() + "'");
        }
        if (opened.empty())
            continue;
        // The number was read before the pidfd was opened. Only when the cgroup still lists it
        // afterwards is the pidfd that of a process in it.
        std::vector<pid_t> still = TRY(cgroup.processes());
        for (auto& [pid, pidfd] : opened) {
            if (!std::binary_search(still.begin(), still.end(), pid))
                continue;
            done.insert(std::lower_bound(done.begin(), done.end(), pid), pid);
            if (send_signal(pidfd.get(), signal) < 0 && errno != ESRCH)
                return errno_error("cannot signal process " + std::to_string(pid) + " of cgroup '" + cgroup.name() + "'");
        }
    }
    return any;
}

Result<void> kill_processes(const std::string& directory, int signal)
{
    std::optional<CgroupDir> cgroup = TRY(CgroupDir::open(directory));
    if (!cgroup)
        return {};
    stage::step("signal the processes of the cgroup");
    if (signal == SIGKILL && cgroup->version() == 2) {
        // Linux 5.14, Documentation/admin-guide/cgroup-v2.rst: kills the whole tree, forks included.
        Result<void> killed = cgroup->write("cgroup.kill", "1");
        if (killed.has_value() || (killed.error().error_number != ENOENT && killed.error().error_number != EOPNOTSUPP))
            return killed;
    }

    std::vector<pid_t> inside = TRY(cgroup->processes());
    // Frozen together with them, we could not thaw them again.
    if (std::binary_search(inside.begin(), inside.end(), ::getpid()))
        return Error{"cannot signal the processes of cgroup '" + directory + "': this process is one of them"};

    bool was_frozen = false;
    bool frozen = false;
    if (can_freeze(*cgroup)) {
        was_frozen = TRY(cgroup->is_frozen());
        // Not all stop when one hangs in the kernel; the rounds below are enough to get them then.
        if (!was_frozen)
            frozen = freeze(*cgroup, 500).has_value();
    }
    ScopeExit thaw_again([&] {
        // A v1 cgroup that stays frozen does not die, so that SIGKILL thaws it in any case.
        if (frozen || (was_frozen && signal == SIGKILL && cgroup->version() == 1))
            (void)thaw(*cgroup).has_value();
    });
    // Each round finds only what was born since the last one; with everything frozen that is nobody.
    std::vector<pid_t> done;
    for (long long end = monotonic_ms() + 2000;;) {
        if (!TRY(signal_new_processes(*cgroup, signal, done)))
            return {};
        if (monotonic_ms() >= end)
            return Error{"processes of cgroup '" + directory + "' multiply faster than they can be signalled"};
    }
}

// ---------------------------------------------------------------- removing

/// 0: it is gone. Otherwise the errno.
static int try_to_remove(const std::string& directory)
{
    if (::rmdir(directory.c_str()) == 0 || errno == ENOENT || errno == ENODEV)
        return 0;
    return errno;
}

static bool is_in_use(int problem) { return problem == EBUSY || problem == ENOTEMPTY; }

static Error cannot_remove(const std::string& directory, std::span<const pid_t> inside, int problem)
{
    return Error{"cannot remove cgroup '" + directory + "'" + (inside.empty() ? "" : ": " + who_is_inside(inside)), problem};
}

Result<void> remove_cgroup(const std::string& directory, int patience_ms)
{
    std::optional<CgroupDir> cgroup = TRY(CgroupDir::open(directory));
    if (!cgroup)
        return {};
    stage::step("remove the cgroup");
    int problem = try_to_remove(directory);
    for (long long end = monotonic_ms() + patience_ms; problem != 0;) {
        if (!is_in_use(problem))
            return cannot_remove(directory, {}, problem);
        TRY(visit_below(cgroup->fd(), [](int parent, const std::string& name, int) { ::unlinkat(parent, name.c_str(), AT_REMOVEDIR); }));
        problem = try_to_remove(directory);
        if (problem == 0)
            return {};
        std::vector<pid_t> inside = TRY(cgroup->processes());
        long long left = end - monotonic_ms();
        if (left <= 0)
            return cannot_remove(directory, inside, problem);
        // Somebody who is on the way out: wait for the end of one of them. Whoever has ended may be
        // seen in the cgroup for a moment longer.
        UniqueFd pidfd = inside.empty() ? UniqueFd() : open_pidfd(inside[0]);
        pollfd wait{pidfd.get(), POLLIN, 0};
        if (!pidfd || ::poll(&wait, 1, static_cast<int>(std::min(left, 100LL))) != 0)
            sleep_ms(1);
        problem = try_to_remove(directory);
    }
    return {};
}

Result<bool> remove_empty_cgroup(const std::string& directory)
{
    std::optional<CgroupDir> cgroup = TRY(CgroupDir::open(directory));
    if (!cgroup)
        return true;
    stage::step("remove the cgroup");
    int problem = try_to_remove(directory);
    if (problem != 0 && !is_in_use(problem))
        return cannot_remove(directory, {}, problem);
    return problem == 0;
}
