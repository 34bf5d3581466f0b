// Reading /proc/self/mountinfo.
#include "host_mounts.h"

#include "fd/fd.h"
#include "stage/stage.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/mount.h>

namespace
{
struct HostMount {
    std::string id;
    std::string point;
};
} // namespace

/// Blanks, tabs, newlines and backslashes stand there in octal.
static std::string unescape(std::string_view text)
{
    std::string plain;
    for (size_t i = 0; i < text.size(); i++) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

static Result<std::vector<HostMount>> read_mounts(const std::string& path)
{
    UniqueFd file(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
    if (!file)
        return errno_error("cannot open '/proc/self/mountinfo'");
    const std::string text = TRY(read_all(file.get(), 64 << 20));
    std::vector<HostMount> mounts;
    for (std::string_view rest = text; !rest.empty();) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        std::string_view fields[5];
        for (std::string_view& field : fields) {
            field = line.substr(0, line.find(' '));
            line.remove_prefix(std::min(line.size(), field.size() + 1));
        }
        std::string point = unescape(fields[4]);
        if (point.starts_with(path + "/"))
            mounts.push_back({std::string(fields[0]), std::move(point)});
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
