// The lines of /proc/self/mountinfo (man 5 proc).
#pragma once

#include <string>
#include <string_view>

/// One mount. The fields are views of the text; `root` and `point` are as they stand there, see unescape_path().
struct MountLine {
    std::string_view id;
    std::string_view root;   ///< what of the file system is mounted
    std::string_view point;  ///< where
    std::string_view type;
    std::string_view options;  ///< the file system's own
};

/// Takes the next line off `text`. What is no such line comes out with empty fields.
MountLine take_mount(std::string_view& text);

/// Space, tab, newline and backslash stand in a path as `\ooo`.
std::string unescape_path(std::string_view field);
