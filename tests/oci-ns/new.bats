#!/usr/bin/env bats
# oci-ns new, as root: each kind of namespace, and what is prepared in it.

load ../helpers
load ns

# own KIND: the namespace of the test's shell.
own() { readlink "/proc/self/ns/$1"; }

# kinds that differ between the test and what `oci-ns "$@"` runs.
differing_kinds()
{
    local kind differing=
    oci-ns "$@" -- sh -c 'cd /proc/self/ns && readlink user pid net mnt ipc uts cgroup time' >inside
    (cd /proc/self/ns && readlink user pid net mnt ipc uts cgroup time) >outside
    while IFS=: read -r kind _; do differing+="$kind "; done < <(comm -13 <(sort outside) <(sort inside))
    echo "${differing% }"
}

@test "each option makes a new namespace of its kind and of no other" {
    requires root

    [[ $(differing_kinds new --pid) == pid ]]
    [[ $(differing_kinds new --net) == net ]]
    [[ $(differing_kinds new --mount) == mnt ]]
    [[ $(differing_kinds new --uts) == uts ]]
    [[ $(differing_kinds new --ipc) == ipc ]]
    [[ $(differing_kinds new --user) == user ]]
    [[ $(differing_kinds new --cgroup) == cgroup ]]
    [[ $(differing_kinds new --time) == time ]]
}

@test "all kinds can be made at once" {
    requires root

    run -0 differing_kinds new --pid --net --mount --uts --ipc --user --cgroup --time

    [[ $output == "cgroup ipc mnt net pid time user uts" ]]
}

@test "without options the program is executed where it is" {
    run -0 oci-ns new -- sh -c 'echo $$'
    [[ $output =~ ^[0-9]+$ ]]
    run -0 differing_kinds new
    [[ $output == "" ]]
}

@test "the double dash is optional, and options end at the program" {
    run -0 oci-ns new echo --pid -x
    [[ $output == "--pid -x" ]]
}

@test "no process is made where none is needed" {
    requires root

    sh -c 'echo $$; exec oci-ns new --net --mount --uts --ipc --cgroup -- sh -c "echo \$\$"' >pids

    [[ $(sort -u pids | wc -l) == 1 ]]
}

@test "in a new pid namespace the program is process 1" {
    requires root

    run -0 oci-ns new --pid -- sh -c 'echo $$'
    [[ $output == 1 ]]
}

@test "the loopback interface of a new network namespace is up" {
    requires root ip

    run -0 oci-ns new --net -- ip -br addr
    [[ $output == "lo "*127.0.0.1/8* ]]
    run -0 oci-ns new --net --pid -- ip -br addr
    [[ $output == "lo "*127.0.0.1/8* ]]
}

@test "mounts made in a new mount namespace stay in it" {
    requires root
    mkdir here

    oci-ns new --mount -- sh -c "mount -t tmpfs $TEST_ID here && touch here/file"

    [[ ! -e here/file ]]
    run ! grep "$TEST_ID tmpfs" /proc/self/mountinfo
}

@test "the propagation of a new mount namespace is private unless another one is asked for" {
    requires root
    inside="awk '\$5 == \"/\" { print }' /proc/self/mountinfo"

    run -0 oci-ns new --mount --propagation shared -- sh -c "$inside"
    [[ $output == *" shared:"* ]]
    run -0 oci-ns new --mount -- sh -c "$inside"
    [[ $output != *" shared:"* && $output != *" master:"* ]]
    # The shell in between keeps the master alive.
    run -0 oci-ns new --mount --propagation shared -- sh -c 'oci-ns new --mount --propagation slave -- sh -c "$1"; true' - "$inside"
    [[ $output == *" master:"* ]]
    run -0 oci-ns new --mount --propagation shared -- oci-ns new --mount --propagation unchanged -- sh -c "$inside"
    [[ $output == *" shared:"* ]]
}

@test "--propagation with another word is refused" {
    run -2 oci-ns new --mount --propagation public true
    [[ $output == "oci-ns: --propagation: expected private, slave, shared or unchanged, found 'public'" ]]
}

@test "--mount-proc shows the processes of the new pid namespace alone" {
    requires root

    run -0 oci-ns new --pid --mount --mount-proc -- sh -c 'echo /proc/[0-9]*'
    [[ $output == "/proc/1" ]]
}

@test "--join enters the namespace that a path names" {
    requires root
    oci-ns new --uts --net -- sh -c 'hostname joined; echo >ready; exec sleep 30' 3>&- &
    wait_until test -e ready

    run -0 oci-ns new --join uts=/proc/$!/ns/uts --join "network=/proc/$!/ns/net" -- sh -c 'hostname; readlink /proc/self/ns/net'

    [[ ${lines[0]} == joined && ${lines[1]} == "$(readlink /proc/$!/ns/net)" ]]
    kill $!
}

@test "a path of another kind is refused before anything is done" {
    run -125 oci-ns new --join pid=/proc/self/ns/net touch made
    [[ $output == "oci-ns: '/proc/self/ns/net' is a network namespace; expected a pid namespace" ]]
    [[ ! -e made ]]
}

@test "a path that is no namespace is refused" {
    touch file
    run -125 oci-ns new --join net="$PWD/file" true
    [[ $output == "oci-ns: '$PWD/file' is not a namespace" ]]
    run -125 oci-ns new --join net=/nowhere true
    [[ $output == "oci-ns: cannot open '/nowhere': No such file or directory" ]]
}

@test "--join without a kind or a path is wrong usage" {
    run -2 oci-ns new --join /proc/self/ns/net true
    [[ $output == "oci-ns: --join: expected KIND=PATH, found '/proc/self/ns/net'" ]]
    run -2 oci-ns new --join netz=/proc/self/ns/net true
    [[ $output == "oci-ns: --join: unknown kind of namespace 'netz'; there are user, pid, network, mount, ipc, uts, cgroup, time" ]]
}

@test "one kind cannot be made and joined, nor joined twice" {
    run -125 oci-ns new --net --join net=/proc/self/ns/net true
    [[ $output == "oci-ns: a network namespace is to be made and another one joined" ]]
    run -125 oci-ns new --join net=/proc/self/ns/net --join net=/proc/self/ns/net true
    [[ $output == "oci-ns: two network namespaces are to be joined" ]]
}

@test "namespaces without privilege are refused with the way out" {
    requires root

    run -125 as_user oci-ns new --net --uts true
    [[ $output == "oci-ns: cannot make new network and uts namespaces (needs privilege, or a new user namespace: 'oci-ns new --user --map-root', 'ocirun spec --rootless'): Operation not permitted" ]]
}

@test "descriptors pass through, and none of its own leaks" {
    requires root
    echo data >file

    oci-ns new --pid --net --seal -- sh -c 'cat <&7; ls /proc/self/fd' 7<file 3>&- >out
    sh -c 'cat <&7; ls /proc/self/fd' 7<file 3>&- >expected

    diff expected out
}
