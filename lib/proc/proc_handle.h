// Our own procfs, which nobody can have put anything over.
#pragma once

#include "fd/fd.h"
#include "result/result.h"

#include <string_view>

/// A procfs for our own reads and writes. Labels, limits and kernel settings written through a path
/// below the container's /proc could land in a file that an attacker chose (CVE-2019-16884, CVE-2025-52881);
/// a procfs that was mounted a moment ago and is attached nowhere has nothing over it.
///
/// Where the kernel does not allow one (no fsopen; a user namespace in which parts of /proc are covered),
/// it is /proc, if that is the root of a procfs; lookups in it cross no mount. Ask for it before the
/// root changes.
class ProcHandle {
public:
    enum class Content {
        tasks,   ///< processes only (subset=pid), in which no kernel setting can be reached
        all,     ///< everything: for sysctl
    };
    static Result<ProcHandle> open(Content content);

    /// Opens "self/oom_score_adj" and the like; O_CLOEXEC is added. No link of the magic kind, no mount
    /// and nothing above is crossed, and the answer is on a procfs.
    Result<UniqueFd> open_file(std::string_view path, int flags) const;

    /// Writes all of `text` by one write(2) to the file at `path`.
    Result<void> write_file(std::string_view path, std::string_view text) const;

    int fd() const { return root_.get(); }
    /// Whether it is attached nowhere.
    bool is_private() const { return private_; }

private:
    ProcHandle(UniqueFd root, bool is_private) : root_(std::move(root)), private_(is_private) {}
    UniqueFd root_;
    bool private_;
};
