// An overlay without an upper layer (Documentation/filesystems/overlayfs.rst).
#include "process/read_only_folder.h"

#include "mounts/mount_calls.h"

#include <sys/stat.h>

std::optional<ReadOnlyFolder> ReadOnlyFolder::mount(const std::string& folder)
{
    if (folder.empty() || folder.find_first_of(":,\\") != std::string::npos)
        return std::nullopt;
    UniqueFd context = mount_calls::fsopen("overlay");
    // Without an upper layer nothing can be written, not even after a remount; then there must be two lower ones. The
    // second is never looked at: the programs are found in the first.
    if (!context || mount_calls::fsconfig_string(context.get(), "lowerdir", (folder + ":/etc").c_str()) < 0 ||
        mount_calls::fsconfig_string(context.get(), "xino", "off") < 0 || mount_calls::fsconfig_flag(context.get(), "ro") < 0 ||
        mount_calls::fsconfig_create(context.get()) < 0)
        return std::nullopt;
    UniqueFd root = mount_calls::fsmount(context.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (!root)
        return std::nullopt;
    return ReadOnlyFolder(std::move(root));
}

UniqueFd ReadOnlyFolder::open(const std::string& name) const
{
    UniqueFd file(::openat(root_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status;
    if (!file || ::fstat(file.get(), &status) < 0 || !S_ISREG(status.st_mode))
        return UniqueFd();
    return file;
}
