// Making the child process, on every kernel that we support.
#pragma once

#include "result/result.h"

#include <cstdint>
#include <sys/types.h>

/// Whether the child works in our memory until it executes a program.
enum class Memory {
    copied,             ///< as fork
    shared_until_exec,  ///< as vfork: we sleep that long, and no page table is copied
};

struct CloneRequest {
    uint64_t flags;       ///< CLONE_NEW..., CLONE_PARENT
    int cgroup_fd;        ///< directory of the cgroup to be born in (CLONE_INTO_CGROUP); -1: none
    Memory memory;
    void (*child)(void*);  ///< must not return
    void* argument;
    pid_t* pid;  ///< set before the child runs; the child sees it when memory is shared
    int* pidfd = nullptr;  ///< of the child; -1 where the kernel has no clone3
    int* cgroup_procs = nullptr;  ///< with `cgroup_fd`: -1, or the open cgroup.procs when the kernel can't do that: the child must join by itself
};

/// Whether this build can share memory; where it cannot, `memory` must be `copied`.
bool can_share_memory();

/// Makes the child.
Result<void> clone_child(const CloneRequest& request);
