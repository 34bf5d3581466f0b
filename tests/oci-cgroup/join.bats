#!/usr/bin/env bats
# oci-cgroup join: executes a program in a cgroup.

load ../helpers
load cgroups

@test "join executes the program in the cgroup of every hierarchy" {
    oci-cgroup create "$BOX" >/dev/null

    run -0 oci-cgroup join "$BOX" -- cat /proc/self/cgroup

    (($(grep -c ":$BOX\$" <<<"$output") == $(hierarchies)))
    oci-cgroup delete "$BOX"
}

@test "join becomes the program: same process, its exit status, its arguments" {
    oci-cgroup create "$BOX" >/dev/null

    run -7 oci-cgroup join "$BOX" sh -c 'echo "$1"; exit 7' - --help
    [[ $output == --help ]]
    bash -c 'oci-cgroup join "$1" -- sh -c "echo \$\$" >pid & echo $! >expected; wait' - "$BOX"
    [[ $(<pid) == "$(<expected)" ]]
    oci-cgroup delete "$BOX"
}

@test "join uses the hierarchies in which the cgroup exists" {
    requires cgroup_v1
    mkdir "$(dir pids)"

    run -0 oci-cgroup join "$BOX" -- cat /proc/self/cgroup

    [[ $(grep -c ":$BOX\$" <<<"$output") == 1 ]]
    [[ $output == *":pids:$BOX"* ]]
    oci-cgroup delete "$BOX"
}

@test "join leaves no descriptor open in the program" {
    oci-cgroup create "$BOX" >/dev/null

    oci-cgroup join "$BOX" -- ls /proc/self/fd >actual

    ls /proc/self/fd >expected
    diff expected actual
    oci-cgroup delete "$BOX"
}

@test "join of a cgroup that does not exist exits 125" {
    run -125 --separate-stderr oci-cgroup join "$BOX" -- true

    [[ $stderr == "oci-cgroup: cgroup '$BOX' does not exist in any hierarchy: No such file or directory" ]]
}

@test "join of a path that leads up exits 125" {
    run -125 --separate-stderr oci-cgroup join "$BOX/../x" -- true

    [[ $stderr == "oci-cgroup: cgroup path '$BOX/../x' contains '..'" ]]
}

@test "a program that is not found exits 127, one that cannot be executed 126" {
    oci-cgroup create "$BOX" >/dev/null

    run -127 --separate-stderr oci-cgroup join "$BOX" -- no-such-program
    [[ $stderr == "oci-cgroup: cannot find 'no-such-program' in PATH: No such file or directory" ]]
    run -126 --separate-stderr oci-cgroup join "$BOX" -- /etc/passwd
    [[ $stderr == "oci-cgroup: cannot execute '/etc/passwd': Permission denied" ]]
    oci-cgroup delete "$BOX"
}

@test "join without a program exits 2" {
    run -2 oci-cgroup join "$BOX"
    run -2 oci-cgroup join "$BOX" --
    run -2 oci-cgroup join
}

@test "the pids limit holds for what was joined" {
    oci-cgroup create --pids 2 "$BOX" >/dev/null

    run oci-cgroup join "$BOX" -- sh -c 'for i in 1 2 3 4 5; do sleep 1 & done; wait'

    ((status != 0))
    [[ $output == *"fork"* ]]
    wait_until oci-cgroup delete "$BOX"
}

@test "the memory limit holds for what was joined" {
    oci-cgroup create --memory 16M --memory-swap 16M "$BOX" >/dev/null

    run oci-cgroup join "$BOX" -- sh -c 'head -c 64M /dev/zero | tail >/dev/null; exit "$?"'

    ((status != 0))
    oci-cgroup delete "$BOX"
}
