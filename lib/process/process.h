// Starting, watching and naming processes.
#pragma once

#include "fd/fd.h"
#include "result/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// How a process ended, as waitid(2) tells it.
struct ExitStatus {
    bool signaled = false;
    int number = 0;  ///< exit status, or the signal

    /// The shell's form: the exit status, or 128 + the signal.
    int shell_status() const { return signaled ? 128 + number : number; }
    /// "exited with status 3", "was killed by signal 9 (Killed)".
    std::string words() const;
};

/// Owns a child process: killed and reaped if nobody waited for it.
class ChildProcess {
public:
    explicit ChildProcess(pid_t pid = -1) : pid_(pid) {}
    ChildProcess(ChildProcess&& other) noexcept : pid_(other.release()) {}
    ChildProcess& operator=(ChildProcess&& other) noexcept
    {
        std::swap(pid_, other.pid_);
        return *this;
    }
    ~ChildProcess();
    pid_t pid() const { return pid_; }
    explicit operator bool() const { return pid_ > 0; }
    /// Waits for the end and reaps. Retries EINTR.
    Result<ExitStatus> wait();
    /// Reaps it if it has ended; nothing: it has not.
    Result<std::optional<ExitStatus>> try_wait();
    /// Gives up ownership: the process lives on.
    pid_t release() { return std::exchange(pid_, -1); }

private:
    Result<std::optional<ExitStatus>> reap(int flags);
    pid_t pid_;
};

/// As execve(2) takes arguments and environments, ended by a null pointer. The strings stay the owners.
std::vector<char*> pointers_to(const std::vector<std::string>& strings);

/// What a new process gets. Descriptors that are not named here stay behind (ours are all close-on-exec).
struct SpawnOptions {
    int stdin_fd = 0;
    int stdout_fd = 1;
    int stderr_fd = 2;
    /// Inherited under their own numbers.
    std::vector<int> inherit = {};
    /// The program, open; `path` is its name for messages then. -1: the one at `path`.
    int program_fd = -1;
    /// NAME=VALUE; empty: an empty environment.
    std::vector<std::string> environment = {};
};

/// The signals that this process ignores, number 1 in bit 0: whatever it executes ignores them, too (man 2 execve).
uint64_t ignored_signals();
/// Gives these their default action, and blocks none.
void reset_signals(uint64_t ignored);

/// Starts the program at `path` with all signals at their defaults and none blocked. Like vfork: the parent's pages are not
/// copied. An error means that execve failed.
Result<ChildProcess> spawn(const std::string& path, const std::vector<std::string>& argv, const SpawnOptions& options);

/// The path of a program of the toolkit: beside our own executable (build/), or in
/// ../libexec/ocirun/ of it (installed).
Result<std::string> find_stage_program(std::string_view name);

/// Whether we are in another user namespace than the initial one, which maps all ids onto themselves. Not known: no.
bool is_in_user_namespace();

/// The number of a process, more than 0.
Result<pid_t> parse_pid(std::string_view text);

/// A process by number and start time, so that a reused number is not taken for it.
struct ProcessId {
    pid_t pid = 0;
    unsigned long long start_time = 0;  ///< field 22 of /proc/PID/stat (man 5 proc)
};

/// What /proc/PID/stat says; nothing: no such process.
struct ProcessStatus {
    char state = 0;  ///< R, S, D, Z, ...
    unsigned long long start_time = 0;
};
std::optional<ProcessStatus> read_process_status(pid_t pid);

/// A pidfd of that very process; nothing: it is gone (or the number was reused). Zombies count as there.
Result<std::optional<UniqueFd>> open_process(const ProcessId& process);

/// Whether it exists and is no zombie.
bool is_alive(const ProcessId& process);
