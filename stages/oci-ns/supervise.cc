// Waiting for the child, passing signals on.
#include "supervise.h"

#include <cerrno>
#include <initializer_list>
#include <sys/wait.h>

void ForwardedSignals::block()
{
    ::sigfillset(&forwarded_);
    // The terminal stops the whole foreground process group: we stop with the child. The others are our own
    // faults, which must end us.
    for (int signal : {SIGTSTP, SIGTTIN, SIGTTOU, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
        ::sigdelset(&forwarded_, signal);
    ::sigprocmask(SIG_BLOCK, &forwarded_, &previous_);
}

void ForwardedSignals::restore() const { ::sigprocmask(SIG_SETMASK, &previous_, nullptr); }

int ForwardedSignals::wait_for(pid_t child) const
{
    for (;;) {
        siginfo_t info{};
        int signal = ::sigwaitinfo(&forwarded_, &info);
        if (signal < 0)
            continue;
        if (signal != SIGCHLD) {
            // What the kernel sends (^C, a new window size) it has sent to the child as well; what the child
            // itself has sent to its process group is not for it.
            if (info.si_code <= 0 && info.si_pid != child)
                ::kill(child, signal);
            continue;
        }
        int status = 0;
        pid_t ended;
        while ((ended = ::waitpid(-1, &status, WNOHANG)) > 0)
            if (ended == child)
                return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        // Cannot be without a child: someone has set SIGCHLD to be ignored.
        if (ended < 0 && errno == ECHILD)
            return 125;
    }
}
