// JSON strings.
#include "json/json.h"

#include <doctest/doctest.h>

TEST_CASE("what JSON reserves is escaped")
{
    CHECK(json::quote("a\"b\\c\n\t\x01\x1f/") == "\"a\\\"b\\\\c\\n\\t\\u0001\\u001f/\"");
    CHECK(json::quote("") == "\"\"");
    CHECK(json::quote(std::string_view("\0", 1)) == "\"\\u0000\"");
}

TEST_CASE("UTF-8 goes through, anything else becomes U+FFFD, byte by byte")
{
    CHECK(json::quote("äß€😀") == "\"äß€😀\"");
    const std::string bad = "\xef\xbf\xbd";
    CHECK(json::quote("\xff") == "\"" + bad + "\"");
    CHECK(json::quote("a\xc3") == "\"a" + bad + "\"");
    CHECK(json::quote("\xc0\x80") == "\"" + bad + bad + "\"");             // overlong
    CHECK(json::quote("\xed\xa0\x80") == "\"" + bad + bad + bad + "\"");   // surrogate
    CHECK(json::quote("\xf4\x90\x80\x80") == "\"" + bad + bad + bad + bad + "\"");  // above U+10FFFF
    CHECK(json::quote("\xe2\x82x") == "\"" + bad + bad + "x\"");
}
