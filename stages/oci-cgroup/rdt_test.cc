#include "rdt.h"

#include <doctest/doctest.h>

TEST_CASE("schemata say a line when each domain that it names has that value")
{
    const std::string_view schemata = "    MB:0=100;1= 70\n    L3:0=00f0;1=ffff\n";

    CHECK(schemata_say(schemata, "L3:0=f0;1=ffff"));
    CHECK(schemata_say(schemata, "L3:1=FFFF"));
    CHECK(schemata_say(schemata, "MB:1=70;0=100"));
    CHECK_FALSE(schemata_say(schemata, "L3:0=f"));
    CHECK_FALSE(schemata_say(schemata, "L3:2=ffff"));
    CHECK_FALSE(schemata_say(schemata, "L2:0=f"));
    CHECK_FALSE(schemata_say("", "L3:0=f"));
}

TEST_CASE("a mask of nothing but zeros is equal to itself alone")
{
    CHECK(schemata_say("L3:0=0\n", "L3:0=000"));
    CHECK_FALSE(schemata_say("L3:0=0\n", "L3:0=1"));
}
