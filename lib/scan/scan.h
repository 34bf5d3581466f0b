// Taking a text apart from its front: the files of /proc and /sys are lines of fields.
#pragma once

#include <string_view>
#include <vector>

/// The part before `separator`; takes it and the separator off `text`. Without a separator: all of it.
std::string_view take(std::string_view& text, char separator);

/// The next line, without its newline.
inline std::string_view take_line(std::string_view& text) { return take(text, '\n'); }

/// The next word, whatever number of blanks (space, tab) there is before it; empty: there is none.
std::string_view take_word(std::string_view& text);

/// All its words.
std::vector<std::string_view> words_of(std::string_view text);
/// Whether `word` is one of them.
bool has_word(std::string_view text, std::string_view word);
