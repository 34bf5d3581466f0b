// Why a text is not JSON, and where.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// A place and `found X, expected Y`.
struct Flaw {
    size_t offset;
    std::string sentence;
};

/// The first place where the structure of `text` is broken, or none. Looks at brackets, commas,
/// colons, quotes, control characters and UTF-8; the inside of numbers, literals and escapes
/// is checked where they are read.
///
/// simdjson decides whether a text is JSON; it is asked for nothing but that, because its errors have no
/// reliable place. This slower scan runs only after it has said no.
std::optional<Flaw> find_flaw(std::string_view text, size_t max_depth);

/// The length of the UTF-8 character at `at`, or 0 if there is none.
size_t utf8_length(std::string_view text, size_t at);
