// What counts as a signal.
#include "process/signal_name.h"

#include <csignal>
#include <cstring>
#include <string>
#include <doctest/doctest.h>

TEST_CASE("a signal is a number, a name with or without SIG, in any case")
{
    CHECK(parse_signal("9").value() == SIGKILL);
    CHECK(parse_signal("KILL").value() == SIGKILL);
    CHECK(parse_signal("SIGKILL").value() == SIGKILL);
    CHECK(parse_signal("sigterm").value() == SIGTERM);
    CHECK(parse_signal("0").value() == 0);
    CHECK(parse_signal("64").value() == 64);
}

TEST_CASE("every signal that the system names is known by that name")
{
    for (int number = 1; number < SIGRTMIN - 2; number++)
        if (const char* name = sigabbrev_np(number))
            CHECK(parse_signal(std::string("SIG") + name).value() == number);
}

TEST_CASE("real-time signals count from both ends")
{
    CHECK(parse_signal("RTMIN").value() == SIGRTMIN);
    CHECK(parse_signal("SIGRTMIN+3").value() == SIGRTMIN + 3);
    CHECK(parse_signal("SIGRTMAX-1").value() == SIGRTMAX - 1);
    CHECK(parse_signal("SIGRTMAX").value() == SIGRTMAX);
    CHECK_FALSE(parse_signal("SIGRTMIN+99").has_value());
}

TEST_CASE("what is no signal is refused by name")
{
    for (const char* text : {"", "SIG", "65", "-1", "9x", "KILLX", "SIGSIGKILL", "99999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_signal(text).has_value());
    }
    CHECK(parse_signal("FOO").error().message() ==
          "unknown signal 'FOO'; give a name with or without SIG (TERM, SIGRTMIN+3; 'kill -l' lists them), or a number from 1 to 64");
}
