// A JSON value that can be changed and printed: what `new`, `set` and `features` make.
#pragma once

#include "json.h"
#include "result/result.h"

#include <string>
#include <string_view>
#include <vector>

/// Members keep their order, scalars their spelling.
class Tree {
public:
    /// `null`.
    Tree() = default;
    static Tree string(std::string_view content);
    static Tree number(std::string_view spelling);
    static Tree boolean(bool value);
    static Tree array() { return Tree(Kind::array, ""); }
    static Tree object() { return Tree(Kind::object, ""); }
    /// A copy of what was read.
    explicit Tree(Value value);

    Kind kind() const { return kind_; }
    bool is(Kind kind) const { return kind_ == kind; }
    /// The content of a string, the spelling of another scalar.
    const std::string& text() const { return text_; }
    const std::string& key() const { return key_; }
    std::vector<Tree>& items() { return items_; }
    const std::vector<Tree>& items() const { return items_; }

    /// The member of that name, or null; null, too, when it is JSON's null.
    Tree* find(std::string_view key);
    /// The member of that name; made (and, where it is no `kind`, replaced by an empty one) when missing.
    Tree& member(std::string_view key, Kind kind);
    /// Gives the member of that name a new value, in its old place or at the end.
    void set(std::string_view key, Tree value);
    void remove(std::string_view key);
    /// Takes the other's value and keeps its own name.
    void assign(Tree value);
    void append(Tree value) { items_.push_back(std::move(value)); }

    /// Indented by tabs, with a newline at the end: the form of `oci-spec new`.
    std::string print() const;
    /// In one line, without one.
    std::string print_line() const;

private:
    Tree(Kind kind, std::string_view text) : kind_(kind), text_(text) {}
    void print_to(std::string& text, const std::string* line_start) const;

    Kind kind_ = Kind::null;
    std::string text_;
    std::string key_;
    std::vector<Tree> items_;
};

/// The reference tokens of a JSON pointer (RFC 6901), unescaped; an error for what is none.
Result<std::vector<std::string>> split_pointer(std::string_view pointer);

/// Gives what the pointer names a new value. Objects and arrays on the way are made when missing, as the runtime-spec has
/// them; `-` or the next index appends to an array. A value of a type that the runtime-spec does not have there is an error.
Result<void> set_at(Tree& top, std::string_view pointer, Tree value);

/// Removes what the pointer names; it need not be there.
Result<void> remove_at(Tree& top, std::string_view pointer);

/// The value that somebody wrote as a word for what the pointer names: JSON; but where the runtime-spec has a string there,
/// or knows nothing and the word is no JSON, the word itself is the string (unless it is one in quotes).
Result<Tree> parse_word(std::string_view pointer, std::string_view word);
