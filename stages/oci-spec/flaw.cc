// A scan of JSON text that stops at the first place where it is broken.
#include "flaw.h"

#include "problems.h"

#include <cstdio>
#include <cstring>
#include <vector>

size_t utf8_length(std::string_view text, size_t at)
{
    auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    auto follows = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
    unsigned first = byte(at);
    if (at >= text.size())
        return 0;
    if (first < 0x80)
        return 1;
    // RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
    if (first >= 0xc2 && first <= 0xdf)
        return follows(at + 1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        unsigned second = byte(at + 1);
        if (!follows(at + 1) || !follows(at + 2) || (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f))
            return 0;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        unsigned second = byte(at + 1);
        if (!follows(at + 1) || !follows(at + 2) || !follows(at + 3) || (first == 0xf0 && second < 0x90) ||
            (first == 0xf4 && second > 0x8f))
            return 0;
        return 4;
    }
    return 0;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool ends_scalar(char c) { return is_space(c) || std::strchr("{}[]:,\"", c) != nullptr; }

namespace {

/// Walks over the text once, with a stack of open brackets instead of recursion.
class Scanner {
public:
    Scanner(std::string_view text, size_t max_depth) : text_(text), max_depth_(max_depth) {}

    std::optional<Flaw> find()
    {
        if (text_.starts_with("\xef\xbb\xbf"))
            return Flaw{0, "found a byte order mark, expected an object without one"};
        skip_space();
        if (at_ == text_.size())
            return Flaw{0, "found nothing, expected an object"};
        for (;;) {
            std::optional<Flaw> flaw = value();
            if (flaw)
                return flaw;
            // Behind a value: close what ends here, then go on behind the comma.
            for (;;) {
                skip_space();
                if (open_.empty())
                    return at_ == text_.size() ? std::nullopt : std::optional(found("the end of the text"));
                char closing = open_.back();
                if (at_ < text_.size() && text_[at_] == closing) {
                    at_++;
                    open_.pop_back();
                    continue;
                }
                if (at_ < text_.size() && text_[at_] == ',')
                    break;
                return found(closing == '}' ? "',' or '}'" : "',' or ']'");
            }
            at_++;
            skip_space();
            if (open_.back() == '}') {
                flaw = key("a key in double quotes");
                if (flaw)
                    return flaw;
            }
        }
    }

private:
    void skip_space()
    {
        while (at_ < text_.size() && is_space(text_[at_]))
            at_++;
    }

    Flaw found(const std::string& expected) const { return {at_, "found " + what_is_here() + ", expected " + expected}; }

    std::string what_is_here() const
    {
        if (at_ >= text_.size())
            return "the end of the text";
        size_t length = utf8_length(text_, at_);
        unsigned char c = static_cast<unsigned char>(text_[at_]);
        char words[64];
        if (length == 0) {
            snprintf(words, sizeof words, "a byte that is not UTF-8 (0x%02x)", c);
            return words;
        }
        if (c == '\n' || c == '\r')
            return "a line break";
        if (c == '\t')
            return "a tab";
        if (c < 0x20 || c == 0x7f) {
            snprintf(words, sizeof words, "a control character (0x%02x)", c);
            return words;
        }
        if (c == '"')
            return "a string";
        size_t end = at_;
        while (end < text_.size() && end < at_ + 24 && !ends_scalar(text_[end]) && utf8_length(text_, end) != 0)
            end += utf8_length(text_, end);
        return quoted(text_.substr(at_, end > at_ ? end - at_ : 1));
    }

    /// A value, or the opening brackets up to the first innermost value.
    std::optional<Flaw> value()
    {
        for (;;) {
            if (at_ >= text_.size())
                return found("a value");
            char c = text_[at_];
            if (c == '"')
                return string();
            if (c == '[' || c == '{') {
                if (open_.size() == max_depth_)
                    return Flaw{at_, "nested deeper than " + std::to_string(max_depth_) + " levels"};
                open_.push_back(c == '[' ? ']' : '}');
                at_++;
                skip_space();
                if (at_ < text_.size() && text_[at_] == open_.back()) {
                    at_++;
                    open_.pop_back();
                    return std::nullopt;
                }
                if (c == '{') {
                    std::optional<Flaw> flaw = key("a key in double quotes or '}'");
                    if (flaw)
                        return flaw;
                }
                continue;
            }
            if (c == '-' || (c >= '0' && c <= '9') || c == 't' || c == 'f' || c == 'n') {
                for (; at_ < text_.size() && !ends_scalar(text_[at_]); at_ += utf8_length(text_, at_))
                    if (utf8_length(text_, at_) == 0)
                        return found("text in UTF-8");
                return std::nullopt;
            }
            return found("a value");
        }
    }

    /// A key, its colon, and the space behind it.
    std::optional<Flaw> key(const char* expected)
    {
        if (at_ >= text_.size() || text_[at_] != '"')
            return found(expected);
        std::optional<Flaw> flaw = string();
        if (flaw)
            return flaw;
        skip_space();
        if (at_ >= text_.size() || text_[at_] != ':')
            return found("':'");
        at_++;
        skip_space();
        return std::nullopt;
    }

    std::optional<Flaw> string()
    {
        size_t start = at_++;
        while (at_ < text_.size()) {
            char c = text_[at_];
            if (c == '"') {
                at_++;
                return std::nullopt;
            }
            if (static_cast<unsigned char>(c) < 0x20)
                return Flaw{at_, "found " + what_is_here() + " inside a string, expected its closing '\"'"};
            size_t length = utf8_length(text_, at_);
            if (length == 0)
                return found("text in UTF-8");
            at_ += c == '\\' && at_ + 1 < text_.size() && (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\') ? 2 : length;
        }
        return Flaw{start, "found a string without end, expected its closing '\"'"};
    }

    std::string_view text_;
    size_t at_ = 0;
    size_t max_depth_;
    std::vector<char> open_;
};

}  // namespace

std::optional<Flaw> find_flaw(std::string_view text, size_t max_depth) { return Scanner(text, max_depth).find(); }
