// pidfd_open(2) and pidfd_send_signal(2), which the C library has only since glibc 2.36.
#pragma once

#include "fd/fd.h"

#include <sys/syscall.h>
#include <sys/types.h>

// The same numbers on every architecture.
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/// Not open, and errno, on failure.
inline UniqueFd open_pidfd(pid_t pid) { return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

/// -1 and errno on failure.
inline int send_signal(int pidfd, int signal) { return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0)); }
