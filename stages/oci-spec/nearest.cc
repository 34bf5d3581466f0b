// Edit distance, for "did you mean".
#include "nearest.h"

#include <algorithm>

static constexpr size_t longest = 64;

static char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

size_t edit_distance(std::string_view a, std::string_view b)
{
    if (a.size() > longest || b.size() > longest)
        return std::max(a.size(), b.size());
    // Three rows of the table of optimal string alignment: two back, one back, this one.
    size_t rows[3][longest + 1];
    size_t* before = rows[0];
    size_t* last = rows[1];
    size_t* now = rows[2];
    for (size_t j = 0; j <= b.size(); j++)
        last[j] = j;
    for (size_t i = 1; i <= a.size(); i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.size(); j++) {
            bool same = lower(a[i - 1]) == lower(b[j - 1]);
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                now[j] = std::min(now[j], before[j - 2] + 1);
        }
        size_t* oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[b.size()];
}

std::string_view find_nearest(std::string_view word, std::span<const std::string_view> candidates)
{
    std::string_view nearest;
    // A third of the letters may be wrong; beyond that a guess helps nobody.
    size_t least = std::max<size_t>(word.size() / 3, 1) + 1;
    for (std::string_view candidate : candidates) {
        size_t distance = edit_distance(word, candidate);
        if (distance < least) {
            least = distance;
            nearest = candidate;
        }
    }
    return nearest;
}
