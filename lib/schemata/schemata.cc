// Texts for resctrl's schemata.
#include "schemata/schemata.h"

#include "scan/scan.h"

std::optional<std::vector<std::string_view>> schemata_lines(std::string_view text)
{
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        std::string_view line = take_line(text);
        if (line.empty())
            continue;
        if (line.find(':') == std::string_view::npos || line.find('\0') != std::string_view::npos)
            return std::nullopt;
        lines.push_back(line);
    }
    return lines;
}

std::optional<std::vector<std::string_view>> cache_lines(std::string_view text, bool has_bandwidth_schema)
{
    std::optional<std::vector<std::string_view>> lines = schemata_lines(text);
    if (lines && has_bandwidth_schema)
        std::erase_if(*lines, [](std::string_view line) { return line.starts_with("MB:"); });
    return lines;
}

bool is_bandwidth_line(std::string_view text)
{
    return text.starts_with("MB:") && text.find('\n') == std::string_view::npos && text.find('\0') == std::string_view::npos;
}
