#include "process/as_user.h"

#include <doctest/doctest.h>
#include <initializer_list>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <unistd.h>

TEST_CASE("looking at files as another user leaves a process as dumpable as it was, and its ids as they were")
{
    if (::geteuid() != 0)
        return;  // only root may become somebody else
    for (int dumpable : {0, 1}) {
        CAPTURE(dumpable);
        REQUIRE(::prctl(PR_SET_DUMPABLE, dumpable) == 0);
        {
            AsUser nobody(65534, 65534);
            CHECK(::setfsuid(65534) == 65534);
            CHECK(::setfsgid(65534) == 65534);
            CHECK(::prctl(PR_GET_DUMPABLE) == 0);
        }
        CHECK(::prctl(PR_GET_DUMPABLE) == dumpable);
        CHECK(::setfsuid(0) == 0);
        CHECK(::setfsgid(0) == 0);
    }
    ::prctl(PR_SET_DUMPABLE, 1);
}

TEST_CASE("looking at files as oneself changes nothing")
{
    REQUIRE(::prctl(PR_SET_DUMPABLE, 1) == 0);
    AsUser oneself(::geteuid(), ::getegid());
    CHECK(::prctl(PR_GET_DUMPABLE) == 1);
}
