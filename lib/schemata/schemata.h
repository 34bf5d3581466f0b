// What a group of resctrl is told of shares: the texts of linux.intelRdt, in config.json and on the command line
// (Documentation/arch/x86/resctrl.rst, "Schemata files").
#pragma once

#include <optional>
#include <string_view>
#include <vector>

/// The lines of a text for `schemata`, without empty ones; nothing: one of them is no such line.
std::optional<std::vector<std::string_view>> schemata_lines(std::string_view text);
inline constexpr char expected_schemata[] = "lines such as 'L3:0=f;1=f'";

/// Those of l3CacheSchema. Its lines for memory bandwidth give way to a memBwSchema (runtime-spec, "Intel RDT").
std::optional<std::vector<std::string_view>> cache_lines(std::string_view text, bool has_bandwidth_schema);

/// Whether `text` is a memBwSchema.
bool is_bandwidth_line(std::string_view text);
inline constexpr char expected_bandwidth[] = "one line that begins with 'MB:'";
