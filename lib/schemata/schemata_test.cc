// Texts for resctrl's schemata.
#include "schemata/schemata.h"

#include <doctest/doctest.h>

using Lines = std::vector<std::string_view>;

TEST_CASE("schemata are lines with a resource before the colon")
{
    CHECK(schemata_lines("") == Lines{});
    CHECK(schemata_lines("L3:0=f\n\nMB:0=50\n") == Lines{"L3:0=f", "MB:0=50"});
    CHECK_FALSE(schemata_lines("L3:0=f\nnothing").has_value());
    CHECK_FALSE(schemata_lines(std::string_view("L3:0=f\0", 7)).has_value());
}

TEST_CASE("a schema of memory bandwidth decides over what the cache's schema says of it")
{
    CHECK(cache_lines("L3:0=f\nMB:0=50", true) == Lines{"L3:0=f"});
    CHECK(cache_lines("L3:0=f\nMB:0=50", false) == Lines{"L3:0=f", "MB:0=50"});
    CHECK_FALSE(cache_lines("nothing", true).has_value());
}

TEST_CASE("a schema of memory bandwidth is one line")
{
    CHECK(is_bandwidth_line("MB:0=50;1=70"));
    for (std::string_view bad : {std::string_view(""), std::string_view("L3:0=f"), std::string_view("MB:0=50\n"), std::string_view("MB:\0", 4)})
        CHECK_FALSE(is_bandwidth_line(bad));
}
