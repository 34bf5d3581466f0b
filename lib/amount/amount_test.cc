// What sizes and shares of CPUs may look like.
#include "amount/amount.h"

#include <doctest/doctest.h>

TEST_CASE("a size is a number with an optional power of 1024")
{
    CHECK(parse_size("64M").value() == "67108864");
    CHECK(parse_size("1g").value() == "1073741824");
    CHECK(parse_size("3K").value() == "3072");
    CHECK(parse_size("4096").value() == "4096");
    CHECK(parse_size("-1").value() == "-1");
    for (const char* bad : {"", "M", "-1M", "1.5G", "64MB", "9999999999G", "x"})
        CHECK_FALSE(parse_size(bad).has_value());
}

TEST_CASE("CPUs are a quota of a period of 100 ms")
{
    CHECK(parse_cpus("1.5").value() == "150000");
    CHECK(parse_cpus("2").value() == "200000");
    CHECK(parse_cpus(".25").value() == "25000");
    CHECK(parse_cpus("0.00001").value() == "1");
    for (const char* bad : {"", ".", "-1", "1.5.5", "x", "0.000001"})
        CHECK_FALSE(parse_cpus(bad).has_value());
}

TEST_CASE("an interval is a time with its unit, or seconds")
{
    CHECK(parse_interval("5s").value().count() == 5000);
    CHECK(parse_interval("500ms").value().count() == 500);
    CHECK(parse_interval("1m30s").value().count() == 90'000);
    CHECK(parse_interval("2").value().count() == 2000);
    for (const char* bad : {"", "0", "0s", "-1s", "5x", "s", "1s5", "99999999999999h", "25h"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_interval(bad).has_value());
    }
}
