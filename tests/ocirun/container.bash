# What the tests of commands on one container share: a bundle before each test, and its container is gone afterwards.

setup()
{
    ocirun_setup
    requires root
    make_bundle
}

teardown()
{
    if ((EUID == 0)); then
        rt delete --force "$TEST_ID"
    fi
    ocirun_teardown
}
