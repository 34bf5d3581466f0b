// Which switch of this host forbids (user) namespaces.
#pragma once

#include "kinds.h"
#include "result/result.h"

#include <cstdint>
#include <string>

/// What the host's switches say; a number that could not be read is -1.
struct Restrictions {
    long long max_user_namespaces = -1;          ///< user.max_user_namespaces
    long long unprivileged_userns_clone = -1;    ///< kernel.unprivileged_userns_clone (Debian's kernels)
    long long apparmor_restricts_userns = -1;    ///< kernel.apparmor_restrict_unprivileged_userns (Ubuntu)
    long long seccomp_mode = -1;                 ///< `Seccomp:` in /proc/self/status
    std::string exhausted_kind;                  ///< a kind asked for whose limit is 0
};
Restrictions read_restrictions(uint64_t flags);

/// The responsible switch and the smallest remedy; empty: none of them.
std::string responsible_switch(const Restrictions& restrictions, int error_number);

/// Adds the responsible switch to an error of making or filling a user namespace, for errors that a switch can cause.
Error explain_user_namespace_error(Error error, uint64_t flags = CLONE_NEWUSER);
