// Replaying the journal backwards.
#include "undo.h"

#include "stage/stage.h"

#include <csignal>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

Result<void> kill_and_wait(const ProcessId& process)
{
    std::optional<UniqueFd> pidfd = TRY(open_process(process));
    if (!pidfd)
        return {};
    if (::syscall(SYS_pidfd_send_signal, pidfd->get(), SIGKILL, nullptr, 0) < 0 && errno != ESRCH)
        return errno_error("cannot kill process " + std::to_string(process.pid));
    pollfd ended{pidfd->get(), POLLIN, 0};
    int ready;
    while ((ready = ::poll(&ended, 1, 10'000)) < 0 && errno == EINTR) {
    }
    if (ready <= 0)
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

static Result<void> kill_all(const std::vector<JournalEntry>& cgroups, const std::vector<ProcessId>& processes)
{
    // The cgroups first: a process that is frozen dies only when its cgroup is thawed.
    for (const JournalEntry& cgroup : cgroups) {
        stage::step("kill the processes in " + cgroup.fields[0]);
        TRY(kill_processes(cgroup.fields[0]));
    }
    for (const ProcessId& process : processes) {
        stage::step("kill process " + std::to_string(process.pid));
        TRY(kill_and_wait(process));
    }
    return {};
}

Result<void> undo_container(const StateRoot& root, ContainerState& state)
{
    std::vector<JournalEntry> journal = TRY(state.journal());
    std::vector<JournalEntry> boots = newest_first(journal, "boot", 1);
    bool stale = !boots.empty() && boots[0].fields[0] != TRY(read_boot_id());
    if (!stale) {
        std::vector<JournalEntry> cgroups = newest_first(journal, "cgroup", 1);
        std::vector<ProcessId> processes;
        bool alive = false;
        for (const JournalEntry& entry : newest_first(journal, "process", 2)) {
            processes.push_back({static_cast<pid_t>(TRY(parse_number(entry.fields[0]))), TRY(parse_unsigned(entry.fields[1]))});
            alive = alive || is_alive(processes.back());
        }
        if (alive)
            TRY(kill_all(cgroups, processes));

        // The common case is that all are empty: one rmdir each.
        bool removed = true;
        for (const JournalEntry& cgroup : cgroups) {
            stage::step("remove the cgroup " + cgroup.fields[0]);
            if (::rmdir(cgroup.fields[0].c_str()) < 0 && errno != ENOENT)
                removed = false;
        }
        if (!removed) {
            TRY(kill_all(cgroups, processes));
            for (const JournalEntry& cgroup : cgroups)
                TRY(remove_cgroup(cgroup.fields[0]));
        }
        // Made on the way to ours; they stay when others have come to live there.
        for (const JournalEntry& parent : newest_first(journal, "cgroup-parent", 1))
            ::rmdir(parent.fields[0].c_str());
    }
    stage::step("remove the state");
    TRY(state.remove_all());
    return remove_unfinished_entries(root, state.id());
}
