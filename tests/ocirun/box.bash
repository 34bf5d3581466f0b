# What the tests of config.json's sections share: one container that is made, runs and ends.

setup()
{
    ocirun_setup
    ((EUID != 0)) || make_bundle
}

# box WORD...: the program WORD... in the container; its output is in $output.
box()
{
    args "$@"
    run -0 --separate-stderr rt run "$TEST_ID"
}

# refused POINTER PATTERN: the container is not made, and nothing of it is left.
refused()
{
    args true
    run -1 rt run "$TEST_ID"
    # shellcheck disable=SC2053,SC2154  # a pattern; set by run
    [[ $output == *"$1"*$2* ]] || { echo "$output"; return 1; }
    nothing_is_left
}
