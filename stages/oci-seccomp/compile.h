// From a profile to the kernel's instructions.
#pragma once

#include "profile.h"

struct CompileOptions {
    /// Answer ENOSYS to calls that are newer than the profile (see enosys.h).
    bool enosys = true;
    /// An unknown name is an error, not a note.
    bool strict = false;
};

struct Compiled {
    std::string raw;                 ///< an array of struct sock_filter
    std::vector<std::string> notes;  ///< what was passed over, a sentence each
};

Result<Compiled> compile(const Profile& profile, const CompileOptions& options);
