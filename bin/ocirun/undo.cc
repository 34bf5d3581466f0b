// Replaying the journal backwards.
#include "undo.h"

#include "host_mounts.h"
#include "process/pidfd.h"
#include "scan/scan.h"
#include "stage/stage.h"
#include "unit.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/// Waits, but not for ever, until the process is dead; somebody else may have to reap it.
static bool has_ended(const UniqueFd& pidfd)
{
    pollfd ended{pidfd.get(), POLLIN, 0};
    int ready;
    while ((ready = ::poll(&ended, 1, 10'000)) < 0 && errno == EINTR) {
    }
    return ready > 0;
}

void wait_for_end(const ProcessId& process)
{
    Result<std::optional<UniqueFd>> pidfd = open_process(process);
    if (pidfd.has_value() && pidfd.value())
        (void)has_ended(*pidfd.value());
}

Result<void> kill_and_wait(const ProcessId& process)
{
    std::optional<UniqueFd> pidfd = TRY(open_process(process));
    if (!pidfd)
        return {};
    if (send_signal(pidfd->get(), SIGKILL) < 0 && errno != ESRCH)
        return errno_error("cannot kill process " + std::to_string(process.pid));
    if (!has_ended(*pidfd))
        return Error{"process " + std::to_string(process.pid) + " does not die although it was killed; it may hang in the kernel (state D)"};
    return {};
}

/// The journal's entries of one kind, newest first: outer things were made, and go, last.
static std::vector<JournalEntry> newest_first(const std::vector<JournalEntry>& journal, const char* what, size_t fields)
{
    std::vector<JournalEntry> entries;
    for (size_t i = journal.size(); i > 0; i--)
        if (journal[i - 1].what == what && journal[i - 1].fields.size() == fields)
            entries.push_back(journal[i - 1]);
    return entries;
}

namespace {
struct Cgroups {
    std::vector<std::string> ours;     ///< the container's processes are in them, nobody else's
    std::vector<std::string> planned;  ///< oci-cgroup did not come to its end: nobody of ours has been in them
};
}  // namespace

/// Newest first. A cgroup is the container's when oci-cgroup has said where it is; before that, somebody else may have made it.
static Cgroups cgroups_of(const std::vector<JournalEntry>& journal)
{
    auto is_named = [&](const char* what, const std::string& directory) {
        for (const JournalEntry& entry : journal) {
            if (entry.what != what)
                continue;
            if (entry.fields.size() == 1 ? entry.fields[0] == directory : entry.fields.size() == 4 && entry.fields[2] + entry.fields[3] == directory)
                return true;
        }
        return false;
    };
    Cgroups cgroups;
    for (JournalEntry& entry : newest_first(journal, "cgroup", 1)) {
        if (is_named("location", entry.fields[0]))
            cgroups.ours.push_back(std::move(entry.fields[0]));
        else if (!is_named("cgroup-not-ours", entry.fields[0]))
            cgroups.planned.push_back(std::move(entry.fields[0]));
    }
    return cgroups;
}

static Result<void> kill_all(const std::vector<std::string>& cgroups, const std::vector<ProcessId>& processes)
{
    // The cgroups first: a process that is frozen dies only when its cgroup is thawed.
    for (const std::string& cgroup : cgroups) {
        stage::step("kill the processes in " + cgroup);
        TRY(kill_processes(cgroup));
    }
    for (const ProcessId& process : processes) {
        stage::step("kill process " + std::to_string(process.pid));
        TRY(kill_and_wait(process));
    }
    return {};
}

/// Whether somebody who lives is in the group; who has ended and is not reaped yet does not count.
static bool is_inhabited(const std::string& group)
{
    UniqueFd file(::open((group + "/tasks").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));  // lint: a path of the host's resctrl
    Result<std::string> tasks = file ? read_all(file.get(), 64 << 20) : Result<std::string>(Error{"no tasks"});
    if (!tasks.has_value())
        return false;
    for (std::string_view rest = tasks.value(); !rest.empty();) {
        Result<long long> task = parse_number(take_line(rest));
        std::optional<ProcessStatus> status = task.has_value() ? read_process_status(static_cast<pid_t>(task.value())) : std::nullopt;
        if (status && status->state != 'Z' && status->state != 'X')
            return true;
    }
    return false;
}

/// A group that the plan named by closID may have got others: then it stays, as the kernel would let them loose.
static Result<void> remove_resctrl_groups(const std::vector<JournalEntry>& journal)
{
    for (size_t i = journal.size(); i > 0; i--) {
        const JournalEntry& entry = journal[i - 1];
        auto is_not_ours = [&](const JournalEntry& other) { return other.what == "resctrl-not-ours" && other.fields == entry.fields; };
        if (std::any_of(journal.begin(), journal.end(), is_not_ours))
            continue;
        if (entry.fields.size() != 1 || (entry.what != "resctrl" && (entry.what != "resctrl-shared" || is_inhabited(entry.fields[0]))))
            continue;
        stage::step("remove the group of resctrl " + entry.fields[0]);
        if (::rmdir(entry.fields[0].c_str()) < 0 && errno != ENOENT)
            return errno_error("cannot remove the group of resctrl '" + entry.fields[0] + "'");
    }
    return {};
}

Result<void> undo_container(const Context& context, const StateRoot& root, ContainerState& state)
{
    std::vector<JournalEntry> journal = TRY(state.journal());
    std::vector<JournalEntry> boots = newest_first(journal, "boot", 1);
    bool stale = !boots.empty() && boots[0].fields[0] != TRY(read_boot_id());
    if (!stale) {
        const Cgroups cgroups = cgroups_of(journal);
        std::vector<ProcessId> processes;
        bool alive = false;
        for (const JournalEntry& entry : newest_first(journal, "process", 2)) {
            Result<long long> pid = parse_number(entry.fields[0]);
            Result<unsigned long long> start_time = parse_unsigned(entry.fields[1]);
            if (!pid.has_value() || !start_time.has_value())
                continue;  // damaged: the cgroups tell the processes as well
            processes.push_back({static_cast<pid_t>(pid.value()), start_time.value()});
            alive = alive || is_alive(processes.back());
        }
        if (alive)
            TRY(kill_all(cgroups.ours, processes));
        std::optional<Unit> unit = find_unit(journal);
        Result<void> stopped = unit ? stop_unit(context, *unit) : Result<void>();

        // The common case is that all are empty: one rmdir each.
        bool removed = true;
        for (const std::string& cgroup : cgroups.ours) {
            stage::step("remove the cgroup " + cgroup);
            if (::rmdir(cgroup.c_str()) < 0 && errno != ENOENT)
                removed = false;
        }
        if (!removed) {
            TRY(kill_all(cgroups.ours, processes));
            for (const std::string& cgroup : cgroups.ours)
                TRY(remove_cgroup(cgroup));
        }
        // The manager has ended, and its units with it (a user's, when the user has logged out): no cgroup, no unit.
        if (!stopped.has_value() && cgroups.ours.empty())
            return stopped;
        for (const std::string& cgroup : cgroups.planned)
            ::rmdir(cgroup.c_str());
        TRY(remove_resctrl_groups(journal));
        // Made on the way to ours; they stay when others have come to live there.
        for (const JournalEntry& parent : newest_first(journal, "cgroup-parent", 1))
            ::rmdir(parent.fields[0].c_str());
    }
    if (!stale) {
        for (const JournalEntry& entry : journal)
            if (entry.what == "mounts" && !entry.fields.empty())
                TRY(unmount_below(entry.fields[0], {entry.fields.begin() + 1, entry.fields.end()}));
    }
    stage::step("remove the state");
    TRY(state.remove_all(journal));
    return remove_unfinished_entries(root, state.id());
}
