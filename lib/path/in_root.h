// Paths below a root file system whose content is hostile.
#pragma once

#include "fd/fd.h"
#include "result/result.h"

#include <string>
#include <string_view>
#include <sys/types.h>

/// What a lookup does with symbolic links. Magic links of procfs (fd/N, cwd, exe, ...) are never followed.
enum class Links {
    follow,       ///< as if the root were "/": an absolute target and ".." stay inside
    refuse_last,  ///< the last component is taken as it is, link or not
    refuse,       ///< no component may be a link
};

/// A directory that is the root of every path given to it: neither "..", nor a link, nor somebody who
/// renames directories meanwhile leads a lookup out of it. Every answer is a descriptor, so that what
/// was looked up is what is used (openat2(2) RESOLVE_IN_ROOT; without openat2 a walk of our own, one
/// component at a time, that keeps the same promises).
class InRoot {
public:
    explicit InRoot(UniqueFd root) : root_(std::move(root)) {}
    /// The directory at `path`, which is trusted (it comes from config.json).
    static Result<InRoot> open_root(const std::string& path);

    int fd() const { return root_.get(); }

    /// Opens what exists; O_CLOEXEC is added. With O_PATH and Links::refuse_last the descriptor may be
    /// that of a link itself.
    Result<UniqueFd> open(std::string_view path, int flags, Links links = Links::follow) const;

    /// The directory at `path`, with all that is missing of it made with `mode`. A dangling link on the
    /// way is followed inside the root and its target made. Afterwards the path must lead to the very
    /// directory that was made; somebody who exchanges directories meanwhile gets an error (CVE-2024-45310).
    Result<UniqueFd> make_directories(std::string_view path, mode_t mode, Links links = Links::follow) const;

    /// The directory of the last component and its name. `make`: missing directories are made (0755).
    struct Place {
        UniqueFd directory;
        std::string name;
    };
    Result<Place> find_place(std::string_view path, bool make, Links links = Links::follow) const;

    /// An O_PATH descriptor of the file at `path`; when missing, an empty file is made, and so are its
    /// directories (0755). What a dangling link leads to is made inside the root.
    Result<UniqueFd> make_file(std::string_view path, mode_t mode, Links links = Links::follow) const;

    /// For tests: never use openat2.
    void forbid_openat2() { openat2_forbidden_ = true; }

private:
    enum class Make { nothing, directories, file };
    Result<UniqueFd> walk(std::string_view path, int flags, Links links, Make make, mode_t mode) const;
    UniqueFd try_openat2(std::string_view path, int flags, Links links) const;

    UniqueFd root_;
    bool openat2_forbidden_ = false;
};

/// `path` without empty, "." and ".." components, starting with a slash; ".." takes away the component before it.
std::string clean_path(std::string_view path);
