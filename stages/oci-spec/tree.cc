// Changing and printing JSON.
#include "tree.h"

#include "json/json.h"
#include "plan/plan.h"
#include "properties.h"

#include <algorithm>

Tree Tree::string(std::string_view content) { return {Kind::string, content}; }
Tree Tree::number(std::string_view spelling) { return {Kind::number, spelling}; }
Tree Tree::boolean(bool value) { return {Kind::boolean, value ? "true" : "false"}; }

// As deep as the document may be nested (max_json_depth).
Tree::Tree(Value value)
{
    if (!value)
        return;
    kind_ = value.kind();
    text_ = value.text();
    items_.reserve(value.size());
    for (Value inner = value.first(); inner; inner = inner.next()) {
        items_.emplace_back(inner);
        if (is(Kind::object))
            items_.back().key_ = inner.key();
    }
}

Tree* Tree::find(std::string_view key)
{
    for (Tree& item : items_)
        if (is(Kind::object) && item.key_ == key)
            return item.is(Kind::null) ? nullptr : &item;
    return nullptr;
}

Tree& Tree::member(std::string_view key, Kind kind)
{
    Tree* found = find(key);
    if (found != nullptr && found->is(kind))
        return *found;
    set(key, Tree(kind, ""));
    return *find(key);
}

void Tree::set(std::string_view key, Tree value)
{
    value.key_ = key;
    for (Tree& item : items_) {
        if (item.key_ != key)
            continue;
        item = std::move(value);
        return;
    }
    items_.push_back(std::move(value));
}

void Tree::assign(Tree value)
{
    value.key_ = std::move(key_);
    *this = std::move(value);
}

void Tree::remove(std::string_view key)
{
    std::erase_if(items_, [&](const Tree& item) { return item.key_ == key; });
}

std::string Tree::print() const
{
    std::string text;
    const std::string line_start = "\n";
    print_to(text, &line_start);
    return text + "\n";
}

std::string Tree::print_line() const
{
    std::string text;
    print_to(text, nullptr);
    return text;
}

/// `line_start`: the newline and the indentation of the line that the value is in; null: no newlines.
void Tree::print_to(std::string& text, const std::string* line_start) const
{
    if (is(Kind::string)) {
        text += json::quote(text_);
        return;
    }
    if (!is(Kind::array) && !is(Kind::object)) {
        text += is(Kind::null) ? "null" : text_;
        return;
    }
    const bool is_object = is(Kind::object);
    const std::string inner_start = line_start != nullptr ? *line_start + "\t" : "";
    text += is_object ? '{' : '[';
    for (size_t i = 0; i < items_.size(); i++) {
        if (i > 0)
            text += ',';
        text += inner_start;
        if (is_object)
            text += json::quote(items_[i].key_) + (line_start != nullptr ? ": " : ":");
        items_[i].print_to(text, line_start != nullptr ? &inner_start : nullptr);
    }
    if (line_start != nullptr && !items_.empty())
        text += *line_start;
    text += is_object ? '}' : ']';
}

Result<std::vector<std::string>> split_pointer(std::string_view pointer)
{
    const Error bad{"'" + std::string(pointer) + "': expected a JSON pointer, such as /process/args/0", 0, {}, exit_usage};
    std::vector<std::string> tokens;
    if (!pointer.empty() && pointer[0] != '/')
        return bad;
    while (!pointer.empty()) {
        pointer.remove_prefix(1);
        size_t size = std::min(pointer.find('/'), pointer.size());
        std::string token;
        for (size_t i = 0; i < size; i++) {
            if (pointer[i] != '~') {
                token += pointer[i];
                continue;
            }
            i++;
            if (i == size || (pointer[i] != '0' && pointer[i] != '1'))
                return bad;
            token += pointer[i] == '0' ? '~' : '/';
        }
        tokens.push_back(std::move(token));
        pointer.remove_prefix(size);
    }
    return tokens;
}

namespace {

/// A walk along the property table, beside one along a document; where the table ends nothing is known any more.
class Knowledge {
public:
    bool is_known() const { return static_cast<bool>(property_); }
    Type type() const { return property_ ? property_->type() : Type::anything; }
    void enter(std::string_view token)
    {
        if (!property_)
            return;
        Property inner = property_->first();
        while (inner && inner.name() != "*" && inner.name() != token)
            inner = inner.next();
        property_ = inner && property_->type() != Type::anything ? std::optional(inner) : std::nullopt;
    }

private:
    std::optional<Property> property_ = Property::root();
};

/// The kinds of values that a property of that type may have; `null`: any.
Kind kind_of(Type type)
{
    switch (type) {
    case Type::object:
    case Type::map: return Kind::object;
    case Type::array: return Kind::array;
    case Type::string: return Kind::string;
    case Type::boolean: return Kind::boolean;
    case Type::anything: return Kind::null;
    default: return Kind::number;
    }
}

}  // namespace

static Knowledge knowledge_of(std::span<const std::string> tokens)
{
    Knowledge known;
    for (const std::string& token : tokens)
        known.enter(token);
    return known;
}

/// The place of an item; `-` and the number of items are the place behind the last.
static std::optional<size_t> index_of(const Tree& array, std::string_view token)
{
    if (token == "-")
        return array.items().size();
    Result<unsigned long long> index = parse_unsigned(token);
    if (!index.has_value() || index.value() > array.items().size() || (token.size() > 1 && token[0] == '0'))
        return std::nullopt;
    return static_cast<size_t>(index.value());
}

static Error at_pointer(std::string sentence, std::span<const std::string> tokens, size_t count)
{
    std::string pointer;
    for (const std::string& token : tokens.first(count))
        append_pointer_token(pointer, token);
    return Error{std::move(sentence), 0, std::move(pointer)};
}

Result<void> set_at(Tree& top, std::string_view pointer, Tree value)
{
    const std::vector<std::string> tokens = TRY(split_pointer(pointer));
    const Knowledge goal = knowledge_of(tokens);
    if (Kind kind = kind_of(goal.type()); kind != Kind::null && !value.is(kind) && !value.is(Kind::null))
        return at_pointer(std::string("found ") + name_of(value.kind()) + ", expected " + std::string(name_of(goal.type())), tokens, tokens.size());
    if (tokens.empty()) {
        top = std::move(value);
        return {};
    }
    Tree* at = &top;
    Knowledge known;
    for (size_t i = 0; i < tokens.size(); i++) {
        const bool is_last = i + 1 == tokens.size();
        known.enter(tokens[i]);
        // What is made on the way; unknown to the runtime-spec it is an object, unless the pointer appends to it.
        const bool is_array = known.type() == Type::array || (!known.is_known() && !is_last && tokens[i + 1] == "-");
        const Kind inner_kind = is_array ? Kind::array : Kind::object;
        if (at->is(Kind::object)) {
            Tree* found = at->find(tokens[i]);
            at = found != nullptr ? found : &at->member(tokens[i], inner_kind);
        } else if (at->is(Kind::array)) {
            std::optional<size_t> index = index_of(*at, tokens[i]);
            if (!index)
                return at_pointer("found an array of " + std::to_string(at->items().size()) + ", expected one with " + quoted(tokens[i]), tokens, i);
            if (*index == at->items().size())
                at->append(is_array ? Tree::array() : Tree::object());
            at = &at->items()[*index];
        } else {
            return at_pointer(std::string("found ") + name_of(at->kind()) + ", expected an object or an array", tokens, i);
        }
    }
    at->assign(std::move(value));
    return {};
}

Result<void> remove_at(Tree& top, std::string_view pointer)
{
    const std::vector<std::string> tokens = TRY(split_pointer(pointer));
    if (tokens.empty())
        return Error{"the whole document cannot be removed", 0, {}, exit_usage};
    Tree* at = &top;
    for (size_t i = 0; i < tokens.size(); i++) {
        const bool is_last = i + 1 == tokens.size();
        if (at->is(Kind::object)) {
            if (is_last)
                at->remove(tokens[i]);
            else if (at = at->find(tokens[i]); at == nullptr)
                return {};
        } else if (at->is(Kind::array)) {
            std::optional<size_t> index = index_of(*at, tokens[i]);
            if (!index || *index == at->items().size())
                return {};
            if (is_last)
                at->items().erase(at->items().begin() + static_cast<ptrdiff_t>(*index));
            else
                at = &at->items()[*index];
        } else {
            return {};
        }
    }
    return {};
}

Result<Tree> parse_word(std::string_view pointer, std::string_view word)
{
    const std::vector<std::string> tokens = TRY(split_pointer(pointer));
    const Type type = knowledge_of(tokens).type();
    if (type == Type::string && !word.starts_with('"'))
        return Tree::string(word);

    // As the one member of an object, as a document is one.
    Problems problems;
    Document document = Document::parse("{\"\":" + std::string(word) + "}", pointer, problems);
    if (document.root() && document.root().size() == 1 && problems.count() == 0)
        return Tree(document.root().first());
    if (type == Type::string || type == Type::anything)
        return Tree::string(word);
    return at_pointer("found " + quoted(word) + ", expected " + std::string(name_of(type)) + " in JSON", tokens, tokens.size());
}
