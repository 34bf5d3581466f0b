// Reading GVariant's text format.
#include "gvariant.h"

#include <cstdlib>
#include <optional>

namespace {

struct Number {
    std::string_view keyword;
    char type;
    long long lowest;
    unsigned long long highest;
};

constexpr Number number_types[] = {
    {"byte", 'y', 0, UINT8_MAX},        {"int16", 'n', INT16_MIN, INT16_MAX},   {"uint16", 'q', 0, UINT16_MAX}, {"int32", 'i', INT32_MIN, INT32_MAX},
    {"uint32", 'u', 0, UINT32_MAX},     {"int64", 'x', INT64_MIN, INT64_MAX},   {"uint64", 't', 0, UINT64_MAX},
};

constexpr struct {
    std::string_view keyword;
    char type;
} other_types[] = {{"boolean", 'b'}, {"double", 'd'}, {"string", 's'}, {"objectpath", 'o'}, {"signature", 'g'}};

// The D-Bus specification allows 32 levels of arrays and 32 of structs; systemd's properties have three.
constexpr int deepest = 16;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }
bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' || c == '_'; }

/// How many characters of `type` the complete type at its start has; 0: none.
size_t complete_type(std::string_view type, int depth = 0)
{
    if (type.empty() || depth > deepest)
        return 0;
    if (std::string_view("ybnqiuxtdsogv").find(type[0]) != std::string_view::npos)
        return 1;
    if (type[0] == 'a') {
        size_t element = complete_type(type.substr(1), depth + 1);
        return element == 0 ? 0 : 1 + element;
    }
    if (type[0] != '(' && type[0] != '{')
        return 0;
    const char end = type[0] == '(' ? ')' : '}';
    size_t at = 1;
    size_t members = 0;
    for (; at < type.size() && type[at] != end; members++) {
        size_t member = complete_type(type.substr(at), depth + 1);
        if (member == 0)
            return 0;
        at += member;
    }
    return at == type.size() || members == 0 || (end == '}' && members != 2) ? 0 : at + 1;
}

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text), rest_(text) {}

    Result<GVariant> whole()
    {
        GVariant value = TRY(read({}, 0));
        skip_space();
        if (!rest_.empty())
            return bad("the end");
        return value;
    }

private:
    Error bad(const std::string& expected) const
    {
        std::string found = rest_.empty() ? "its end" : "'" + std::string(rest_.substr(0, 20)) + "'";
        return Error{"value '" + std::string(text_) + "': found " + found + ", expected " + expected};
    }
    void skip_space()
    {
        while (!rest_.empty() && is_space(rest_[0]))
            rest_.remove_prefix(1);
    }
    bool take(char c)
    {
        skip_space();
        if (rest_.empty() || rest_[0] != c)
            return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string_view take_word()
    {
        size_t end = 0;
        while (end < rest_.size() && is_word(rest_[end]))
            end++;
        std::string_view word = rest_.substr(0, end);
        rest_.remove_prefix(end);
        return word;
    }

    /// One value of type `expected`; empty: of the type that it has by itself.
    Result<GVariant> read(std::string_view expected, int depth)
    {
        if (depth > deepest)
            return bad("fewer values in one another");
        skip_space();
        if (rest_.empty())
            return bad("a value");
        const char first = rest_[0];
        if (first == '@')
            return read_annotated(expected, depth);
        if (first == '<') {
            TRY(check(expected, "v"));
            rest_.remove_prefix(1);
            GVariant inner = TRY(read({}, depth + 1));
            if (!take('>'))
                return bad("'>'");
            return GVariant{"v", {}, {std::move(inner)}};
        }
        if (first == '[')
            return read_array(expected, depth);
        if (first == '{')
            return read_dictionary(expected, depth);
        if (first == '(')
            return read_tuple(expected, depth);
        if (first == '\'' || first == '"')
            return read_string(expected);
        return read_word(expected, depth);
    }

    Result<void> check(std::string_view expected, std::string_view type) const
    {
        if (!expected.empty() && expected != type)
            return bad("a value of type '" + std::string(expected) + "'");
        return {};
    }

    Result<GVariant> read_annotated(std::string_view expected, int depth)
    {
        rest_.remove_prefix(1);
        std::string_view type = rest_.substr(0, complete_type(rest_));
        if (type.empty())
            return bad("a D-Bus type");
        TRY(check(expected, type));
        rest_.remove_prefix(type.size());
        return read(type, depth);
    }

    Result<GVariant> read_array(std::string_view expected, int depth)
    {
        if (!expected.empty() && expected[0] != 'a')
            TRY(check(expected, "an array"));
        rest_.remove_prefix(1);
        GVariant array{std::string(expected)};
        std::string element(expected.empty() ? std::string_view() : expected.substr(1));
        if (take(']')) {
            if (expected.empty())
                return bad("a type before the empty array, such as @as []");
            return array;
        }
        do {
            array.children.push_back(TRY(read(element, depth + 1)));
            element = array.children.back().type;
        } while (take(','));
        if (!take(']'))
            return bad("',' or ']'");
        array.type = "a" + element;
        return array;
    }

    Result<GVariant> read_dictionary(std::string_view expected, int depth)
    {
        if (!expected.empty() && !expected.starts_with("a{"))
            TRY(check(expected, "a dictionary"));
        rest_.remove_prefix(1);
        std::string key;
        std::string value;
        if (!expected.empty()) {
            key = expected.substr(2, 1);
            value = expected.substr(3, expected.size() - 4);
        }
        GVariant array{std::string(expected)};
        if (take('}')) {
            if (expected.empty())
                return bad("a type before the empty dictionary, such as @a{sv} {}");
            return array;
        }
        do {
            GVariant entry;
            entry.children.push_back(TRY(read(key, depth + 1)));
            key = entry.children[0].type;
            if (key.size() != 1 || key == "v")
                return bad("a key of a basic type");
            if (!take(':'))
                return bad("':'");
            entry.children.push_back(TRY(read(value, depth + 1)));
            value = entry.children[1].type;
            entry.type = "{" + key + value + "}";
            array.children.push_back(std::move(entry));
        } while (take(','));
        if (!take('}'))
            return bad("',' or '}'");
        array.type = "a{" + key + value + "}";
        return array;
    }

    Result<GVariant> read_tuple(std::string_view expected, int depth)
    {
        if (!expected.empty() && expected[0] != '(')
            TRY(check(expected, "a tuple"));
        rest_.remove_prefix(1);
        std::string_view members = expected.empty() ? expected : expected.substr(1, expected.size() - 2);
        GVariant tuple{"("};
        do {
            if (take(')'))
                return finish_tuple(std::move(tuple), expected);  // ('a',): a comma behind the last is allowed
            std::string_view member = members.substr(0, complete_type(members));
            if (!expected.empty() && member.empty())
                return bad("')'");
            members.remove_prefix(member.size());
            tuple.children.push_back(TRY(read(member, depth + 1)));
            tuple.type += tuple.children.back().type;
        } while (take(','));
        if (!take(')'))
            return bad("',' or ')'");
        return finish_tuple(std::move(tuple), expected);
    }

    Result<GVariant> finish_tuple(GVariant tuple, std::string_view expected) const
    {
        tuple.type += ")";
        if (tuple.children.empty())
            return bad("something in the tuple");  // D-Bus has no empty one
        TRY(check(expected, tuple.type));
        return tuple;
    }

    Result<GVariant> read_string(std::string_view expected)
    {
        const std::string type = expected.empty() ? "s" : std::string(expected);
        if (type != "s" && type != "o" && type != "g")
            TRY(check(expected, "a string"));
        const char quote = rest_[0];
        rest_.remove_prefix(1);
        std::string text;
        for (;;) {
            if (rest_.empty())
                return bad(std::string("a closing ") + quote);
            char c = rest_[0];
            rest_.remove_prefix(1);
            if (c == quote)
                break;
            if (c == '\\') {
                if (rest_.empty())
                    return bad("a character behind the backslash");
                c = rest_[0];
                rest_.remove_prefix(1);
                if (c == 'u' || c == 'U')
                    return bad("the character itself, in UTF-8");
                static constexpr std::string_view letters = "abfnrtv";
                if (size_t at = letters.find(c); at != std::string_view::npos)
                    c = "\a\b\f\n\r\t\v"[at];
            }
            if (c == '\0')
                return bad("text without a NUL");
            text += c;
        }
        return GVariant{type, std::move(text)};
    }

    Result<GVariant> read_word(std::string_view expected, int depth)
    {
        const std::string_view before = rest_;
        const std::string_view word = take_word();
        for (const Number& number : number_types)
            if (word == number.keyword)
                return read_keyword(expected, number.type, depth);
        for (const auto& other : other_types)
            if (word == other.keyword)
                return read_keyword(expected, other.type, depth);
        if (word == "true" || word == "false") {
            TRY(check(expected, "b"));
            return GVariant{"b", std::string(word)};
        }
        std::optional<GVariant> number = number_of(word, expected);
        if (number)
            return std::move(*number);
        rest_ = before;
        return bad(expected.empty() ? "a value in GVariant's text format; text stands in quotes" : "a value of type '" + std::string(expected) + "'");
    }

    Result<GVariant> read_keyword(std::string_view expected, char type, int depth)
    {
        const std::string name(1, type);
        TRY(check(expected, name));
        return read(name, depth + 1);
    }

    static std::optional<GVariant> number_of(std::string_view word, std::string_view expected)
    {
        std::string text(word);
        if (text.empty() || expected.size() > 1)
            return {};
        char type = expected.empty() ? 'i' : expected[0];
        bool is_hex = word.find("0x") != std::string_view::npos;
        if (type == 'd' || (expected.empty() && !is_hex && word.find_first_of(".eE") != std::string_view::npos)) {
            char* end = nullptr;
            std::strtod(text.c_str(), &end);
            return *end == '\0' ? std::optional(GVariant{"d", text}) : std::nullopt;
        }
        for (const Number& number : number_types) {
            if (number.type != type)
                continue;
            bool is_negative = text[0] == '-';
            std::string digits = text.substr(is_negative || text[0] == '+' ? 1 : 0);
            if (digits.empty() || digits[0] < '0' || digits[0] > '9')
                return {};
            char* end = nullptr;
            errno = 0;
            unsigned long long size = std::strtoull(digits.c_str(), &end, 0);
            if (*end != '\0' || errno != 0 || (is_negative ? number.lowest == 0 && size != 0 : size > number.highest))
                return {};
            // Without -1, whose opposite would not fit for the lowest.
            if (is_negative && size > 0 && size - 1 > static_cast<unsigned long long>(-(number.lowest + 1)))
                return {};
            return GVariant{std::string(1, type), (is_negative && size > 0 ? "-" : "") + std::to_string(size)};
        }
        return {};
    }

    std::string_view text_;
    std::string_view rest_;
};

}  // namespace

Result<GVariant> parse_gvariant(std::string_view text) { return Reader(text).whole(); }

/// Without the types, which whoever reads it knows from what is around it.
static std::string bare_text(const GVariant& value)
{
    const char type = value.type[0];
    if (type == 's' || type == 'o' || type == 'g') {
        std::string text = "'";
        for (char c : value.text) {
            if (c == '\'' || c == '\\')
                text += '\\';
            text += c;
        }
        return text + "'";
    }
    if (value.type.size() == 1 && type != 'v')
        return value.text;
    std::string items;
    for (const GVariant& child : value.children)
        items += (items.empty() ? "" : value.type[0] == '{' ? ": " : ", ") + (type == 'v' ? gvariant_text(child) : bare_text(child));
    switch (type) {
    case 'v': return "<" + items + ">";
    case '(': return "(" + items + (value.children.size() == 1 ? ",)" : ")");
    case '{': return items;
    default: return value.type[1] == '{' ? "{" + items + "}" : "[" + items + "]";
    }
}

std::string gvariant_text(const GVariant& value) { return "@" + value.type + " " + bare_text(value); }

static Result<GVariant> microseconds(const GVariant& seconds)
{
    const char type = seconds.type[0];
    bool is_number = seconds.type.size() == 1 && std::string_view("ynqiuxtd").find(type) != std::string_view::npos;
    double number = is_number ? std::strtod(seconds.text.c_str(), nullptr) : -1;
    // Above it, a double would round microseconds away.
    if (!(number >= 0 && number < 9e9))
        return Error{"expected a number of seconds"};
    return GVariant{"t", std::to_string(static_cast<unsigned long long>(number * 1e6 + 0.5))};
}

Result<Property> parse_property(std::string_view text)
{
    size_t equals = text.find('=');
    std::string name(text.substr(0, equals));
    bool is_name = !name.empty() && name[0] >= 'A' && name[0] <= 'Z';
    for (char c : name)
        is_name = is_name && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'));
    if (equals == std::string_view::npos || !is_name)
        return Error{"property '" + std::string(text) + "': expected NAME=VALUE, as MemoryMax=uint64 1000000"};
    Property property{std::move(name), TRY(parse_gvariant(text.substr(equals + 1)).with_context("property '" + std::string(text.substr(0, equals)) + "'"))};
    if (property.name.ends_with("Sec") && !property.name.ends_with("USec")) {
        property.value = TRY(microseconds(property.value).with_context("property '" + property.name + "'"));
        property.name.insert(property.name.size() - 3, "U");
    }
    return property;
}
