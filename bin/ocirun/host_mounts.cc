// Reading /proc/self/mountinfo.
#include "host_mounts.h"

#include "fd/fd.h"
#include "mountinfo/mountinfo.h"
#include "stage/stage.h"

#include <algorithm>
#include <sys/mount.h>

namespace
{
struct HostMount {
    std::string id;
    std::string point;
};
} // namespace

static Result<std::vector<HostMount>> read_mounts(const std::string& path)
{
    const std::string text = TRY(read_file("/proc/self/mountinfo", 64 << 20));
    std::vector<HostMount> mounts;
    for (std::string_view rest = text; !rest.empty();) {
        const MountLine mount = take_mount(rest);
        std::string point = unescape_path(mount.point);
        if (point.starts_with(path + "/"))
            mounts.push_back({std::string(mount.id), std::move(point)});
    }
    return mounts;
}

Result<std::vector<std::string>> mounts_below(const std::string& path)
{
    std::vector<std::string> ids;
    for (HostMount& mount : TRY(read_mounts(path)))
        ids.push_back(std::move(mount.id));
    return ids;
}

Result<void> unmount_below(const std::string& path, const std::vector<std::string>& kept)
{
    std::vector<HostMount> mounts = TRY(read_mounts(path));
    // The youngest is on top.
    for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
        if (std::find(kept.begin(), kept.end(), mount->id) != kept.end())
            continue;
        stage::step("unmount " + mount->point);
        if (::umount2(mount->point.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
            return errno_error("cannot unmount '" + mount->point + "'");
    }
    return {};
}
