# What the tests of oci-init share.

# run_init [OPTION]...: oci-init makes the container of ./config.json, in namespaces that oci-ns makes for its plan.
run_init()
{
    make_plan
    oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 "$@" 5<"$PLAN"
}

# inside [-STATUS] WORD...: the program WORD... in the container of ./config.json exits with STATUS (0); its standard error is
# kept apart.
inside()
{
    local wanted=-0
    if [[ $1 =~ ^-[0-9]+$ ]]; then
        wanted=$1
        shift
    fi
    args "$@"
    run --separate-stderr "$wanted" run_init
}

# refused PATTERN: the container of ./config.json is not made, and the error is like PATTERN.
refused()
{
    run --separate-stderr run_init
    # shellcheck disable=SC2053,SC2154  # a pattern; set by run
    if ((status != 125)) || [[ $stderr != $1 ]]; then
        echo "status $status, not 125, or the error is not '$1': $stderr $output"
        return 1
    fi
}

# decoy: a folder outside of the rootfs. Sets DECOY.
decoy()
{
    DECOY=$BATS_TEST_TMPDIR/decoy
    mkdir -p "$DECOY/sub"
    echo secret >"$DECOY/file"
    echo ptmx >"$DECOY/ptmx"
    decoy_picture >"$BATS_TEST_TMPDIR/decoy-before"
}
decoy_picture() { (cd "$DECOY" && find . -printf '%p %y %m %U %s %T@\n' | sort && cat file ptmx); }
decoy_is_untouched() { decoy_picture | diff "$BATS_TEST_TMPDIR/decoy-before" - && ! grep -q "$DECOY" /proc/self/mountinfo; }
