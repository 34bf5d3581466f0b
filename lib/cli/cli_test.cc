// Command lines as people and engines write them.
#include "cli/cli.h"

#include <doctest/doctest.h>

static constexpr Option options[] = {
    {"bundle", 'b', "DIR", ""}, {"detach", 'd', "", ""}, {"tty", 't', "", ""}, {"no-subreaper", 0, "", ""}, {"env", 'e', "X", ""}, {"memory-swap", 0, "N", ""},
};

static Result<Arguments> parse(std::vector<std::string> words, bool stop = false) { return parse_arguments("test", options, std::move(words), stop, nullptr); }

TEST_CASE("a value stands behind its option or behind an equals sign, one dash or two")
{
    for (std::vector<std::string> words : std::vector<std::vector<std::string>>{
             {"--bundle", "/x"}, {"--bundle=/x"}, {"-b", "/x"}, {"-b=/x"}, {"-bundle", "/x"}, {"-bundle=/x"}, {"-db", "/x"}}) {
        CAPTURE(words[0]);
        CHECK(parse(words).value().value("bundle") == "/x");
    }
    CHECK(parse({"-no-subreaper"}).value().has("no-subreaper"));
    CHECK(parse({"--memory-swap", "-1"}).value().number("memory-swap", 0).value() == -1);
    CHECK(parse({"--bundle="}).value().value("bundle", "other").empty());
}

TEST_CASE("flags may be combined, and switched off")
{
    Arguments both = parse({"-dt"}).value();
    CHECK(both.has("detach"));
    CHECK(both.has("tty"));
    CHECK_FALSE(parse({"--tty=false"}).value().has("tty"));
    CHECK_FALSE(parse({"--tty=maybe"}).has_value());
}

TEST_CASE("repeated options keep all their values in order, and the last one counts")
{
    Arguments given = parse({"-e", "A=1", "--env=A=2", "-e", "-x"}).value();
    CHECK(given.values("env") == std::vector<std::string>{"A=1", "A=2", "-x"});
    CHECK(given.value("env") == "-x");
}

TEST_CASE("options may follow positional arguments, unless the first one ends them")
{
    Arguments anywhere = parse({"id", "-d", "more", "--", "-t"}).value();
    CHECK(anywhere.has("detach"));
    CHECK(anywhere.positionals() == std::vector<std::string>{"id", "more", "-t"});
    CHECK_FALSE(anywhere.has("tty"));

    Arguments ended = parse({"-d", "id", "-t", "--", "x"}, true).value();
    CHECK(ended.positionals() == std::vector<std::string>{"id", "-t", "--", "x"});
    CHECK(parse({"-d", "--", "-t", "x"}, true).value().positionals() == std::vector<std::string>{"-t", "x"});
}

TEST_CASE("what is unknown or incomplete is refused by name")
{
    CHECK(parse({"--nonsense"}).error().message() == "unknown option '--nonsense'");
    CHECK(parse({"-dx"}).error().message() == "unknown option '-dx'");
    CHECK(parse({"--bundle"}).error().message() == "flag needs an argument: --bundle");
    CHECK(parse({"--bundle"}).error().exit_code == exit_usage);
    CHECK(parse({"-"}).value().positionals() == std::vector<std::string>{"-"});
    CHECK_FALSE(parse({"--memory-swap=1x"}).value().number("memory-swap", 0).has_value());
}

TEST_CASE("a descriptor must be a number that is open, and is close-on-exec from then on")
{
    static constexpr Option fds[] = {{"plan-fd", 0, "FD", ""}};
    auto fd_of = [&](const char* text) { return parse_arguments("test", fds, {"--plan-fd", text}, false, nullptr).value().descriptor("plan-fd"); };
    CHECK(fd_of("2").value() == 2);
    CHECK(fd_of("987").error().message() == "--plan-fd: descriptor 987 is not open");
    CHECK_FALSE(fd_of("-1").has_value());
    CHECK_FALSE(fd_of("x").has_value());
    CHECK(parse_arguments("test", fds, {}, false, nullptr).value().descriptor("plan-fd").value() == -1);
}
