// The sentence that a person reads.
#include "result/result.h"

#include <cstring>

std::string Error::message() const
{
    std::string text;
    if (!pointer.empty())
        text = pointer + ": ";
    text += attempted;
    if (error_number != 0) {
        // strerrordesc_np: the untranslated words, without pulling in the message catalogues.
        const char* words = strerrordesc_np(error_number);
        text += ": ";
        text += words != nullptr ? words : "Unknown error " + std::to_string(error_number);
    }
    return text;
}
