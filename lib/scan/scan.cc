// Taking a text apart.
#include "scan/scan.h"

#include <algorithm>

std::string_view take(std::string_view& text, char separator)
{
    size_t at = text.find(separator);
    std::string_view part = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return part;
}

std::string_view take_word(std::string_view& text)
{
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    std::string_view word = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(word.size());
    return word;
}

std::vector<std::string_view> words_of(std::string_view text)
{
    std::vector<std::string_view> words;
    for (std::string_view word = take_word(text); !word.empty(); word = take_word(text))
        words.push_back(word);
    return words;
}

bool has_word(std::string_view text, std::string_view word)
{
    for (std::string_view each = take_word(text); !each.empty(); each = take_word(text))
        if (each == word)
            return true;
    return false;
}
