// The ids for file access, changed and restored.
#include "process/as_user.h"

#include <sys/fsuid.h>
#include <sys/prctl.h>

AsUser::AsUser(uid_t uid, gid_t gid) : dumpable_(::prctl(PR_GET_DUMPABLE))
{
    group_ = static_cast<gid_t>(::setfsgid(gid));
    user_ = static_cast<uid_t>(::setfsuid(uid));
    changed_ = group_ != gid || user_ != uid;
    if (changed_)
        ::prctl(PR_SET_DUMPABLE, 0);
}

AsUser::~AsUser()
{
    if (!changed_)
        return;
    ::setfsuid(user_);
    ::setfsgid(group_);
    // 2, for root alone (man 5 proc, suid_dumpable), can only be set by the kernel.
    ::prctl(PR_SET_DUMPABLE, dumpable_ == 1 ? 1 : 0);
}
