// JSON that is changed and printed.
#include "tree.h"

#include "config.h"
#include "difference.h"

#include <doctest/doctest.h>

namespace {

Document parsed(std::string_view text)
{
    Problems problems;
    Document document = Document::parse(std::string(text), "", problems);
    REQUIRE(problems.count() == 0);
    return document;
}

/// What becomes of `text` when `pointer` is set to `word`; or the error.
std::string with(std::string_view text, std::string_view pointer, std::string_view word)
{
    Tree tree(parsed(text).root());
    Result<Tree> value = parse_word(pointer, word);
    if (!value.has_value())
        return value.error().message();
    Result<void> done = set_at(tree, pointer, std::move(value).value());
    return done.has_value() ? tree.print_line() : done.error().message();
}

std::string without(std::string_view text, std::string_view pointer)
{
    Tree tree(parsed(text).root());
    REQUIRE(remove_at(tree, pointer).has_value());
    return tree.print_line();
}

std::string difference(std::string_view a, std::string_view b)
{
    Document of_a = parsed(a);
    Document of_b = parsed(b);
    return differences(of_a.root(), of_b.root());
}

}  // namespace

TEST_CASE("what is printed is what was read, in the form of the default configuration")
{
    CHECK(Tree(parsed(default_config()).root()).print() == default_config());
    CHECK(Tree(parsed(rootless_config(7, 8)).root()).print() == rootless_config(7, 8));
    CHECK(Tree(parsed(R"({ "a" : [ ] , "b" : { }, "c": [1.50, -0, 1e3, null, true, "\u00e9\n\"\\\u0001"] })").root()).print_line() ==
          "{\"a\":[],\"b\":{},\"c\":[1.50,0,1e3,null,true,\"\xc3\xa9\\n\\\"\\\\\\u0001\"]}");
}

TEST_CASE("a pointer is split at its slashes, its escapes undone")
{
    CHECK(split_pointer("").value().empty());
    CHECK(split_pointer("/").value() == std::vector<std::string>{""});
    CHECK(split_pointer("/a~1b/m~0n/~01").value() == std::vector<std::string>{"a/b", "m~n", "~1"});
    for (const char* bad : {"a", "a/b", "/~", "/a~2b"}) {
        INFO(bad);
        CHECK(split_pointer(bad).error().exit_code == exit_usage);
    }
}

TEST_CASE("a word is JSON, but a string where the runtime-spec has one")
{
    CHECK(with("{}", "/hostname", "7") == R"({"hostname":"7"})");
    CHECK(with("{}", "/hostname", "\"7\"") == R"({"hostname":"7"})");
    CHECK(with("{}", "/hostname", "\"7") == R"({"hostname":"\"7"})");
    CHECK(with("{}", "/root/readonly", "true") == R"({"root":{"readonly":true}})");
    CHECK(with("{}", "/root/readonly", "yes") == "/root/readonly: found 'yes', expected true or false in JSON");
    CHECK(with("{}", "/unknown", "yes") == R"({"unknown":"yes"})");
    CHECK(with("{}", "/unknown", "{\"a\": 1}") == R"({"unknown":{"a":1}})");
    CHECK(with("{}", "/windows/x", "yes") == R"({"windows":{"x":"yes"}})");
}

TEST_CASE("what is set keeps its place; what is missing on the way is made")
{
    CHECK(with(R"({"a":1,"hostname":"x","b":2})", "/hostname", "y") == R"({"a":1,"hostname":"y","b":2})");
    CHECK(with(R"({"hostname":null})", "/hostname", "y") == R"({"hostname":"y"})");
    CHECK(with(R"({"linux":null})", "/linux/maskedPaths/-", "/x") == R"({"linux":{"maskedPaths":["/x"]}})");
    CHECK(with("{}", "/mounts/0/options/0", "ro") == R"({"mounts":[{"options":["ro"]}]})");
    CHECK(with("{}", "/mounts/1/options/0", "ro") == "/mounts: found an array of 0, expected one with '1'");
    CHECK(with(R"({"a":[1,2]})", "/a/0", "{}") == R"({"a":[{},2]})");
    CHECK(with(R"({"a":[[1]]})", "/a/0/-", "2") == R"({"a":[[1,2]]})");
    CHECK(with(R"({"a":[null]})", "/a/0/b", "2") == "/a/0: found null, expected an object or an array");
}

TEST_CASE("what is removed need not be there")
{
    CHECK(without(R"({"a":1,"b":[1,2,3]})", "/a") == R"({"b":[1,2,3]})");
    CHECK(without(R"({"b":[1,2,3]})", "/b/1") == R"({"b":[1,3]})");
    for (const char* nothing : {"/x", "/x/y", "/b/3", "/b/-", "/b/x", "/b/0/x"})
        CHECK(without(R"({"b":[1,2,3]})", nothing) == R"({"b":[1,2,3]})");
}

TEST_CASE("documents differ in members and items, not in order and layout")
{
    CHECK(difference(R"({"a":1,"b":{"c":null}})", "{ \"b\": {},\n \"a\": 1 }").empty());
    CHECK(difference(R"({"a":1})", R"({"a":"1"})") == "-\t/a\t1\n+\t/a\t\"1\"\n");
    CHECK(difference(R"({"a":1.0})", R"({"a":1})") == "-\t/a\t1.0\n+\t/a\t1\n");
    CHECK(difference(R"({"a":[1,2,3]})", R"({"a":[1,4]})") == "-\t/a/1\t2\n+\t/a/1\t4\n-\t/a/2\t3\n");
    CHECK(difference(R"({"a":{}})", R"({"b":{}})") == "-\t/a\t{}\n+\t/b\t{}\n");
    CHECK(difference("{}", R"({"x/y":[1,{"z":"t\t"}]})") == "+\t/x~1y\t[1,{\"z\":\"t\\t\"}]\n");
}
