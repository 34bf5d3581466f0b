// What is wrong with a document: collected while it is read and checked, said all at once.
#pragma once

#include "result/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

class Document;

/// Where something stands: the byte in the text, and the value that it belongs to.
struct Place {
    uint32_t offset;
    uint32_t node;
};

/// Most errors that are said in full.
inline constexpr size_t max_errors = 50;
/// Fewer: they are read when all is done, and wait in a pipe.
inline constexpr size_t max_warnings = 20;

class Problems {
public:
    /// Adds `found X, expected Y`. `member` names a property of the value at `place` that is meant
    /// but not there (a missing key).
    void add(Place place, std::string sentence, std::string_view member = {});
    size_t count() const { return count_; }

    /// The errors in the order of the document: pointer and `LINE:COLUMN: sentence`. At most
    /// max_errors and then one that says how many more there are.
    std::vector<Error> to_errors(const Document& document);

private:
    struct Problem {
        Place place;
        std::string sentence;
        std::string member;
    };
    void keep_first();

    std::vector<Problem> problems_;
    size_t count_ = 0;
};

/// 'text' for a message: in single quotes, control characters escaped, cut when long.
std::string quoted(std::string_view text);

/// Appends one reference token of a JSON pointer with its slash (RFC 6901); control characters
/// become \uXXXX, so that a pointer can be printed.
void append_pointer_token(std::string& pointer, std::string_view token);

/// Line and column (in characters), both from 1.
struct TextPosition {
    size_t line;
    size_t column;
};
TextPosition position_of(std::string_view text, size_t offset);
