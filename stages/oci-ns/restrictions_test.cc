// Which switch is named for which error.
#include "restrictions.h"

#include <doctest/doctest.h>

#include <cerrno>

TEST_CASE("the switch that forbids is named, with what would allow it")
{
    Restrictions none;
    none.max_user_namespaces = 10000;
    none.unprivileged_userns_clone = 1;
    none.apparmor_restricts_userns = 0;
    none.seccomp_mode = 0;
    CHECK(responsible_switch(none, EPERM) == "");
    CHECK(responsible_switch(Restrictions(), EPERM) == "");

    Restrictions debian = none;
    debian.unprivileged_userns_clone = 0;
    CHECK(responsible_switch(debian, EPERM) ==
          "kernel.unprivileged_userns_clone is 0; 'sysctl -w kernel.unprivileged_userns_clone=1' allows them");

    Restrictions ubuntu = none;
    ubuntu.apparmor_restricts_userns = 1;
    CHECK(responsible_switch(ubuntu, EACCES).starts_with("kernel.apparmor_restrict_unprivileged_userns is 1; an AppArmor profile"));

    Restrictions redhat = none;
    redhat.max_user_namespaces = 0;
    CHECK(responsible_switch(redhat, ENOSPC) == "user.max_user_namespaces is 0; 'sysctl -w user.max_user_namespaces=15000' allows them");

    Restrictions container = none;
    container.seccomp_mode = 2;
    CHECK(responsible_switch(container, EPERM).starts_with("a system-call filter is in force"));

    Restrictions network = none;
    network.exhausted_kind = "net";
    CHECK(responsible_switch(network, ENOSPC) == "user.max_net_namespaces is 0; 'sysctl -w user.max_net_namespaces=15000' allows them");
}

TEST_CASE("errors that no switch causes are left as they are")
{
    CHECK(explain_user_namespace_error(Error{"cannot do it", EINVAL}).attempted == "cannot do it");
}
