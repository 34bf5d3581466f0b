// A JSON document as a tree that remembers where everything stood. Its .cc alone knows simdjson.
#pragma once

#include "problems.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// `broken`: a scalar that has a problem of its own, so that nothing more is to be said about it.
enum class Kind : uint8_t { null, boolean, number, string, array, object, broken };

/// "a string", "an object" and so on.
const char* name_of(Kind kind);

/// One value in the tree. Nodes refer to each other by index; 0, the root, is nobody's child, so it
/// stands for "none".
struct Node {
    const char* text;
    const char* key;  ///< null: an item of an array
    uint32_t text_size;
    uint32_t key_size;
    uint32_t offset;
    uint32_t key_offset;
    uint32_t parent;
    uint32_t next;
    uint32_t first;
    uint32_t count;
    uint32_t index;
    Kind kind;
};

class Document;

/// A value of a Document, or none ("not there"). `null` counts as not there when it is looked up in
/// an object, because Go's writers spell absent properties that way. As cheap to copy as a pointer;
/// valid as long as the Document.
class Value {
public:
    Value() = default;

    explicit operator bool() const { return document_ != nullptr; }
    inline Kind kind() const;
    bool is(Kind kind) const { return document_ != nullptr && this->kind() == kind; }
    /// The content of a string, the spelling of a number or boolean; else empty.
    inline std::string_view text() const;
    bool is_true() const { return is(Kind::boolean) && text() == "true"; }
    /// The whole number if it is one and in range.
    std::optional<unsigned long long> to_unsigned() const;
    std::optional<long long> to_signed() const;

    /// The member of an object, or none.
    Value operator[](std::string_view key) const;
    /// Name of this value in its object; empty for an item of an array.
    inline std::string_view key() const;
    /// Place in its array or object.
    inline size_t index() const;
    /// Number of members or items.
    inline size_t size() const;
    /// For loops over members or items: `for (Value v = a.first(); v; v = v.next())`.
    inline Value first() const;
    inline Value next() const;

    /// The JSON pointer (RFC 6901).
    std::string pointer() const;
    /// Where it stands.
    inline Place place() const;
    /// Where its key stands; an item of an array: where itself stands.
    inline Place key_place() const;

private:
    friend class Document;
    Value(const Document* document, uint32_t node) : document_(document), node_(node) {}
    inline const Node& node() const;

    const Document* document_ = nullptr;
    uint32_t node_ = 0;
};

class Document {
public:
    /// Reads JSON text whose top is an object. What is wrong with it goes to `problems`.
    /// `root_pointer` is the JSON pointer of the whole.
    static Document parse(std::string text, std::string_view root_pointer, Problems& problems);

    Document(Document&&) = default;
    Document& operator=(Document&&) = default;

    /// The top; none if the text is so broken that there is no tree (a problem says why).
    Value root() const { return is_whole_ ? Value(this, 0) : Value(); }
    std::string_view text() const { return text_; }
    std::string pointer_of(uint32_t node) const;

private:
    friend class Value;
    friend class TreeBuilder;
    Document() = default;

    std::string text_;  ///< has capacity for the padding that simdjson asks for, so it is on the heap
    std::string root_pointer_;
    bool is_whole_ = false;
    std::vector<Node> nodes_;
    /// The strings that had escapes, without them. A block never moves.
    std::vector<std::vector<char>> blocks_;
};

/// Bounds of what is read (oci-spec.8.md, NOTES).
inline constexpr size_t max_json_size = 64 << 20;
inline constexpr size_t max_json_depth = 100;
inline constexpr size_t max_json_values = 1'000'000;

inline const Node& Value::node() const { return document_->nodes_[node_]; }
inline Kind Value::kind() const { return node().kind; }
inline std::string_view Value::text() const
{
    return document_ != nullptr ? std::string_view(node().text, node().text_size) : std::string_view();
}
inline std::string_view Value::key() const { return {node().key, node().key_size}; }
inline size_t Value::index() const { return node().index; }
inline size_t Value::size() const { return document_ != nullptr ? node().count : 0; }
inline Value Value::first() const
{
    return document_ != nullptr && node().first != 0 ? Value(document_, node().first) : Value();
}
inline Value Value::next() const { return node().next != 0 ? Value(document_, node().next) : Value(); }
inline Place Value::place() const { return {node().offset, node_}; }
inline Place Value::key_place() const { return {node().key != nullptr ? node().key_offset : node().offset, node_}; }
