// Errors as values.
#include "result/result.h"

#include <doctest/doctest.h>
#include <memory>

static Result<int> half(int number)
{
    if (number % 2 != 0)
        return Error{"cannot halve " + std::to_string(number), 33};
    return number / 2;
}

static Result<int> quarter(int number) { return TRY(half(TRY(half(number)))); }

TEST_CASE("TRY gives the value or leaves with the error")
{
    CHECK(quarter(8).value() == 2);
    CHECK(quarter(6).error().attempted == "cannot halve 3");
}

TEST_CASE("a message has the place in config.json first and the kernel's words last")
{
    Error error = Error{"cannot write '-7' to 'pids.max'", 22}.with_context("cgroup '/box'").with_pointer("/linux/resources/pids/limit");
    CHECK(error.message() == "/linux/resources/pids/limit: cgroup '/box': cannot write '-7' to 'pids.max': Invalid argument");
    CHECK(Error{"plain"}.message() == "plain");
    CHECK(Error{"x", 9999}.message() == "x: Unknown error 9999");
}

TEST_CASE("the deepest JSON pointer stays")
{
    CHECK(Error{"x"}.with_pointer("/a/b").with_pointer("/a").pointer == "/a/b");
    CHECK(Error{"x"}.with_pointer("-").pointer.empty());
}

TEST_CASE("a value that can only be moved goes through")
{
    auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); };
    auto use = [&]() -> Result<int> { return *TRY(make()); };
    CHECK(use().value() == 5);
}
