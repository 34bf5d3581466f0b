// The table of mount options, and the reading of a list of them.
#include "mounts/mount_options.h"

#include "mounts/mount_calls.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif

using enum OptionKind;

// Sorted. Words about times of access: see bind_change in oci-init for what clearing one means.
static constexpr MountOption table[] = {
    {"acl", data, 0},
    {"async", clear_flag, MS_SYNCHRONOUS},
    {"atime", clear_flag, MS_NOATIME},
    {"bind", set_flag, MS_BIND},
    {"copy-symlink", extension, copy_symlink},
    {"defaults", nothing, 0},
    {"dest-nofollow", extension, destination_nofollow},
    {"dev", clear_flag, MS_NODEV},
    {"diratime", clear_flag, MS_NODIRATIME},
    {"dirsync", set_flag, MS_DIRSYNC},
    {"exec", clear_flag, MS_NOEXEC},
    {"idmap", extension, idmap},
    {"iversion", set_flag, MS_I_VERSION},
    {"lazytime", set_flag, MS_LAZYTIME},
    {"loud", clear_flag, MS_SILENT},
    {"mand", set_flag, MS_MANDLOCK},
    {"noacl", data, 0},
    {"noatime", set_flag, MS_NOATIME},
    {"nodev", set_flag, MS_NODEV},
    {"nodiratime", set_flag, MS_NODIRATIME},
    {"noexec", set_flag, MS_NOEXEC},
    {"noiversion", clear_flag, MS_I_VERSION},
    {"nolazytime", clear_flag, MS_LAZYTIME},
    {"nomand", clear_flag, MS_MANDLOCK},
    {"norelatime", clear_flag, MS_RELATIME},
    {"nostrictatime", clear_flag, MS_STRICTATIME},
    {"nosuid", set_flag, MS_NOSUID},
    {"nosymfollow", set_flag, MS_NOSYMFOLLOW},
    {"private", propagation, MS_PRIVATE},
    // The r-forms of what belongs to a whole file system have no per-mount attribute: nothing to do.
    {"rasync", nothing, 0},
    {"ratime", clear_attribute, MOUNT_ATTR_NOATIME},
    {"rbind", set_flag, MS_BIND | MS_REC},
    {"rdev", clear_attribute, MOUNT_ATTR_NODEV},
    {"rdiratime", clear_attribute, MOUNT_ATTR_NODIRATIME},
    {"rdirsync", nothing, 0},
    {"relatime", set_flag, MS_RELATIME},
    {"remount", set_flag, MS_REMOUNT},
    {"rexec", clear_attribute, MOUNT_ATTR_NOEXEC},
    {"ridmap", extension, idmap | idmap_recursive},
    {"rmand", nothing, 0},
    {"rnoatime", set_attribute, MOUNT_ATTR_NOATIME},
    {"rnodev", set_attribute, MOUNT_ATTR_NODEV},
    {"rnodiratime", set_attribute, MOUNT_ATTR_NODIRATIME},
    {"rnoexec", set_attribute, MOUNT_ATTR_NOEXEC},
    {"rnomand", nothing, 0},
    {"rnorelatime", clear_attribute, MOUNT_ATTR__ATIME},
    {"rnostrictatime", clear_attribute, MOUNT_ATTR_STRICTATIME},
    {"rnosuid", set_attribute, MOUNT_ATTR_NOSUID},
    {"rnosymfollow", set_attribute, MOUNT_ATTR_NOSYMFOLLOW},
    {"ro", set_flag, MS_RDONLY},
    {"rprivate", propagation, MS_PRIVATE | MS_REC},
    {"rrelatime", clear_attribute, MOUNT_ATTR__ATIME},  // relatime is the absence of the others
    {"rro", set_attribute, MOUNT_ATTR_RDONLY},
    {"rrw", clear_attribute, MOUNT_ATTR_RDONLY},
    {"rshared", propagation, MS_SHARED | MS_REC},
    {"rslave", propagation, MS_SLAVE | MS_REC},
    {"rstrictatime", set_attribute, MOUNT_ATTR_STRICTATIME},
    {"rsuid", clear_attribute, MOUNT_ATTR_NOSUID},
    {"rsymfollow", clear_attribute, MOUNT_ATTR_NOSYMFOLLOW},
    {"rsync", nothing, 0},
    {"runbindable", propagation, MS_UNBINDABLE | MS_REC},
    {"rw", clear_flag, MS_RDONLY},
    {"shared", propagation, MS_SHARED},
    {"silent", set_flag, MS_SILENT},
    {"slave", propagation, MS_SLAVE},
    {"src-nofollow", extension, source_nofollow},
    {"strictatime", set_flag, MS_STRICTATIME},
    {"suid", clear_flag, MS_NOSUID},
    {"symfollow", clear_flag, MS_NOSYMFOLLOW},
    {"sync", set_flag, MS_SYNCHRONOUS},
    {"tmpcopyup", extension, tmpcopyup},
    {"unbindable", propagation, MS_UNBINDABLE},
};

std::span<const MountOption> known_mount_options() { return table; }

const MountOption* find_mount_option(std::string_view word)
{
    for (const MountOption& option : table)
        if (option.word == word)
            return &option;
    return nullptr;
}

uint64_t propagation_flag(std::string_view word)
{
    const MountOption* option = find_mount_option(word);
    return option != nullptr && option->kind == propagation ? option->value : 0;
}

// Of these only one can hold at a time.
static constexpr uint64_t atime_flags = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;

MountOptions parse_mount_options(std::span<const Field> words)
{
    MountOptions options;
    for (Field word : words) {
        size_t equals = word.find('=');
        const MountOption* option = find_mount_option(word.substr(0, equals));
        if (word.empty())
            continue;
        const bool takes_value = option != nullptr && option->kind == extension && (option->value & idmap) != 0;
        if (option == nullptr || (equals != std::string_view::npos && !takes_value)) {
            options.data.push_back(word);
            continue;
        }
        switch (option->kind) {
        case set_flag:
            if ((option->value & atime_flags) != 0)
                options.set_flags &= ~atime_flags;
            options.set_flags |= option->value;
            options.clear_flags &= ~option->value;
            break;
        case clear_flag:
            options.clear_flags |= option->value;
            options.set_flags &= ~option->value;
            break;
        case set_attribute:
            // The times of access are one field of several bits, which is cleared before it is set.
            if ((option->value & MOUNT_ATTR__ATIME) != 0) {
                options.set_attributes &= ~static_cast<uint64_t>(MOUNT_ATTR__ATIME);
                options.clear_attributes |= MOUNT_ATTR__ATIME;
            } else {
                options.clear_attributes &= ~option->value;
            }
            options.set_attributes |= option->value;
            break;
        case clear_attribute:
            if ((option->value & MOUNT_ATTR__ATIME) != 0)
                options.clear_attributes |= MOUNT_ATTR__ATIME;
            else
                options.clear_attributes |= option->value;
            options.set_attributes &= ~option->value;
            break;
        case OptionKind::propagation: options.propagation.push_back(option->value); break;
        case extension:
            options.extensions |= static_cast<uint32_t>(option->value);
            if (equals != std::string_view::npos)
                options.idmap = word.substr(equals + 1);
            break;
        case OptionKind::data: options.data.push_back(word); break;
        case nothing: break;
        }
    }
    return options;
}

uint64_t attributes_of_flags(uint64_t flags)
{
    static constexpr struct {
        uint64_t flag;
        uint64_t attribute;
    } pairs[] = {
        {MS_RDONLY, MOUNT_ATTR_RDONLY},         {MS_NOSUID, MOUNT_ATTR_NOSUID},
        {MS_NODEV, MOUNT_ATTR_NODEV},           {MS_NOEXEC, MOUNT_ATTR_NOEXEC},
        {MS_NODIRATIME, MOUNT_ATTR_NODIRATIME}, {MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW},
        {MS_NOATIME, MOUNT_ATTR_NOATIME},       {MS_STRICTATIME, MOUNT_ATTR_STRICTATIME},
    };
    uint64_t attributes = 0;
    for (const auto& pair : pairs)
        if ((flags & pair.flag) != 0)
            attributes |= pair.attribute;
    return attributes;
}
