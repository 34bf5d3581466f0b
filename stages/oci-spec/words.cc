// Looking up words in lists of words.
#include "words.h"

#include "scan/scan.h"

std::optional<size_t> index_of_word(std::string_view words, std::string_view word)
{
    for (size_t index = 0; !words.empty(); index++)
        if (take(words, ' ') == word)
            return index;
    return std::nullopt;
}
