// PROGRAM: found, sealed, executed.
#pragma once

#include "fd/fd.h"
#include "result/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// The program that the stage becomes.
class Executable {
public:
    explicit Executable(std::vector<std::string> words) : words_(std::move(words)) {}
    const std::string& name() const { return words_[0]; }

    /// Looks it up in PATH. Exit codes of the errors: 127 not found, 126 cannot be executed.
    Result<void> find();

    /// Copies it into a memory file that nobody can change, not even through /proc/PID/exe of the
    /// process that executes it (CVE-2019-5736). Call find() first.
    ///
    /// Unreadable, its memory belongs to a user namespace from which it could be read by its owner and mode, not to the
    /// one in which it is executed (fs/exec.c, would_dump): there, nobody can trace it, CAP_SYS_PTRACE or not. The price is
    /// that its own /proc files belong to somebody else: it cannot write /proc/self/oom_score_adj.
    enum class Copy : uint8_t { readable, unreadable };
    Result<void> seal(Copy copy = Copy::readable);

    /// As seal(), but without the cost of a copy where the kernel lets us: it is executed from a
    /// read-only overlay mount that is attached nowhere. Falls back to seal().
    Result<void> protect();

    /// Executes `program`, which somebody has opened on such a mount; a mount that can be written is an error.
    Result<void> use(UniqueFd program);

    /// Returns when the stage itself is executed from where nobody can write it; otherwise executes it anew from such a place,
    /// with the same arguments. For a process that others are going to see: in their pid namespace they find its file in
    /// /proc/PID/exe, and who is root there may write it when it is no longer executed (CVE-2019-5736).
    static Result<void> protect_itself(std::span<const int> handed_on);

    /// Becomes it; returns only on failure. The descriptors in `handed_on` lose close-on-exec.
    Error execute(std::span<const int> handed_on);

private:
    Result<bool> mount_read_only();
    Error become(std::span<const int> handed_on);

    std::vector<std::string> words_;
    std::string path_;
    UniqueFd sealed_;
};
