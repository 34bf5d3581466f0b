#!/usr/bin/env bats
# The harness itself: a test that leaves something behind fails, says what, and the host is clean afterwards.
load ../helpers

# inner BODY: runs one test with that body, as a file of its own.
inner()
{
    printf 'load %s/helpers\n@test "inner" {\n%s\n}\n' "$TESTS_DIR" "$1" >"$BATS_TEST_TMPDIR/inner.bats"
    run env -u OCIRUN_TEST_ID -u TEST_ID -u OCIRUN_STRICT BATS_TEST_TIMEOUT="${2:-$BATS_TEST_TIMEOUT}" \
        bats --formatter tap "$BATS_TEST_TMPDIR/inner.bats"
}

@test "a test that leaves nothing passes" {
    inner 'true'

    [[ $status == 0 && $output == *"ok 1 inner"* ]]
}

@test "a test that leaves a child process fails, and the process is ended" {
    inner 'sleep 987 3>&- & echo $! >'"$BATS_TEST_TMPDIR/pid"

    [[ $status == 1 && $output == *"the test left behind:"*"process "*": sleep 987"* ]]
    pid=$(cat "$BATS_TEST_TMPDIR/pid")
    ! is_running "$pid" || false
}

@test "a test that leaves a process which is nobody's child fails, and the process is ended" {
    inner '(setsid sleep 986 3>&- >/dev/null 2>&1 &)
        sleep 0.2'

    [[ $status == 1 && $output == *"process "*": sleep 986"* ]]
}

@test "a test that leaves a container's process with an empty environment fails, and the process is ended" {
    requires root
    inner 'mkdir -p root/bin root/old
        cp "$(command -v busybox)" root/bin/busybox
        (env -i setsid unshare --mount sh -c "mount --bind root root; cd root; pivot_root . old; exec /bin/busybox sleep 985" 3>&- >/dev/null 2>&1 &)
        sleep 0.5'

    [[ $status == 1 && $output == *"process "*": /bin/busybox sleep 985"* ]]
}

@test "a test that leaves a mount fails, and the mount is gone" {
    requires root
    inner 'mkdir a b; mount --bind a b; echo "$PWD/b" >'"$BATS_TEST_TMPDIR/where"

    [[ $status == 1 && $output == *"mount: "*"/b "* ]]
    where=$(cat "$BATS_TEST_TMPDIR/where")
    [[ $where == */b && $(</proc/self/mountinfo) != *"$where"* ]]
}

@test "a leaked mount is held against no process that merely sees it" {
    requires root
    sleep 60 3>&- &
    bystander=$!

    inner 'mkdir a b; mount --bind a b'

    is_running "$bystander"
    kill "$bystander"
    wait "$bystander" || true
    [[ $output != *"process "* ]]
}

@test "a test that leaves a cgroup with its id in the name fails, and the cgroup is gone" {
    requires root
    inner 'echo $TEST_ID >'"$BATS_TEST_TMPDIR/id"'
        parent=/sys/fs/cgroup; [[ ! -d $parent/pids ]] || parent+=/pids
        mkdir -p "$parent/$TEST_ID/below"'

    [[ $status == 1 && $output == *"cgroup: /sys/fs/cgroup/"* ]]
    [[ $(find /sys/fs/cgroup -name "$(cat "$BATS_TEST_TMPDIR/id")") == "" ]]
}

@test "with OCIRUN_STRICT a cgroup of any name is noticed, and one where somebody else lives is not held against the test" {
    requires root
    parent=/sys/fs/cgroup
    [[ ! -d $parent/pids ]] || parent+=/pids
    printf 'load %s/helpers\n@test "inner" { mkdir %s/strict-%s; }\n' "$TESTS_DIR" "$parent" "$$" >inner.bats
    run env -u OCIRUN_TEST_ID -u TEST_ID OCIRUN_STRICT=1 bats --formatter tap inner.bats
    rmdir "$parent/strict-$$"
    [[ $status == 1 && $output == *"new: $parent/strict-$$"* ]]

    sleep 60 3>&- &
    printf 'load %s/helpers\n@test "inner" { mkdir %s/strict-%s; echo %s >%s/strict-%s/cgroup.procs; }\n' \
        "$TESTS_DIR" "$parent" "$$" "$!" "$parent" "$$" >inner.bats
    run env -u OCIRUN_TEST_ID -u TEST_ID OCIRUN_STRICT=1 bats --formatter tap inner.bats
    kill "$!"
    wait "$!" || true
    rmdir "$parent/strict-$$"
    [[ $status == 0 ]]
}

@test "a test that leaves a state directory fails" {
    inner 'mkdir -p "$STATE_ROOT/left"'

    [[ $status == 1 && $output == *"state: "*"/left"* ]]
}

@test "a test that hangs fails when its time is up" {
    inner 'sleep 300' 2

    [[ $status == 1 && $output == *"timeout"* ]]
}

@test "a skipped test names its reason" {
    inner 'requires no-such-program'

    [[ $status == 0 && $output == *"# skip needs the program 'no-such-program'"* ]]
}

@test "tests/run sums up passed, failed and skipped tests in its last line" {
    mkdir "$BATS_TEST_TMPDIR/some"
    printf '@test "good" { true; }\n@test "bad" { false; }\n' >"$BATS_TEST_TMPDIR/some/a.bats"
    printf '@test "none" { skip "for a reason"; }\n@test "fine" { true; }\n' >"$BATS_TEST_TMPDIR/some/b.bats"
    printf '#!/bin/sh\necho "[doctest] test cases:  3 |  2 passed | 1 failed | 0 skipped"; exit 1\n' >"$BATS_TEST_TMPDIR/unit"
    printf '#!/bin/sh\nkill -SEGV $$\n' >"$BATS_TEST_TMPDIR/crash"
    chmod +x "$BATS_TEST_TMPDIR/unit" "$BATS_TEST_TMPDIR/crash"

    TEST_LOG=$BATS_TEST_TMPDIR/log run -1 "$TESTS_DIR/run" "$BATS_TEST_TMPDIR"/{unit,crash,some}

    [[ ${lines[-1]} == "4 passed, 3 failed, 1 skipped" ]]
    [[ $output == *"for a reason: none"* ]]
    TEST_LOG=$BATS_TEST_TMPDIR/log run -0 "$TESTS_DIR/run" "$BATS_TEST_TMPDIR/some/b.bats"
    [[ ${lines[-1]} == "1 passed, 0 failed, 1 skipped" ]]
    TEST_LOG=$BATS_TEST_TMPDIR/log run -1 "$TESTS_DIR/run" "$BATS_TEST_TMPDIR/no-such.bats"
    [[ ${lines[-1]} == "0 passed, 1 failed, 0 skipped" ]]
}
