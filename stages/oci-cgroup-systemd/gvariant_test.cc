#include "gvariant.h"

#include <doctest/doctest.h>

namespace {

std::string shown(const GVariant& value)
{
    if (value.children.empty())
        return value.type + ":" + value.text;
    std::string text = value.type + "[";
    for (const GVariant& child : value.children)
        text += shown(child) + " ";
    text.back() = ']';
    return text;
}

std::string read(std::string_view text)
{
    Result<GVariant> value = parse_gvariant(text);
    return value.has_value() ? shown(value.value()) : "error: " + value.error().message();
}

bool is_refused(std::string_view text) { return !parse_gvariant(text).has_value(); }

}  // namespace

TEST_CASE("a value has the type that its text says")
{
    CHECK(read("true") == "b:true");
    CHECK(read("5") == "i:5");
    CHECK(read("-5") == "i:-5");
    CHECK(read("1.5") == "d:1.5");
    CHECK(read("'it''s'") .starts_with("error"));
    CHECK(read("'it\\'s'") == "s:it's");
    CHECK(read("\"two\\nlines\"") == "s:two\nlines");
    CHECK(read("uint64 18446744073709551615") == "t:18446744073709551615");
    CHECK(read("int64 -9223372036854775808") == "x:-9223372036854775808");
    CHECK(read("byte 0x1f") == "y:31");
    CHECK(read("objectpath '/a'") == "o:/a");
    CHECK(read(" boolean  false ") == "b:false");
}

TEST_CASE("arrays, tuples, dictionaries and variants stand in one another")
{
    CHECK(read("['a', 'b']") == "as[s:a s:b]");
    CHECK(read("@as []") == "as:");
    CHECK(read("[byte 0x01, 2]") == "ay[y:1 y:2]");
    CHECK(read("@ay [1, 2]") == "ay[y:1 y:2]");
    CHECK(read("('a', uint64 1)") == "(st)[s:a t:1]");
    CHECK(read("@(st) ('a', 1)") == "(st)[s:a t:1]");
    CHECK(read("@a(ss) [('/dev/null', 'rw')]") == "a(ss)[(ss)[s:/dev/null s:rw]]");
    CHECK(read("<5>") == "v[i:5]");
    CHECK(read("{'a': <5>, 'b': <'c'>}") == "a{sv}[{sv}[s:a v[i:5]] {sv}[s:b v[s:c]]]");
    CHECK(read("@a{sv} {}") == "a{sv}:");
}

TEST_CASE("what is no value, or does not fit its type, is refused")
{
    for (std::string_view text : {"", "x", "'a", "[", "[]", "{}", "()", "[1, 'a']", "uint32 -1", "uint32 4294967296", "int32 2147483648", "byte 256", "@as [1]",
                                  "@z 5", "@a 5", "@a{vs} {}x", "uint64 'a'", "true false", "nothing", "just 5", "(1", "<5", "@(st) ('a')", "@(s) ('a', 'b')",
                                  "uint64 uint32 5", "- 5", "--5", "uint64", "'a\\u0041'", "boolean 1", "@as 'a'", "@s ['a']", "5 ]"})
        CHECK_MESSAGE(is_refused(text), text);
    CHECK(is_refused(std::string(200, '[')));
    CHECK(is_refused(std::string(200, '<')));
    CHECK(is_refused("@" + std::string(200, 'a') + "s []"));
}

TEST_CASE("a refused value says where and what was expected")
{
    CHECK(read("infinity") == "error: value 'infinity': found 'infinity', expected a value in GVariant's text format; text stands in quotes");
    CHECK(read("uint64 x") == "error: value 'uint64 x': found 'x', expected a value of type 't'");
}

TEST_CASE("a property is a name and a value; seconds become microseconds")
{
    Property property = parse_property("MemoryMax=uint64 5").value();
    CHECK(property.name == "MemoryMax");
    CHECK(shown(property.value) == "t:5");

    Property time = parse_property("TimeoutStopSec=1.5").value();
    CHECK(time.name == "TimeoutStopUSec");
    CHECK(shown(time.value) == "t:1500000");
    CHECK(shown(parse_property("TimeoutStopUSec=uint64 7").value().value) == "t:7");

    for (std::string_view text : {"MemoryMax", "=5", "memoryMax=5", "Memory Max=5", "Memory/Max=5", "TimeoutStopSec='5'", "TimeoutStopSec=-1", "MemoryMax="})
        CHECK_MESSAGE(!parse_property(text).has_value(), text);
}

TEST_CASE("a value that is written is read as the same value again")
{
    for (std::string_view text : {"@t 18446744073709551615", "@x -5", "@b true", "@y 7", "@s 'it\\'s a \\\\ \"box\"\n'", "@as []", "@as ['a', 'b']", "@ay [1, 255]",
                                  "@a(st) [('/dev/block/8:0', 5)]", "@(s) ('a',)", "@a{sv} {'k': <@u 5>, 'l': <@as ['x']>}", "@v <@v <@n -1>>", "@d 1.5"}) {
        Result<GVariant> value = parse_gvariant(text);
        REQUIRE_MESSAGE(value.has_value(), text);
        CHECK(gvariant_text(value.value()) == text);
    }
}
