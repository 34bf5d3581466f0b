#include "options.h"

#include <doctest/doctest.h>

#include <vector>

/// Parses these words; descriptors 0 to 2 are open in every test.
static Result<Options> parse(std::vector<const char*> words)
{
    static std::vector<char*> argv;
    argv = {const_cast<char*>("oci-init")};
    for (const char* word : words)
        argv.push_back(const_cast<char*>(word));
    return parse_options(argv);
}

TEST_CASE("options stand before or behind the command, with a blank or '='")
{
    Result<Options> options = parse({"--plan-fd", "0", "run", "--bundle=/b", "--preserve-fds=3", "--start-fd", "1", "--", "prog", "--help"});
    REQUIRE(options.has_value());
    CHECK(options.value().verb == Verb::run);
    CHECK(options.value().plan_fd == 0);
    CHECK(options.value().start_fd == 1);
    CHECK(std::string(options.value().bundle) == "/b");
    CHECK(options.value().preserve_fds == 3);
    REQUIRE(options.value().program.size() == 2);
    CHECK(std::string(options.value().program[1]) == "--help");
}

TEST_CASE("help and version need nothing else")
{
    CHECK(parse({"--help"}).value().verb == Verb::help);
    CHECK(parse({"exec", "-h"}).value().verb == Verb::help);
    CHECK(parse({"-v"}).value().verb == Verb::version);
}

TEST_CASE("wrong usage is an error of exit code 2")
{
    for (std::vector<const char*> words : std::vector<std::vector<const char*>>{
             {}, {"run"}, {"walk", "--plan-fd=0"}, {"run", "--plan-fd"}, {"run", "--plan-fd=999"}, {"run", "--plan-fd=x"}, {"run", "--plan-fd=-1"},
             {"run", "--nothing=1", "--plan-fd=0"}, {"run", "exec", "--plan-fd=0"}, {"exec", "--plan-fd=0", "--", "x"}, {"run", "--plan-fd=0", "--preserve-fds=many"}}) {
        Result<Options> options = parse(words);
        REQUIRE_FALSE(options.has_value());
        CHECK(options.error().exit_code == exit_usage);
    }
}
