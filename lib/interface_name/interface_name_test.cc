// Names and templates.
#include "interface_name/interface_name.h"

#include <doctest/doctest.h>

TEST_CASE("a name has up to fifteen characters, and none that the kernel or a path could mistake")
{
    for (const char* name : {"eth0", "veth-a.b_c", "123456789012345", "\xc3\xa4"})
        CHECK(is_interface_name(name));
    for (const char* name : {"", ".", "..", "1234567890123456", "a b", "a/b", "a:b", "a\tb", "a\x7f", "eth%d", "%"})
        CHECK_FALSE(is_interface_name(name));
}

TEST_CASE("a template ends in %d, and has no other percent sign")
{
    for (const char* name : {"eth%d", "%d", "eth0", "1234567890123%d"})
        CHECK(is_interface_name_or_template(name));
    for (const char* name : {"eth%", "e%dx", "a%d%d", "12345678901234%d", "a b%d", "", "/%d"})
        CHECK_FALSE(is_interface_name_or_template(name));
}
