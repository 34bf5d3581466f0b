// Looking at files with another user's rights.
#pragma once

#include <sys/types.h>

/// Until it is destroyed, the ids by which access to files is judged are these (man 2 setfsuid); root's capabilities for files go
/// with them.
///
/// A change of these ids makes a process as dumpable as /proc/sys/fs/suid_dumpable says (kernel/cred.c, commit_creds). Whoever
/// was not dumpable stays so: others in the container could trace it (CVE-2016-9962). Whoever was is again at the end: its
/// files in /proc would be root's (man 5 proc).
class AsUser {
public:
    AsUser(uid_t uid, gid_t gid);
    AsUser(const AsUser&) = delete;
    AsUser& operator=(const AsUser&) = delete;
    ~AsUser();

private:
    int dumpable_;
    gid_t group_;
    uid_t user_;
    bool changed_;
};
