// The system calls of mounting by descriptor, one thin function each: name, order and errno as in the man pages.
#pragma once

#include "fd/fd.h"

#include <cstdint>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#if __has_include(<linux/mount.h>)
#include <linux/mount.h>
#endif

// The same numbers on every architecture.
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#define SYS_fspick 433
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/// -1 and errno on failure, as the calls themselves.
namespace mount_calls {

/// Not struct mount_attr: headers before Linux 5.12 lack it.
struct Attributes {
    uint64_t set = 0;
    uint64_t clear = 0;
    uint64_t propagation = 0;
    uint64_t userns_fd = 0;
};

inline UniqueFd open_tree(int dir, const char* path, unsigned flags)
{
    return UniqueFd(static_cast<int>(::syscall(SYS_open_tree, dir, path, flags | O_CLOEXEC)));
}

/// Attaches the mount that `mount` is the root of to what `target` is open on.
inline int move_mount(int mount, int target)
{
    return static_cast<int>(::syscall(SYS_move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

inline UniqueFd fsopen(const char* type) { return UniqueFd(static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC))); }

inline int fsconfig_string(int fs, const char* key, const char* value)
{
    return static_cast<int>(::syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0));
}

inline int fsconfig_flag(int fs, const char* key)
{
    return static_cast<int>(::syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, key, nullptr, 0));
}

inline int fsconfig_create(int fs)
{
    return static_cast<int>(::syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
}

inline UniqueFd fsmount(int fs, unsigned attributes)
{
    return UniqueFd(static_cast<int>(::syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes)));
}

/// Of the mount that `mount` is the root of; `recursive`: and of all below it.
inline int mount_setattr(int mount, Attributes attributes, bool recursive)
{
    unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
    return static_cast<int>(::syscall(SYS_mount_setattr, mount, "", flags, &attributes, sizeof attributes));
}

}  // namespace mount_calls
