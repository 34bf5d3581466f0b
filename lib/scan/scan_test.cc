#include "scan/scan.h"

#include <doctest/doctest.h>

TEST_CASE("a text is taken apart at a separator, whose last part needs none")
{
    std::string_view text = "a::b";
    CHECK(take(text, ':') == "a");
    CHECK(take(text, ':') == "");
    CHECK(take(text, ':') == "b");
    CHECK(text.empty());
    CHECK(take(text, ':') == "");
}

TEST_CASE("lines end with a newline or with the text")
{
    std::string_view text = "one\n\nlast";
    CHECK(take_line(text) == "one");
    CHECK(take_line(text) == "");
    CHECK(take_line(text) == "last");
    CHECK(text.empty());
}

TEST_CASE("words are apart by any number of blanks")
{
    std::string_view text = "  one\ttwo  ";
    CHECK(take_word(text) == "one");
    CHECK(take_word(text) == "two");
    CHECK(take_word(text) == "");
    CHECK(text.empty());
}
