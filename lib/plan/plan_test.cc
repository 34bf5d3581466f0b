// What a plan is, and what is refused.
#include "plan/plan.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

TEST_CASE("what was written is read back, whatever the fields hold")
{
    PlanWriter writer;
    writer.add("init.arg", "/process/args/0", {"a\tb\nc\\d"});
    writer.add("init.mount", "/mounts/0", {"/x", "", "none", "ro", "size=1"});
    writer.add("init.no-new-privileges", "", {});
    Result<Plan> plan = Plan::parse(std::move(writer).finish(), "init");

    REQUIRE(plan.has_value());
    REQUIRE(plan.value().directives().size() == 3);
    const Directive& argument = plan.value().directives()[0];
    CHECK(argument.is("init.arg"));
    CHECK(argument.pointer == "/process/args/0");
    CHECK(argument[0] == "a\tb\nc\\d");
    CHECK(argument[0].data()[argument[0].size()] == '\0');
    const Directive& mount = plan.value().directives()[1];
    CHECK(mount.fields.size() == 5);
    CHECK(mount[1].empty());
    CHECK(mount[4] == "size=1");
    CHECK(mount[9].empty());
    CHECK(plan.value().directives()[2].pointer == "-");
}

TEST_CASE("a plan can be moved: its fields stay where they are")
{
    Plan plan = std::move(Plan::parse("plan 1\ninit.arg\t-\tx\nend\n", "init")).value();
    Plan moved = std::move(plan);
    CHECK(moved.value("init.arg") == "x");
}

TEST_CASE("a plan that is cut short anywhere is refused")
{
    const std::string whole = "plan 1\ninit.arg\t-\tx\ninit.cwd\t/process/cwd\t/\nend\n";
    REQUIRE(Plan::parse(whole, "").has_value());
    for (size_t size = 0; size < whole.size(); size++) {
        CAPTURE(size);
        CHECK_FALSE(Plan::parse(whole.substr(0, size), "").has_value());
    }
}

TEST_CASE("what is no plan says so, with the line")
{
    auto message = [](std::string text, std::string_view stage = "init") {
        Result<Plan> plan = Plan::parse(std::move(text), stage);
        return plan.has_value() ? std::string() : plan.error().message();
    };
    CHECK(message("") == "plan line 1: expected 'plan 1'");
    CHECK(message("plan 2\nend\n") == "plan line 1: unknown version; this program reads 'plan 1'");
    CHECK(message("plan 1\ninit.nonsense\t-\nend\n") == "plan line 2: unknown directive 'init.nonsense'");
    CHECK(message("plan 1\ninit.arg\nend\n") == "plan line 2: 'init.arg' has no JSON pointer ('-' for none)");
    CHECK(message("plan 1\ninit.arg\tx\ty\nend\n") == "plan line 2: 'x' is neither a JSON pointer nor '-'");
    CHECK(message("plan 1\ninit.arg\t-\nend\n") == "plan line 2: 'init.arg' has 0 fields; expected ARG");
    CHECK(message("plan 1\ninit.arg\t-\ta\tb\nend\n") == "plan line 2: 'init.arg' has 2 fields; expected ARG");
    CHECK(message("plan 1\ninit.arg\t-\ta\\x\nend\n") == "plan line 2: bad escape");
    CHECK(message("plan 1\nend\ninit.arg\t-\ta\n") == "plan line 3: something follows 'end'");
    CHECK(message(std::string("plan 1\ninit.arg\t-\ta\0b\nend\n", 27)) == "plan: contains a NUL byte");
}

TEST_CASE("a stage passes over what it does not know of others, and refuses what it does not know of its own")
{
    const std::string text = "plan 1\nns.future\t-\tx\nend\n";
    CHECK(Plan::parse(text, "init").has_value());
    CHECK_FALSE(Plan::parse(text, "ns").has_value());
    CHECK_FALSE(Plan::parse(text, "").has_value());
    // "n" is not the word before the dot.
    CHECK(Plan::parse(text, "n").has_value());
}

TEST_CASE("the last line of a name wins")
{
    Plan plan = std::move(Plan::parse("plan 1\ninit.cwd\t-\t/a\ninit.cwd\t-\t/b\nend\n", "init")).value();
    CHECK(plan.value("init.cwd") == "/b");
    CHECK(plan.value("init.hostname", "none") == "none");
    CHECK(plan.find("init.hostname") == nullptr);
}

TEST_CASE("a file is read from its start, whatever its offset")
{
    int fd = ::memfd_create("plan", 0);
    REQUIRE(::write(fd, "plan 1\nend\n", 11) == 11);
    CHECK(Plan::read(fd, "init").has_value());
    CHECK(Plan::read(fd, "init").has_value());
    ::close(fd);
}

TEST_CASE("the table is in the groups of its stages, without doubles, its numbers in order")
{
    std::string seen;
    std::string stage;
    for (const DirectiveType& type : directive_types) {
        CAPTURE(type.name());
        CHECK(find_directive_type(type.name()) == &type);
        CHECK(type.min_fields <= type.max_fields);
        std::string word(type.name().substr(0, type.name().find('.')));
        if (word != stage) {
            CHECK(seen.find("|" + word + "|") == std::string::npos);
            seen += "|" + word + "|";
            stage = word;
        }
    }
}

TEST_CASE("fields of a message survive joining and splitting")
{
    std::string line = join_fields({"a", "", "x\ty", "\\n\n"});
    CHECK(line.find('\n') == std::string::npos);
    CHECK(split_fields(line).value() == std::vector<std::string>{"a", "", "x\ty", "\\n\n"});
    CHECK_FALSE(split_fields("a\\").has_value());
}

TEST_CASE("numbers are whole, in range, and nothing else")
{
    CHECK(parse_number("-9223372036854775808").value() == INT64_MIN);
    CHECK(parse_unsigned("18446744073709551615").value() == UINT64_MAX);
    CHECK(parse_unsigned("755", 8).value() == 0755);
    for (const char* text : {"", " 1", "1 ", "+1", "0x1", "1e3", "9223372036854775808", "--1", "1.0"})
        CHECK_FALSE(parse_number(text).has_value());
    for (const char* text : {"-1", "18446744073709551616", "8x"})
        CHECK_FALSE(parse_unsigned(text).has_value());
}
