// Mounting by descriptor, with a way for kernels and sandboxes that lack a part of it.
#pragma once

#include "fd/fd.h"
#include "path/in_root.h"
#include "result/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Attributes (MOUNT_ATTR_...) to set and to clear.
struct AttributeChange {
    uint64_t set = 0;
    uint64_t clear = 0;
    bool recursive = false;

    bool is_empty() const { return set == 0 && clear == 0; }
};

/// A file system that does not exist yet.
struct NewFilesystem {
    std::string type;
    std::string source;
    uint64_t flags = 0;                    ///< MS_...
    std::vector<std::string_view> options;  ///< for the file system; "key" or "key=value"
};

/// Makes mounts inside one root. A mount is a descriptor until it is attached, and what it is attached to
/// is a descriptor too: no path is looked up twice (CVE-2021-30465). Where the kernel has no fsopen,
/// open_tree, move_mount (Linux 5.2) or mount_setattr (5.12), or a sandbox around us hides them, mount(2)
/// does the same on `self/fd/N` of a procfs, which leads to the very descriptor as well.
class Mounter {
public:
    explicit Mounter(const InRoot& root) : root_(root) {}

    /// A copy of the mount at `path` below directory `dir`, with all below it if `recursive`.
    struct Source {
        UniqueFd fd;
        bool is_copy = true;  ///< false: only what is to be bound, by mount(2)
        bool recursive = false;
    };
    enum class SourceLinks { follow, bind_itself };
    static Result<Source> copy_mount(int dir, const std::string& path, bool recursive, SourceLinks links = SourceLinks::follow);

    /// Attaches a copy on `target`, the changes in force from the beginning. `destination` is the path that
    /// led to `target`. The result is the attached mount.
    Result<UniqueFd> attach(Source source, int target, std::string_view destination, std::vector<AttributeChange> changes = {});

    /// Makes a file system and attaches it on `target`.
    Result<UniqueFd> make(const NewFilesystem& fs, int target, std::string_view destination);

    /// Changes the attributes of an attached mount. A flag that is locked because the mount came from
    /// another user namespace, and is asked to be cleared, stays, without an error (man 7 mount_namespaces).
    Result<void> change(int mount, const AttributeChange& change);

    /// Sets the propagation type (MS_PRIVATE and so on, perhaps with MS_REC).
    Result<void> set_propagation(int mount, uint64_t flags);

    /// The way of old: mount(2) with descriptors for source and target; -1: "none".
    static Result<void> mount_by_fd(int source, const char* source_name, int target, const char* type, uint64_t flags, const char* data);

private:
    Result<UniqueFd> find_attached(std::string_view destination) const;
    const InRoot& root_;
};

/// What mount(2) takes as its last argument.
std::string mount_data(const std::vector<std::string_view>& options);

/// Splits at commas that are neither escaped nor between double quotes (overlay's paths, SELinux contexts).
std::vector<std::string_view> split_at_commas(std::string_view options);
