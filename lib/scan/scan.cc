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
