#include "manager.h"

#include <climits>
#include <doctest/doctest.h>

TEST_CASE("systemd's version begins with its number, whatever a distribution adds")
{
    CHECK(version_number("252.39-1~deb12u1") == 252);
    CHECK(version_number("v255-rc1") == 255);
    CHECK(version_number("257") == 257);
    CHECK(version_number("next") == UINT_MAX);
    CHECK(version_number("") == UINT_MAX);
}
