// What the options of oci-cgroup accept.
#include "options.h"

#include <csignal>
#include <doctest/doctest.h>

TEST_CASE("a signal is a name or a number")
{
    CHECK(parse_signal_name("KILL").value() == SIGKILL);
    CHECK(parse_signal_name("SIGTERM").value() == SIGTERM);
    CHECK(parse_signal_name("15").value() == 15);
    CHECK(parse_signal_name("RTMIN+2").value() == SIGRTMIN + 2);
    for (const char* bad : {"", "0", "65", "-9", "FOO", "RTMIN+99"})
        CHECK_FALSE(parse_signal_name(bad).has_value());
}
