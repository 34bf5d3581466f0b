// The sentence that a person reads.
#include "result/result.h"

#include <cstring>

static std::string escape_controls(std::string_view text, bool keep_lines)
{
    static constexpr char digits[] = "0123456789abcdef";
    std::string escaped;
    escaped.reserve(text.size());
    for (size_t i = 0; i < text.size(); i++) {
        const unsigned char c = static_cast<unsigned char>(text[i]);
        // The control characters of ISO 6429's second set are two bytes in UTF-8.
        const bool is_second_set = c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        auto escape = [&](unsigned char byte) {
            escaped += "\\x";
            escaped += digits[byte >> 4];
            escaped += digits[byte & 15];
        };
        if (is_second_set) {
            escape(c);
            escape(static_cast<unsigned char>(text[++i]));
        } else if ((c < 0x20 && !(keep_lines && (c == '\n' || c == '\t'))) || c == 0x7f) {
            escape(c);
        } else {
            escaped += text[i];
        }
    }
    return escaped;
}

std::string printable(std::string_view text) { return escape_controls(text, false); }

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
    return escape_controls(text, true);
}
