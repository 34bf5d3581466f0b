// The known word nearest to a mistyped one.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

/// How many letters have to be inserted, removed, replaced or swapped with their neighbour to turn
/// `a` into `b`; letter case is not counted. Words longer than 64 bytes are as far as their length.
size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `word` if it is near enough to be what was meant; else empty.
std::string_view find_nearest(std::string_view word, std::span<const std::string_view> candidates);
