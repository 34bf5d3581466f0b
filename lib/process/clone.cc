// clone3(2), with clone(2) where it is missing or forbidden.
#include "process/clone.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

// Younger than some distributions' headers.
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

// AddressSanitizer keeps a record of the stack that a child in the same memory would spoil.
#if (defined(__x86_64__) || defined(__aarch64__)) && !defined(__SANITIZE_ADDRESS__)
#define HAVE_SHARED_CLONE3 1

/// clone3 without a function call around it: the child goes on in this very frame, deeper in the same
/// stack, while the parent sleeps. A call would have its return address overwritten there (man 2 vfork).
[[gnu::always_inline]] static inline long clone3_in_place(clone_args* args)
{
#if defined(__x86_64__)
    long result;
    asm volatile("syscall" : "=a"(result) : "0"(SYS_clone3), "D"(args), "S"(sizeof *args) : "rcx", "r11", "memory");
    return result;
#else
    register long number asm("x8") = SYS_clone3;
    register long first asm("x0") = reinterpret_cast<long>(args);
    register long second asm("x1") = sizeof *args;
    asm volatile("svc 0" : "+r"(first) : "r"(number), "r"(second) : "memory", "cc");
    return first;
#endif
}
#else
#define HAVE_SHARED_CLONE3 0
#endif

[[gnu::noinline]] static long clone3_child(clone_args* args, bool is_shared, void (*child)(void*), void* argument)
{
#if HAVE_SHARED_CLONE3
    if (is_shared) {
        long result = clone3_in_place(args);
        if (result == 0) {
            child(argument);
            __builtin_unreachable();
        }
        if (result < 0) {
            errno = static_cast<int>(-result);
            return -1;
        }
        return result;
    }
#endif
    (void)is_shared;
    long result = ::syscall(SYS_clone3, args, sizeof *args);
    if (result == 0) {
        child(argument);
        __builtin_unreachable();
    }
    return result;
}

struct Start {
    void (*child)(void*);
    void* argument;
};

static int start_child(void* argument)
{
    Start* start = static_cast<Start*>(argument);
    start->child(start->argument);
    return 0;
}

bool can_share_memory() { return HAVE_SHARED_CLONE3 != 0; }

Result<void> clone_child(const CloneRequest& request)
{
    *request.pid = -1;
    if (request.pidfd != nullptr)
        *request.pidfd = -1;
    if (request.cgroup_procs != nullptr)
        *request.cgroup_procs = -1;
    bool is_shared = request.memory == Memory::shared_until_exec;
    clone_args args{};
    args.flags = request.flags | CLONE_PARENT_SETTID | (request.pidfd != nullptr ? CLONE_PIDFD : 0) | (is_shared ? CLONE_VM | CLONE_VFORK : 0) |
                 (request.cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0);
    args.pidfd = reinterpret_cast<uintptr_t>(request.pidfd);
    args.parent_tid = reinterpret_cast<uintptr_t>(request.pid);
    // A sibling's end is told to our parent with the signal that ours is told with.
    args.exit_signal = (request.flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
    args.cgroup = request.cgroup_fd >= 0 ? static_cast<uint64_t>(request.cgroup_fd) : 0;
    if (clone3_child(&args, is_shared, request.child, request.argument) > 0)
        return {};
    // ENOSYS: a system-call filter from before Linux 5.3. EINVAL: CLONE_INTO_CGROUP is of Linux 5.7.
    if (errno != ENOSYS && !(errno == EINVAL && request.cgroup_fd >= 0))
        return errno_error("clone");

    if (request.cgroup_fd >= 0) {
        // Opened out here: writing is judged by who opened it, and the child may have less to say.
        *request.cgroup_procs = ::openat(request.cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (*request.cgroup_procs < 0)
            return errno_error("clone");
    }
    alignas(16) static char stack[256 * 1024];  // not touched, not there
    Start start{request.child, request.argument};
    int flags = static_cast<int>(static_cast<unsigned>(request.flags) | CLONE_PARENT_SETTID | SIGCHLD);
    if (is_shared)
        flags |= CLONE_VM | CLONE_VFORK;
    if (::clone(start_child, stack + sizeof stack, flags, &start, request.pid) < 0)
        return errno_error("clone");
    return {};
}
