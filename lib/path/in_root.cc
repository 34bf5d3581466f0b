// Lookups that cannot leave a root: by openat2(2), or one component at a time.
#include "path/in_root.h"

#include <climits>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <vector>

// The same number on every architecture.
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

// As the kernel's own limit (man 7 path_resolution).
static constexpr int max_links = 40;
// The kernel gives EAGAIN when a rename anywhere on the system could have confused "..".
static constexpr int max_openat2_tries = 128;
static constexpr ino_t proc_root_inode = 1;

static std::string quoted(std::string_view path) { return "'" + std::string(path) + "'"; }

std::string clean_path(std::string_view path)
{
    std::string clean;
    while (!path.empty()) {
        size_t slash = path.find('/');
        std::string_view component = path.substr(0, slash);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
        if (component.empty() || component == ".")
            continue;
        if (component == "..") {
            size_t last = clean.rfind('/');
            clean.resize(last == std::string::npos ? 0 : last);
            continue;
        }
        clean += '/';
        clean += component;
    }
    return clean.empty() ? "/" : clean;
}

Result<InRoot> InRoot::open_root(const std::string& path)
{
    UniqueFd root(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root)
        return errno_error("cannot open the directory " + quoted(path));
    return InRoot(std::move(root));
}

/// An empty UniqueFd: see errno.
UniqueFd InRoot::try_openat2(std::string_view path, int flags, Links links) const
{
    if (openat2_forbidden_) {
        errno = ENOSYS;
        return UniqueFd();
    }
    open_how how{};
    how.flags = static_cast<unsigned>(flags | O_CLOEXEC | (links == Links::refuse_last ? O_NOFOLLOW : 0));
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (links == Links::refuse ? RESOLVE_NO_SYMLINKS : 0);
    // The empty path is the root itself.
    std::string text(path.empty() ? "/" : path);
    for (int tries = 0;; tries++) {
        int fd = static_cast<int>(::syscall(SYS_openat2, root_.get(), text.c_str(), &how, sizeof how));
        if (fd >= 0 || errno != EAGAIN || tries == max_openat2_tries)
            return UniqueFd(fd);
    }
}

Result<UniqueFd> InRoot::open(std::string_view path, int flags, Links links) const
{
    UniqueFd fd = try_openat2(path, flags, links);
    if (fd)
        return fd;
    if (errno != ENOSYS)
        return errno_error("cannot open " + quoted(path));
    return walk(path, flags, links, Make::nothing, 0);
}

/// Puts the components of `path` on the stack `rest`, the first on top.
static void push_components(std::vector<std::string>& rest, std::string_view path)
{
    while (!path.empty()) {
        size_t slash = path.rfind('/');
        std::string_view component = slash == std::string_view::npos ? path : path.substr(slash + 1);
        path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
        if (!component.empty() && component != ".")
            rest.emplace_back(component);
    }
}

/// Whether `link`, found in `directory`, is one of procfs that the kernel follows by other means than its text.
static bool is_magic_link(int link, int directory)
{
    struct statfs filesystem;
    struct stat parent;
    if (::fstatfs(link, &filesystem) < 0 || filesystem.f_type != PROC_SUPER_MAGIC)
        return false;
    // Those in procfs' own root are plain: self, thread-self, mounts, net.
    return ::fstat(directory, &parent) < 0 || parent.st_ino != proc_root_inode;
}

static bool same_file(int one, int other)
{
    struct stat a;
    struct stat b;
    return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// The lookup by our own hands. Each component is opened relative to the descriptor of the one before,
/// without following a link, so that renames meanwhile change what is found but never lead outside;
/// ".." goes back to the descriptor that we came from.
Result<UniqueFd> InRoot::walk(std::string_view path, int flags, Links links, Make make, mode_t mode) const
{
    std::vector<std::string> rest;
    push_components(rest, path);
    const bool wants_directory = path.ends_with('/') || path.ends_with("/.");
    std::vector<UniqueFd> way;  // below the root
    int links_followed = 0;
    auto here = [&] { return way.empty() ? root_.get() : way.back().get(); };
    auto failure = [&](int problem) { return Error{"cannot open " + quoted(path), problem}; };

    while (!rest.empty()) {
        std::string name = std::move(rest.back());
        rest.pop_back();
        if (name == "..") {
            if (!way.empty())
                way.pop_back();
            continue;
        }
        const bool last = rest.empty();
        UniqueFd next(::openat(here(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!next && errno == ENOENT && make != Make::nothing) {
            if (last && make == Make::file) {
                UniqueFd made(::openat(here(), name.c_str(), O_CREAT | O_EXCL | O_NOFOLLOW | O_RDONLY | O_CLOEXEC, mode));
                if (!made && errno != EEXIST)
                    return errno_error("cannot make the file " + quoted(path));
            } else if (::mkdirat(here(), name.c_str(), make == Make::file ? 0755 : mode) < 0 && errno != EEXIST) {
                return errno_error("cannot make the directory " + quoted(path));
            }
            next = UniqueFd(::openat(here(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        }
        if (!next)
            return failure(errno);
        struct stat status;
        if (::fstat(next.get(), &status) < 0)
            return failure(errno);

        if (S_ISLNK(status.st_mode) && !(last && links == Links::refuse_last && !wants_directory)) {
            if (links == Links::refuse || ++links_followed > max_links || is_magic_link(next.get(), here()))
                return failure(ELOOP);
            char target[PATH_MAX];
            ssize_t size = ::readlinkat(next.get(), "", target, sizeof target);
            if (size <= 0 || size == static_cast<ssize_t>(sizeof target))
                return failure(size < 0 ? errno : ENAMETOOLONG);
            std::string_view text(target, static_cast<size_t>(size));
            if (text[0] == '/')
                way.clear();
            push_components(rest, text);
            continue;
        }
        if (!last) {
            if (!S_ISDIR(status.st_mode))
                return failure(ENOTDIR);
            way.push_back(std::move(next));
            continue;
        }

        if ((wants_directory || make == Make::directories) && !S_ISDIR(status.st_mode))
            return failure(ENOTDIR);
        if ((flags & O_PATH) != 0) {
            if ((flags & O_DIRECTORY) != 0 && !S_ISDIR(status.st_mode))
                return failure(ENOTDIR);
            return next;
        }
        UniqueFd opened(::openat(here(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
        if (!opened)
            return failure(errno);
        if (!same_file(opened.get(), next.get()))
            return Error{"cannot open " + quoted(path) + ": it was exchanged meanwhile"};
        return opened;
    }

    // The path ended with "..", or was the root itself.
    UniqueFd opened(::openat(here(), ".", flags | O_CLOEXEC));
    if (!opened)
        return failure(errno);
    return opened;
}

Result<UniqueFd> InRoot::make_directories(std::string_view path, mode_t mode, Links links) const
{
    UniqueFd there = try_openat2(path, O_PATH | O_DIRECTORY, links);
    if (there)
        return there;
    if (errno != ENOENT && errno != ENOSYS)
        return errno_error("cannot open the directory " + quoted(path));
    UniqueFd made = TRY(walk(path, O_PATH | O_DIRECTORY, links, Make::directories, mode));
    // The record of the walk must agree with what the whole path says now.
    UniqueFd again = TRY(open(path, O_PATH | O_DIRECTORY, links));
    if (!same_file(made.get(), again.get()))
        return Error{"cannot make the directory " + quoted(path) + ": a directory on its way was exchanged meanwhile"};
    return again;
}

Result<UniqueFd> InRoot::make_file(std::string_view path, mode_t mode, Links links) const
{
    UniqueFd there = try_openat2(path, O_PATH, links);
    if (there)
        return there;
    if (errno != ENOENT && errno != ENOSYS)
        return errno_error("cannot open " + quoted(path));
    UniqueFd made = TRY(walk(path, O_PATH, links, Make::file, mode));
    UniqueFd again = TRY(open(path, O_PATH, links));
    if (!same_file(made.get(), again.get()))
        return Error{"cannot make the file " + quoted(path) + ": a directory on its way was exchanged meanwhile"};
    return again;
}

Result<InRoot::Place> InRoot::find_place(std::string_view path, bool make, Links links) const
{
    std::string clean = clean_path(path);
    size_t slash = clean.rfind('/');
    std::string directory = clean.substr(0, slash);
    Place place;
    place.name = clean.substr(slash + 1);
    if (place.name.empty())
        return Error{"cannot make " + quoted(path) + ": it is the root"};
    place.directory = TRY(make ? make_directories(directory, 0755, links) : open(directory, O_PATH | O_DIRECTORY, links));
    return place;
}
