// Id maps: text, checks, who can write them.
#include "id_map.h"

#include <doctest/doctest.h>

static std::string refusal(const IdMap& map)
{
    Result<void> checked = check_id_map(map);
    return checked.has_value() ? "accepted" : checked.error().message();
}

TEST_CASE("a range is three numbers")
{
    Result<IdRange> range = parse_id_range("0:100000:65536");

    REQUIRE(range.has_value());
    CHECK(range.value().container == 0);
    CHECK(range.value().host == 100000);
    CHECK(range.value().size == 65536);
    for (const char* bad : {"", "0", "0:1", "0:1:", ":1:1", "0:1:1:1", "0:-1:1", "0: 1:1", "0:1:4294967296", "a:b:c"})
        CHECK_FALSE(parse_id_range(bad).has_value());
}

TEST_CASE("ranges that the kernel would refuse without a word are refused with one")
{
    CHECK(refusal({}) == "accepted");
    CHECK(refusal({{0, 1000, 1}, {1, 100000, 65536}}) == "accepted");
    CHECK(refusal({{0, 0, UINT32_MAX}}) == "accepted");
    CHECK(refusal({{0, 1, 0, "/u/0"}}) == "/u/0: range '0:1:0' of ids is empty");
    CHECK(refusal({{1, 0, UINT32_MAX}}) == "range '1:0:4294967295' goes beyond id 4294967294");
    CHECK(refusal({{0, 1000, 10}, {9, 2000, 1, "/u/1"}}) == "/u/1: range '9:2000:1' of ids overlaps with '0:1000:10'");
    CHECK(refusal({{0, 1000, 10}, {10, 1009, 1}}) == "range '10:1009:1' of ids overlaps with '0:1000:10'");
    CHECK(refusal({{0, 1000, 10}, {10, 1010, 1}}) == "accepted");
    IdMap many;
    for (uint32_t i = 0; i < 340; i++)
        many.push_back({i, i, 1});
    CHECK(refusal(many) == "accepted");
    many.push_back({400, 400, 1, "/u/340"});
    CHECK(refusal(many) == "/u/340: more than 340 ranges of ids");
}

TEST_CASE("a map is compared with what the kernel shows, in any order")
{
    IdMap map{{0, 1000, 1}, {1, 100000, 65536}};

    CHECK(id_map_text(map) == "0 1000 1\n1 100000 65536\n");
    CHECK(is_same_id_map(map, "         1     100000      65536\n         0       1000          1\n"));
    CHECK_FALSE(is_same_id_map(map, "         0       1000          1\n"));
    CHECK_FALSE(is_same_id_map(map, "         0       1000          1\n         1     100000      65535\n"));
    CHECK_FALSE(is_same_id_map({}, "         0       1000          1\n"));
    CHECK(is_same_id_map({}, ""));
}

TEST_CASE("only the own ids are mapped by the process itself, and only without privilege")
{
    Identity user{1000, 100, false, false, false};
    Identity root{0, 0, true, true, true};
    IdMap own_user{{0, 1000, 1}};
    IdMap own_group{{0, 100, 1}};

    CHECK(map_writer({}, {}, user) == MapWriter::nobody);
    CHECK(map_writer(own_user, own_group, user) == MapWriter::itself);
    CHECK(map_writer(own_user, {}, user) == MapWriter::itself);
    CHECK(map_writer({{0, 1001, 1}}, own_group, user) == MapWriter::outer_process);
    CHECK(map_writer({{0, 1000, 2}}, own_group, user) == MapWriter::outer_process);
    CHECK(map_writer(own_user, {{0, 100, 1}, {1, 200000, 10}}, user) == MapWriter::outer_process);
    CHECK(map_writer({{0, 0, 1}}, {{0, 0, 1}}, root) == MapWriter::outer_process);
}

TEST_CASE("the set-user-ID programs are needed only for what the caller may not write, each for itself")
{
    Identity user{1000, 1000, false, false, false};
    Identity root{0, 0, true, true, true};
    IdMap own{{0, 1000, 1}};

    CHECK(find_map_programs({{0, 100000, 65536}}, {{0, 100000, 65536}}, root).value().newuidmap.empty());
    CHECK(find_map_programs(own, own, user).value().newgidmap.empty());
    Result<MapPrograms> programs = find_map_programs(own, {{0, 100000, 65536}}, user);
    if (programs.has_value()) {
        CHECK(programs.value().newuidmap.empty());
        CHECK(programs.value().newgidmap.ends_with("/bin/newgidmap"));
    } else {
        CHECK(programs.error().attempted.find("'newgidmap'") != std::string::npos);
    }
}
