// Looking up and checking id mappings.
#include "id_map.h"

#include "planner.h"

#include <algorithm>

IdMap::IdMap(Value mappings)
{
    for (Value mapping = mappings.first(); mapping; mapping = mapping.next()) {
        std::optional<unsigned long long> first = mapping["containerID"].to_unsigned();
        std::optional<unsigned long long> host = mapping["hostID"].to_unsigned();
        std::optional<unsigned long long> size = mapping["size"].to_unsigned();
        if (first && host && size)
            ranges_.push_back({*first, *host, *size});
    }
    std::ranges::sort(ranges_, {}, &Range::first);
}

std::optional<uint64_t> IdMap::host_id(uint64_t id, uint64_t size) const
{
    auto after = std::ranges::upper_bound(ranges_, id, {}, &Range::first);
    if (after == ranges_.begin())
        return std::nullopt;
    const Range& range = *std::prev(after);
    if (id - range.first >= range.size || size > range.size - (id - range.first))
        return std::nullopt;
    return range.host + (id - range.first);
}

/// None may overlap another one on that side.
static bool check_overlap(Planner& planner, Value mappings, const char* side)
{
    struct Range {
        uint64_t first;
        uint64_t end;
        Value mapping;
    };
    std::vector<Range> ranges;
    for (Value mapping = mappings.first(); mapping; mapping = mapping.next()) {
        uint64_t first = *mapping[side].to_unsigned();
        ranges.push_back({first, first + *mapping["size"].to_unsigned(), mapping});
    }
    std::ranges::sort(ranges, {}, &Range::first);
    bool is_good = true;
    for (size_t i = 1; i < ranges.size(); i++) {
        // An empty range is a problem of its own.
        if (ranges[i - 1].end <= ranges[i].first || ranges[i].first == ranges[i].end)
            continue;
        auto [one, other] = std::minmax(ranges[i - 1].mapping, ranges[i].mapping, [](Value a, Value b) { return a.index() < b.index(); });
        planner.add_problem(other[side], "a range that does not overlap that of mapping " + std::to_string(one.index()));
        is_good = false;
    }
    return is_good;
}

bool check_id_mappings(Planner& planner, Value value)
{
    // man 7 user_namespaces: at most 340 lines (Linux 4.15); none may overlap another on either side.
    if (value.size() > 340) {
        planner.add_sentence(value, "found " + std::to_string(value.size()) + " id mappings, expected at most 340");
        return false;
    }
    bool is_good = true;
    for (Value mapping = value.first(); mapping; mapping = mapping.next()) {
        uint64_t size = *mapping["size"].to_unsigned();
        if (size == 0) {
            planner.add_problem(mapping["size"], "at least 1");
            is_good = false;
        }
        for (const char* side : {"containerID", "hostID"}) {
            if (*mapping[side].to_unsigned() + size <= UINT32_MAX)
                continue;
            planner.add_problem(mapping[side], "a range of " + std::to_string(size) + " ids that ends below 4294967295");
            is_good = false;
        }
    }
    for (const char* side : {"containerID", "hostID"})
        is_good = check_overlap(planner, value, side) && is_good;
    return is_good;
}
