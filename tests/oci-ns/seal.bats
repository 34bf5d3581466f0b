#!/usr/bin/env bats
# oci-ns --seal: the program can't be changed by those who meet it (CVE-2019-5736).

load ../helpers
load ns

@test "a sealed program can't be written, grown, shrunk or unsealed through its own /proc entry" {
    run -0 oci-ns new --seal show-seals
    [[ $output == $'seals: seal shrink grow write\nnot writable' ]]
    requires root
    run -0 oci-ns new --seal --pid --net --mount show-seals
    [[ $output == $'seals: seal shrink grow write\nnot writable' ]]
}

@test "without --seal the program is executed as it is" {
    run -1 oci-ns new show-seals
    [[ $output == "not sealed: Invalid argument" ]]
}

@test "the program is what it was when oci-ns started, however long the plan takes" {
    cp "$(command -v show-seals)" program
    mkfifo plan
    oci-ns new --plan-fd 5 --seal ./program 5<plan >out 3>&- &
    exec 8>plan
    # It has read the program when it waits for the plan.
    wait_until eval "ls -l /proc/$!/fd | grep -q memfd:program"
    printf '#!/bin/sh\necho changed\n' >program.new && chmod +x program.new && mv program.new program
    printf 'plan 1\nend\n' >&8
    exec 8>&-
    wait $!

    [[ $(cat out) == "seals: "* ]]
}

@test "the memory file is not open in the program" {
    run -0 oci-ns new --seal busybox ls -l /proc/self/fd
    [[ $output != *memfd* ]]
}

@test "a script is refused, as its interpreter could not open it" {
    printf '#!/bin/sh\n' >script
    chmod +x script

    run -126 oci-ns new --seal ./script

    [[ $output == "oci-ns: cannot seal './script': it is a script, whose interpreter would have to open it by name" ]]
}

@test "a folder is refused" {
    run -126 oci-ns new --seal /tmp
    [[ $output == "oci-ns: cannot seal '/tmp': Permission denied" ]]
}

@test "a sealed program in a user namespace may write its own files in /proc" {
    requires root

    run -0 oci-ns new --seal --map-user 0:100000:10 --map-group 0:100000:10 --pid busybox sh -c 'echo 100 >/proc/self/oom_score_adj && cat /proc/self/oom_score_adj'

    [[ $output == 100 ]]
}

@test "a protected program runs without a copy from a read-only mount, and cannot be opened for writing afterwards either" {
    requires root kernel-5.11
    # The descriptor outlives the process: then nobody executes the file, and only the mount stands in the way.
    run -0 oci-ns new --protect busybox sh -c 'exec 5</proc/self/exe; exec "$0" -c "true; (echo x >/proc/self/fd/5) 2>&1 || true; readlink /proc/self/fd/5"' "$(command -v bash)"
    [[ $output == *"Read-only file system"* ]]
    [[ $output != *memfd* ]]
    run -1 oci-ns new --protect show-seals
    [[ $output == "not sealed: Invalid argument" ]]
}

@test "where the kernel has no such mount, a protected program is a sealed copy" {
    requires root
    run -0 deny-syscall fsopen -- oci-ns new --protect show-seals
    [[ $output == $'seals: seal shrink grow write\nnot writable' ]]
    mkdir 'a:b'
    cp "$(command -v show-seals)" 'a:b/program'
    run -0 oci-ns new --protect ./a:b/program
    [[ $output == $'seals: seal shrink grow write\nnot writable' ]]
}

@test "an unprivileged caller's protected program is a sealed copy" {
    requires userns
    as_user true
    cp "$(command -v show-seals)" "$USER_DIR/bin/"
    run -0 as_user oci-ns new --protect --map-root show-seals
    [[ $output == $'seals: seal shrink grow write\nnot writable' ]]
}

@test "--program-fd: PROGRAM is what somebody opened on a read-only mount; one that could be written is refused" {
    requires root
    mkdir programs
    cp "$(command -v busybox)" programs/echo
    run -2 oci-ns enter --join uts=/proc/self/ns/uts --protect --program-fd 5 busybox hello 5<programs/echo
    [[ $output == "oci-ns: --program-fd: the program is not on a read-only mount" ]]
    run -2 oci-ns enter --join uts=/proc/self/ns/uts --protect --program-fd 5 busybox hello
    [[ $output == "oci-ns: --program-fd: descriptor 5 is not open" ]]

    # shellcheck disable=SC2016  # for the inner shell
    run -0 unshare --mount sh -c 'mount --bind programs programs && mount -o remount,bind,ro programs &&
        exec oci-ns enter --join uts=/proc/self/ns/uts --protect --program-fd 5 busybox readlink /proc/self/exe 5<programs/echo'
    [[ $output == "$PWD/programs/echo" ]]
}
