// Reading /proc/self/mountinfo.
#include "mountinfo/mountinfo.h"

#include "scan/scan.h"

MountLine take_mount(std::string_view& text)
{
    // 36 35 0:30 /root /mount/point rw,flags shared:1 - cgroup cgroup rw,cpu
    std::string_view line = take_line(text);
    size_t separator = line.find(" - ");
    if (separator == std::string_view::npos)
        return {};
    MountLine mount;
    std::string_view tail = line.substr(separator + 3);
    mount.type = take(tail, ' ');
    take(tail, ' ');  // the source
    mount.options = tail;
    mount.id = take(line, ' ');
    take(line, ' ');  // the parent
    take(line, ' ');  // the device
    mount.root = take(line, ' ');
    mount.point = take(line, ' ');
    return mount;
}

std::string unescape_path(std::string_view field)
{
    std::string path;
    for (size_t i = 0; i < field.size(); i++) {
        if (field[i] == '\\' && i + 3 < field.size()) {
            path += static_cast<char>((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 + (field[i + 3] - '0'));
            i += 3;
        } else {
            path += field[i];
        }
    }
    return path;
}
