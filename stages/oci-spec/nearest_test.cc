// The nearest known word.
#include "nearest.h"

#include <doctest/doctest.h>
#include <string>

TEST_CASE("a letter more, less, other or swapped is one step")
{
    CHECK(edit_distance("mounts", "mounts") == 0);
    CHECK(edit_distance("mount", "mounts") == 1);
    CHECK(edit_distance("mountss", "mounts") == 1);
    CHECK(edit_distance("monts", "mounts") == 1);
    CHECK(edit_distance("mopnts", "mounts") == 1);
    CHECK(edit_distance("muonts", "mounts") == 1);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("Mounts", "mounts") == 0);
    CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("long words are not compared letter by letter")
{
    CHECK(edit_distance(std::string(100'000, 'a'), "a") == 100'000);
}

TEST_CASE("the nearest candidate is found only if it is near")
{
    static constexpr std::string_view names[] = {"process", "root", "hostname", "mounts"};
    CHECK(find_nearest("proces", names) == "process");
    CHECK(find_nearest("Mount", names) == "mounts");
    CHECK(find_nearest("hsotname", names) == "hostname");
    CHECK(find_nearest("x", names) == "");
    CHECK(find_nearest("annotations", names) == "");
}
