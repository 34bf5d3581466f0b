// Programs that nobody can write while or after they are executed.
#pragma once

#include "fd/fd.h"

#include <optional>
#include <string>

/// A folder seen through a read-only overlay mount that is attached nowhere and has no layer that could be written. Who finds a program that
/// was executed from it in /proc/PID/exe cannot write it, neither through that mount nor afterwards (CVE-2019-5736). It costs no copy,
/// unlike a sealed memory file. The mount lives as long as one of its files is open or executed.
class ReadOnlyFolder {
public:
    /// Nothing: this kernel, or the rights of the caller, do not allow it, or overlayfs would take a part of the path for syntax.
    static std::optional<ReadOnlyFolder> mount(const std::string& folder);
    /// A regular file in it, O_PATH; not open: there is none.
    UniqueFd open(const std::string& name) const;

private:
    explicit ReadOnlyFolder(UniqueFd root) : root_(std::move(root)) {}
    UniqueFd root_;
};
