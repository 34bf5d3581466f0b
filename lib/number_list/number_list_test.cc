#include "number_list/number_list.h"

#include <doctest/doctest.h>

TEST_CASE("numbers and ranges set their bits")
{
    CHECK(parse_number_list("0").value() == std::vector<unsigned long>{1});
    CHECK(parse_number_list("0-3,7").value() == std::vector<unsigned long>{0x8f});
    CHECK(parse_number_list(" 1 , 2-3 ").value() == std::vector<unsigned long>{0xe});
    CHECK(parse_number_list("64").value().back() == 1UL << 64 % (sizeof(unsigned long) * 8));
    CHECK(parse_number_list("8191").has_value());
}

TEST_CASE("what is no list is refused")
{
    for (const char* text : {"", ",", "a", "1-", "-1", "3-1", "1,,2", "0-8192", "99999999999999999999", "0-4:2"})
        CHECK_FALSE(parse_number_list(text).has_value());
}
