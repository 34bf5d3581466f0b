// The words in a mount's `options`: which of them are the runtime's, and what they mean.
#pragma once

#include "plan/plan.h"
#include "result/result.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

enum class OptionKind : uint8_t {
    set_flag,         ///< value: MS_... that is set
    clear_flag,       ///< value: MS_... that is cleared
    nothing,          ///< accepted, means nothing here
    propagation,      ///< value: MS_PRIVATE and so on, perhaps with MS_REC
    set_attribute,    ///< value: MOUNT_ATTR_... that is set on the mount and all below it
    clear_attribute,  ///< value: MOUNT_ATTR_... that is cleared on the mount and all below it
    extension,        ///< value: an Extension
    data,             ///< known, but the file system's own business
};

/// Bits of MountOptions::extensions.
enum Extension : uint32_t {
    tmpcopyup = 1,         ///< a tmpfs starts with the content of the directory that it covers
    copy_symlink = 2,      ///< a source that is a link is not bound: the same link is made at the destination
    source_nofollow = 4,   ///< a source that is a link is bound itself
    destination_nofollow = 8,
    idmap = 16,            ///< ids of the mount are mapped; value behind '=': its own mapping
    idmap_recursive = 32,
};

struct MountOption {
    char word[16];  ///< no pointer, see DirectiveType
    OptionKind kind;
    uint64_t value;
};

/// All of them, sorted by the word (`ocirun features` lists them).
std::span<const MountOption> known_mount_options();
const MountOption* find_mount_option(std::string_view word);

/// What a list of options asks for. A later word wins over an earlier one.
struct MountOptions {
    uint64_t set_flags = 0;    ///< MS_...
    uint64_t clear_flags = 0;  ///< MS_... asked to be absent; never one of set_flags
    std::vector<uint64_t> propagation;
    uint64_t set_attributes = 0;    ///< MOUNT_ATTR_..., recursive
    uint64_t clear_attributes = 0;  ///< MOUNT_ATTR_..., recursive
    uint32_t extensions = 0;
    std::string_view idmap;           ///< behind `idmap=` or `ridmap=`
    std::vector<std::string_view> data;  ///< for the file system, in order

    bool has(Extension extension) const { return (extensions & extension) != 0; }
};

MountOptions parse_mount_options(std::span<const Field> words);

/// MOUNT_ATTR_... for a new mount with these MS_... flags (man 2 fsmount).
uint64_t attributes_of_flags(uint64_t flags);

/// The MS_... word of `linux.rootfsPropagation` and of mount options; 0: unknown.
uint64_t propagation_flag(std::string_view word);
