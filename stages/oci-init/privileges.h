// Who the program runs as, and what it may do.
#pragma once

#include "fd/fd.h"
#include "plan/plan.h"
#include "result/result.h"

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

/// `init.user` and `init.additional-gid` lines. An id that stays as it is is -1, which means just that to the system calls.
struct User {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
};
Result<User> read_user(const Plan& plan);

/// Sets the supplementary groups; with `init.keep-groups` they stay as they are.
Result<void> set_groups(const Plan& plan, const User& user);

/// `init.capability` lines, a bit each; a set without a line is empty. Capabilities that this system or
/// this process does not have are left out, with a warning.
struct CapabilitySets {
    uint64_t bounding = 0;
    uint64_t permitted = 0;
    uint64_t effective = 0;
    uint64_t inheritable = 0;
    uint64_t ambient = 0;
};
Result<CapabilitySets> read_capabilities(const Plan& plan);

/// Becomes the user with exactly these capabilities, for good.
Result<void> drop_privileges(const User& user, const CapabilitySets& sets);

/// A security label for the program, prepared while procfs can still be reached.
class Label {
public:
    /// From `init.apparmor-profile` or `init.selinux-label`; a profile where AppArmor is off is an error.
    static Result<Label> prepare(const Plan& plan);
    /// Puts it into force for the next execve. The credentials must not have changed since it was prepared.
    Result<void> apply();

private:
    UniqueFd file_;
    std::string text_;
    std::string pointer_;
};
