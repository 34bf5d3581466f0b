// The terminal of a foreground container, and waiting for its first process.
#pragma once

#include "fd/fd.h"
#include "process/process.h"
#include "result/result.h"

#include <string>
#include <string_view>

/// All signals blocked, to be read from a descriptor: what is forwarded cannot kill us halfway. Whatever waits for another
/// program, which may hang, waits here: a signal that asks us to end comes first, as the error `interrupted by ...`, and the
/// caller undoes what it has begun.
class Signals {
public:
    static Result<Signals> block();
    int fd() const { return fd_.get(); }

    /// Waits until `fd` can be read.
    Result<void> wait_readable(int fd) const;
    /// All that comes until the end of the pipe, at most `limit` bytes.
    Result<std::string> read_all(int pipe, size_t limit) const;
    /// Writes all of `text`, though the reader may be slow or hang.
    Result<void> write_all(int pipe, std::string_view text) const;
    /// Waits for the end of a child.
    Result<ExitStatus> wait_for(ChildProcess& child) const;
    /// Takes what has arrived; the error, if it asks us to end.
    Result<void> check() const;

private:
    explicit Signals(UniqueFd fd) : fd_(std::move(fd)) {}
    Result<void> wait(int fd, short events) const;
    UniqueFd fd_;
};

/// Prepares a new terminal for the foreground: no carriage return before newlines (our own terminal
/// adds it, a pipe does not want it), and with `take_size` the window size of ours.
void set_up_master(int master, bool take_size);

/// Stands in for the process `pid` until it ends: forwards signals to it; with `master` (>= 0) relays
/// between it and our stdin and stdout (raw mode while it lasts, restored on every way out) and
/// passes window sizes on. Reaps every child meanwhile. Returns how `pid` ended; all output of the
/// terminal has been written then.
Result<ExitStatus> attend(pid_t pid, const Signals& signals, int master);
