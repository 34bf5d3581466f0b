// From JSON text to a tree, by simdjson's On-Demand interface.
#include "json.h"

#include "flaw.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <simdjson.h>

namespace ondemand = simdjson::ondemand;

const char* name_of(Kind kind)
{
    switch (kind) {
    case Kind::null: return "null";
    case Kind::boolean: return "a boolean";
    case Kind::number: return "a number";
    case Kind::string: return "a string";
    case Kind::array: return "an array";
    case Kind::object: return "an object";
    case Kind::broken: break;
    }
    return "a value";
}

std::optional<unsigned long long> Value::to_unsigned() const
{
    unsigned long long number = 0;
    std::string_view digits = text();
    auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (!is(Kind::number) || problem != std::errc() || end != digits.data() + digits.size())
        return std::nullopt;
    return number;
}

std::optional<long long> Value::to_signed() const
{
    long long number = 0;
    std::string_view digits = text();
    auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (!is(Kind::number) || problem != std::errc() || end != digits.data() + digits.size())
        return std::nullopt;
    return number;
}

Value Value::operator[](std::string_view key) const
{
    if (!is(Kind::object))
        return {};
    for (Value member = first(); member; member = member.next())
        if (member.key() == key)
            return member.kind() == Kind::null ? Value() : member;
    return {};
}

std::string Value::pointer() const { return document_->pointer_of(node_); }

std::string Document::pointer_of(uint32_t node) const
{
    if (node == 0 || node >= nodes_.size())
        return root_pointer_;
    std::string pointer = pointer_of(nodes_[node].parent);
    if (nodes_[node].key != nullptr)
        append_pointer_token(pointer, {nodes_[node].key, nodes_[node].key_size});
    else
        pointer += "/" + std::to_string(nodes_[node].index);
    return pointer;
}

/// Whether `token` is a number by RFC 8259.
static bool is_number(std::string_view token)
{
    size_t at = 0;
    auto digits = [&] {
        size_t start = at;
        while (at < token.size() && token[at] >= '0' && token[at] <= '9')
            at++;
        return at - start;
    };
    if (at < token.size() && token[at] == '-')
        at++;
    size_t first_digit = at;
    size_t whole = digits();
    if (whole == 0 || (whole > 1 && token[first_digit] == '0'))
        return false;
    if (at < token.size() && token[at] == '.') {
        at++;
        if (digits() == 0)
            return false;
    }
    if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
        at++;
        if (at < token.size() && (token[at] == '+' || token[at] == '-'))
            at++;
        if (digits() == 0)
            return false;
    }
    return at == token.size();
}

static std::optional<unsigned> read_hex(const char* text, const char* end)
{
    if (end - text < 4)
        return std::nullopt;
    unsigned number = 0;
    auto [stop, problem] = std::from_chars(text, text + 4, number, 16);
    if (problem != std::errc() || stop != text + 4)
        return std::nullopt;
    return number;
}

static char* append_utf8(char* to, unsigned code)
{
    if (code < 0x80) {
        *to++ = static_cast<char>(code);
    } else if (code < 0x800) {
        *to++ = static_cast<char>(0xc0 | code >> 6);
        *to++ = static_cast<char>(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = static_cast<char>(0xe0 | code >> 12);
        *to++ = static_cast<char>(0x80 | (code >> 6 & 0x3f));
        *to++ = static_cast<char>(0x80 | (code & 0x3f));
    } else {
        *to++ = static_cast<char>(0xf0 | code >> 18);
        *to++ = static_cast<char>(0x80 | (code >> 12 & 0x3f));
        *to++ = static_cast<char>(0x80 | (code >> 6 & 0x3f));
        *to++ = static_cast<char>(0x80 | (code & 0x3f));
    }
    return to;
}

/// Fills the tree of one document.
class TreeBuilder {
public:
    TreeBuilder(Document& document, Problems& problems) : document_(document), problems_(problems) {}

    void build()
    {
        std::string& text = document_.text_;
        if (text.capacity() < text.size() + simdjson::SIMDJSON_PADDING)
            text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
        // As many values as a config.json of that size may have: memory that is not written costs nothing, moving does.
        document_.nodes_.reserve(std::min<size_t>(text.size() / 8 + 16, 16384));
        add_node({}, Kind::object, 0, 0);

        size_t start = text.find_first_not_of(" \t\r\n");
        if (start == std::string::npos || text[start] != '{') {
            std::optional<Flaw> flaw = find_flaw(text, max_json_depth);
            if (flaw)
                problems_.add({static_cast<uint32_t>(flaw->offset), 0}, std::move(flaw->sentence));
            else
                problems_.add({static_cast<uint32_t>(start), 0}, std::string("found ") + kind_at(start) + ", expected an object");
            return;
        }
        document_.nodes_[0].offset = static_cast<uint32_t>(start);

        ondemand::parser parser;
        ondemand::document json;
        ondemand::object root;
        // Sized by our own depth, as its default of 1024 levels is two pages more to touch.
        simdjson::error_code error = parser.allocate(text.size(), max_json_depth + 1);
        if (error == simdjson::SUCCESS)
            error = parser.iterate(simdjson::padded_string_view(text.data(), text.size(), text.capacity())).get(json);
        if (error == simdjson::SUCCESS)
            error = json.get_object().get(root);
        bool is_whole = error == simdjson::SUCCESS && read_object(root, 0, 1);
        if (is_whole && json.current_location().error() == simdjson::OUT_OF_BOUNDS) {
            document_.is_whole_ = true;
            return;
        }
        if (reported_)
            return;
        std::optional<Flaw> flaw = find_flaw(text, max_json_depth);
        if (flaw)
            problems_.add({static_cast<uint32_t>(flaw->offset), open_node_}, std::move(flaw->sentence));
        else if (error == simdjson::MEMALLOC)
            problems_.add({0, 0}, "cannot be read: out of memory");
        else
            problems_.add({static_cast<uint32_t>(start), open_node_}, "found text that is not JSON");
    }

private:
    const char* kind_at(size_t offset) const
    {
        switch (document_.text_[offset]) {
        case '[': return "an array";
        case '"': return "a string";
        case 't':
        case 'f': return "a boolean";
        case 'n': return "null";
        default: return "a number";
        }
    }

    uint32_t offset_of(const char* at) const { return static_cast<uint32_t>(at - document_.text_.data()); }

    uint32_t add_node(std::string_view text, Kind kind, uint32_t offset, uint32_t parent)
    {
        document_.nodes_.push_back({text.data(), nullptr, static_cast<uint32_t>(text.size()), 0, offset, 0, parent, 0, 0, 0, 0, kind});
        return static_cast<uint32_t>(document_.nodes_.size() - 1);
    }

    /// Appends a value to `parent`; false: stop.
    bool read_value(ondemand::value value, uint32_t parent, uint32_t& last, std::string_view key, uint32_t key_offset, bool has_key,
                    size_t depth)
    {
        std::string_view token = value.raw_json_token();
        uint32_t offset = offset_of(token.data());
        if (document_.nodes_.size() >= max_json_values) {
            reported_ = true;
            problems_.add({offset, parent}, "found more than " + std::to_string(max_json_values) + " values, expected fewer");
            return false;
        }
        uint32_t self = add_node({}, Kind::null, offset, parent);
        {
            Node& node = document_.nodes_[self];
            Node& container = document_.nodes_[parent];
            if (has_key) {
                node.key = key.data();
                node.key_size = static_cast<uint32_t>(key.size());
                node.key_offset = key_offset;
            }
            node.index = container.count++;
            if (last == 0)
                container.first = self;
            else
                document_.nodes_[last].next = self;
            last = self;
        }
        switch (token[0]) {
        case '{': {
            document_.nodes_[self].kind = Kind::object;
            ondemand::object object;
            open_node_ = self;
            if (value.get_object().get(object) != simdjson::SUCCESS || !read_object(object, self, depth + 1))
                return false;
            break;
        }
        case '[': {
            document_.nodes_[self].kind = Kind::array;
            ondemand::array array;
            open_node_ = self;
            if (value.get_array().get(array) != simdjson::SUCCESS || !read_array(array, self, depth + 1))
                return false;
            break;
        }
        case '"': {
            ondemand::raw_json_string raw;
            // Consumed and not just passed over: simdjson takes a string that is passed over before
            // a colon for a key, even in an array.
            if (value.get_raw_json_string().get(raw) != simdjson::SUCCESS)
                return false;
            size_t problems_before = problems_.count();
            std::string_view text = read_string(raw.raw(), self);
            document_.nodes_[self].kind = problems_.count() == problems_before ? Kind::string : Kind::broken;
            document_.nodes_[self].text = text.data();
            document_.nodes_[self].text_size = static_cast<uint32_t>(text.size());
            break;
        }
        default: return read_scalar(token, self);
        }
        open_node_ = parent;
        return true;
    }

    /// A number or literal. What is no such thing but stands where one could is a problem, not the end.
    bool read_scalar(std::string_view token, uint32_t self)
    {
        while (!token.empty() && std::strchr(" \t\r\n", token.back()) != nullptr)
            token.remove_suffix(1);
        char first = token.empty() ? '\0' : token[0];
        Node& node = document_.nodes_[self];
        if (first == '-' || (first >= '0' && first <= '9')) {
            node.kind = is_number(token) ? Kind::number : Kind::broken;
            if (node.kind == Kind::broken)
                problems_.add({node.offset, self}, "found " + quoted(token) + ", expected a number as JSON spells it");
            if (token == "-0")
                token = "0";
        } else if (first == 't' || first == 'f' || first == 'n') {
            node.kind = token == "null" ? Kind::null : token == "true" || token == "false" ? Kind::boolean : Kind::broken;
            if (node.kind == Kind::broken)
                problems_.add({node.offset, self}, "found " + quoted(token) + ", expected true, false or null");
        } else {
            return false;
        }
        node.text = token.data();
        node.text_size = static_cast<uint32_t>(token.size());
        return true;
    }

    bool read_object(ondemand::object& object, uint32_t self, size_t depth)
    {
        if (depth > max_json_depth)
            return false;
        uint32_t last = 0;
        for (auto result : object) {
            ondemand::field field;
            if (std::move(result).get(field) != simdjson::SUCCESS)
                return false;
            const char* raw = field.key().raw();
            std::string_view key = read_string(raw, self);
            if (!read_value(field.value(), self, last, key, offset_of(raw) - 1, true, depth))
                return false;
        }
        check_keys(self);
        return true;
    }

    bool read_array(ondemand::array& array, uint32_t self, size_t depth)
    {
        if (depth > max_json_depth)
            return false;
        uint32_t last = 0;
        for (auto result : array) {
            ondemand::value item;
            if (result.get(item) != simdjson::SUCCESS)
                return false;
            if (!read_value(item, self, last, {}, 0, false, depth))
                return false;
        }
        return true;
    }

    /// The string that starts behind its quote at `raw`. simdjson has made sure that it ends, is UTF-8 and
    /// has no control characters.
    std::string_view read_string(const char* raw, uint32_t owner)
    {
        const char* end = raw;
        bool has_escapes = false;
        for (; *end != '"'; end++) {
            if (*end == '\\') {
                has_escapes = true;
                end++;
            }
        }
        std::string_view text(raw, static_cast<size_t>(end - raw));
        return has_escapes ? unescape(text, owner) : text;
    }

    std::string_view unescape(std::string_view raw, uint32_t owner)
    {
        std::vector<char>& block = document_.blocks_.emplace_back(raw.size());
        char* to = block.data();
        const std::string_view nothing = raw.substr(0, 0);  // not null: a null key is that of an array's item
        const char* end = raw.data() + raw.size();
        for (const char* from = raw.data(); from < end; from++) {
            if (*from != '\\') {
                *to++ = *from;
                continue;
            }
            const char* escape = from++;
            switch (*from) {
            case '"':
            case '\\':
            case '/': *to++ = *from; break;
            case 'b': *to++ = '\b'; break;
            case 'f': *to++ = '\f'; break;
            case 'n': *to++ = '\n'; break;
            case 'r': *to++ = '\r'; break;
            case 't': *to++ = '\t'; break;
            case 'u': {
                std::optional<unsigned> code = read_hex(from + 1, end);
                if (!code) {
                    bad_escape(escape, end, "four hexadecimal digits", owner);
                    return nothing;
                }
                from += 4;
                if (*code == 0) {
                    // Nothing that ends up in a system call can hold it.
                    problems_.add({offset_of(escape), owner}, "found a NUL character inside a string, expected none");
                    return nothing;
                }
                if (*code >= 0xd800 && *code <= 0xdfff) {
                    std::optional<unsigned> low = end - from > 6 && from[1] == '\\' && from[2] == 'u' ? read_hex(from + 3, end) : std::nullopt;
                    if (*code >= 0xdc00 || !low || *low < 0xdc00 || *low > 0xdfff) {
                        bad_escape(escape, end, "a pair of surrogates", owner);
                        return nothing;
                    }
                    code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
                    from += 6;
                }
                to = append_utf8(to, *code);
                break;
            }
            default: bad_escape(escape, end, "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u", owner); return nothing;
            }
        }
        return {block.data(), static_cast<size_t>(to - block.data())};
    }

    void bad_escape(const char* escape, const char* end, const char* expected, uint32_t owner)
    {
        size_t length = std::min<size_t>(escape[1] == 'u' ? 6 : 1 + utf8_length({escape, static_cast<size_t>(end - escape)}, 1),
                                         static_cast<size_t>(end - escape));
        problems_.add({offset_of(escape), owner}, "found " + quoted({escape, length}) + " inside a string, expected " + expected);
    }

    /// A key that comes twice is an error that names both places: which one wins differs from reader to reader.
    void check_keys(uint32_t self)
    {
        const std::vector<Node>& nodes = document_.nodes_;
        auto key_of = [&](uint32_t node) { return std::string_view(nodes[node].key, nodes[node].key_size); };
        if (nodes[self].count <= 24) {
            for (uint32_t later = nodes[self].first; later != 0; later = nodes[later].next)
                for (uint32_t node = nodes[self].first; node != later; node = nodes[node].next)
                    if (nodes[node].key_size == nodes[later].key_size && key_of(node) == key_of(later)) {
                        add_duplicate(node, later);
                        break;
                    }
            return;
        }
        std::vector<uint32_t> members;
        members.reserve(nodes[self].count);
        for (uint32_t node = nodes[self].first; node != 0; node = nodes[node].next)
            members.push_back(node);
        // Nodes are numbered in the order of the document.
        std::sort(members.begin(), members.end(), [&](uint32_t a, uint32_t b) {
            int order = key_of(a).compare(key_of(b));
            return order != 0 ? order < 0 : a < b;
        });
        for (size_t i = 1, first = 0; i < members.size(); i++) {
            if (key_of(members[first]) == key_of(members[i]))
                add_duplicate(members[first], members[i]);
            else
                first = i;
        }
    }

    void add_duplicate(uint32_t first, uint32_t again)
    {
        // The position costs a look at the text from its start, so only for the errors that are said.
        std::string where;
        if (problems_.count() < max_errors) {
            TextPosition position = position_of(document_.text(), document_.nodes_[first].key_offset);
            where = " (it is also at " + std::to_string(position.line) + ":" + std::to_string(position.column) + ")";
        }
        problems_.add({document_.nodes_[again].key_offset, again}, "found the same key twice, expected it once" + where);
    }

    Document& document_;
    Problems& problems_;
    uint32_t open_node_ = 0;  ///< the innermost array or object that is not closed yet
    bool reported_ = false;
};

Document Document::parse(std::string text, std::string_view root_pointer, Problems& problems)
{
    Document document;
    document.text_ = std::move(text);
    document.root_pointer_ = root_pointer;
    TreeBuilder(document, problems).build();
    return document;
}
