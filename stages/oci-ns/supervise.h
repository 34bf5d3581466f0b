// Standing for a child process until it ends.
#pragma once

#include <csignal>
#include <sys/types.h>

/// Signals that are passed on; blocked from before the child exists, so that none is lost.
class ForwardedSignals {
public:
    /// Blocks them; `previous` is what PROGRAM gets back.
    void block();
    void restore() const;
    /// Waits for `child`, passing on the signals that people and programs send. Returns the exit status, or 128
    /// + the signal that ended it. Other children, inherited by exec, are reaped on the way.
    int wait_for(pid_t child) const;

private:
    sigset_t forwarded_;
    sigset_t previous_;
};
