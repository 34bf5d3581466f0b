// v1: from one set of rules to another without a moment in which too much is denied.
#include "device_rules.h"

#include <doctest/doctest.h>

static std::string text_of(Result<std::vector<DeviceLine>> lines)
{
    if (!lines.has_value())
        return lines.error().message();
    std::string text;
    for (const DeviceLine& line : lines.value())
        text += std::string(line.file).substr(8) + " " + line.value + ";";
    return text;
}

static std::string transition(std::string_view present, std::initializer_list<std::string_view> rules)
{
    std::vector<DeviceRule> parsed;
    for (std::string_view rule : rules)
        parsed.push_back(parse_device_option(rule).value());
    return text_of(device_transition(present, parsed));
}

TEST_CASE("what is new is allowed before what is old is denied")
{
    CHECK(transition("c 1:3 rwm\nc 1:5 rw", {"deny a", "allow c 1:3 rwm", "allow c 1:7 r"}) == "allow c 1:7 r;deny c 1:5 rw;");
    CHECK(transition("c 1:3 rwm", {"deny a", "allow c 1:3 r"}) == "deny c 1:3 wm;");
    CHECK(transition("c 1:3 r", {"deny a", "allow c 1:3 rw"}) == "allow c 1:3 rw;");
    CHECK(transition("c 1:3 rwm\nc *:* m", {"deny a", "allow c *:* m", "allow c 1:3 rwm"}) == "");
    CHECK(transition("", {"deny a", "allow b *:* r"}) == "allow b *:* r;");
}

TEST_CASE("where the default changes, or no default is named, the rules are written as for a new cgroup")
{
    CHECK(transition("a *:* rwm", {"deny a", "allow c 1:3 r"}) == "deny a;allow c 1:3 r;");
    CHECK(transition("c 1:3 rwm", {"allow a", "deny c 1:3 w"}) == "allow a;deny c 1:3 w;");
    CHECK(transition("c 1:3 rwm", {"allow c 1:5 r"}) == "");  // nothing is denied by rules that name no default: nothing to allow
}

TEST_CASE("the way back leads to what devices.list said")
{
    CHECK(text_of(device_lines_back("c 1:3 rwm\nc 1:7 r", "c 1:3 rw\nc 1:5 r")) == "allow c 1:5 r;deny c 1:3 m;deny c 1:7 r;");
    CHECK(text_of(device_lines_back("a *:* rwm", "c 1:3 rw")) == "deny a;allow c 1:3 rw;");
    CHECK(text_of(device_lines_back("c 1:3 rwm", "a *:* rwm")) == "allow a;");
    CHECK(text_of(device_lines_back("c 1:3 rwm", "nonsense")).find("devices.list") != std::string::npos);
}
