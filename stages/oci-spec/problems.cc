// Sorting problems and turning them into errors with a pointer and a place.
#include "problems.h"

#include "json.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

// A document of a million wrong values must not cost a million kept sentences.
static constexpr size_t most_kept = 1024;
static constexpr size_t longest_pointer = 1000;

void Problems::add(Place place, std::string sentence, std::string_view member)
{
    count_++;
    problems_.push_back({place, std::move(sentence), std::string(member)});
    if (problems_.size() >= most_kept)
        keep_first();
}

void Problems::keep_first()
{
    std::stable_sort(problems_.begin(), problems_.end(),
                     [](const Problem& a, const Problem& b) { return a.place.offset < b.place.offset; });
    if (problems_.size() > max_errors)
        problems_.erase(problems_.begin() + max_errors, problems_.end());
}

static size_t count_characters(std::string_view text)
{
    size_t count = 0;
    for (char c : text)
        count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return count;
}

static TextPosition move_position(TextPosition from, std::string_view passed)
{
    size_t last_break = passed.rfind('\n');
    if (last_break == std::string_view::npos)
        return {from.line, from.column + count_characters(passed)};
    size_t breaks = static_cast<size_t>(std::count(passed.begin(), passed.end(), '\n'));
    return {from.line + breaks, 1 + count_characters(passed.substr(last_break + 1))};
}

TextPosition position_of(std::string_view text, size_t offset)
{
    return move_position({1, 1}, text.substr(0, offset));
}

std::vector<Error> Problems::to_errors(const Document& document)
{
    keep_first();
    std::vector<Error> errors;
    TextPosition position{1, 1};
    size_t at = 0;
    for (const Problem& problem : problems_) {
        size_t offset = std::min<size_t>(problem.place.offset, document.text().size());
        position = move_position(position, document.text().substr(at, offset - at));
        at = offset;
        std::string pointer = document.pointer_of(problem.place.node);
        if (!problem.member.empty())
            append_pointer_token(pointer, problem.member);
        // A key may be as long as the document; a line about it may not.
        if (pointer.size() > longest_pointer)
            pointer.replace(longest_pointer, std::string::npos, "...");
        errors.push_back(Error{std::to_string(position.line) + ":" + std::to_string(position.column) + ": " + problem.sentence, 0,
                               std::move(pointer)});
    }
    size_t more = count_ - errors.size();
    if (more > 0)
        errors.push_back(Error{"and " + std::to_string(more) + (more == 1 ? " more error" : " more errors")});
    return errors;
}

static void append_unicode_escape(std::string& to, unsigned code)
{
    char escape[8];
    snprintf(escape, sizeof escape, "\\u%04x", code);
    to += escape;
}

/// Appends text so that a terminal shows it instead of obeying it: C0, DEL, and C1 (U+0080..9F).
static void append_printable(std::string& to, std::string_view text)
{
    for (size_t i = 0; i < text.size(); i++) {
        unsigned char c = static_cast<unsigned char>(text[i]);
        unsigned char after = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
        if (c < 0x20 || c == 0x7f) {
            append_unicode_escape(to, c);
        } else if (c == 0xc2 && after >= 0x80 && after < 0xa0) {
            append_unicode_escape(to, after);
            i++;
        } else {
            to += text[i];
        }
    }
}

std::string quoted(std::string_view text)
{
    static constexpr size_t longest = 80;
    size_t size = text.size();
    if (size > longest) {
        size = longest;
        // Do not cut a character in two.
        while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
            size--;
    }
    std::string result = "'";
    append_printable(result, text.substr(0, size));
    result += size < text.size() ? "...'" : "'";
    return result;
}

void append_pointer_token(std::string& pointer, std::string_view token)
{
    pointer += '/';
    if (token.find_first_of("~/") == std::string_view::npos) {
        append_printable(pointer, token);
        return;
    }
    std::string escaped;
    for (char c : token) {
        if (c == '~')
            escaped += "~0";
        else if (c == '/')
            escaped += "~1";
        else
            escaped += c;
    }
    append_printable(pointer, escaped);
}
