#!/usr/bin/env bats
# oci-ns on kernels, and behind system-call filters, that lack what it would rather use.

load ../helpers
load ns

@test "without clone3 namespaces are made by clone" {
    requires root

    run -0 deny-syscall clone3 -- oci-ns new --pid --net --mount --mount-proc --uts --ipc --cgroup -- sh -c 'echo $$; echo /proc/[0-9]*'
    [[ $output == $'1\n/proc/1' ]]
    run -0 deny-syscall clone3 -- oci-ns new --pid --map-user 0:100000:10 --map-group 0:100000:10 --time -- id -u
    [[ $output == 0 ]]
    run -0 adopt deny-syscall clone3 -- oci-ns new --control-fd 6 --pid -- sh -c 'echo hello >&6'
    [[ $output == $'message: pid\tCHILD\nmessage: hello\ncommand: 0\nchild: 0' ]]
}

@test "without clone3 the program still dies with oci-ns" {
    requires root
    deny-syscall clone3 -- oci-ns new --pid -- sh -c 'echo >ready; exec sleep 30' 3>&- &
    wait_until test -s ready
    child=$(only_child $!)

    kill_silently $!

    wait_until eval "[[ ! -e /proc/$child ]]"
}

@test "without pidfd_open and setns on pidfds namespaces are joined one by one" {
    requires root
    oci-ns new --pid --net --mount --mount-proc --map-user 0:100000:10 --map-group 0:100000:10 -- sleep 50 3>&- &
    supervisor=$!
    wait_until has_child "$supervisor"
    child=$(only_child "$supervisor")
    wait_until grep -q sleep "/proc/$child/comm"

    run -0 deny-syscall pidfd_open -- oci-ns enter --target "$child" -- sh -c 'id -u; cat /proc/1/comm; readlink /proc/self/ns/net'

    [[ $output == $'0\nsleep\n'"$(readlink "/proc/$child/ns/net")" ]]
    kill_silently "$supervisor"
}

@test "without pidfd_send_signal, close_range and pidfd_open new namespaces are made all the same" {
    requires root
    run -3 deny-syscall pidfd_open close_range -- oci-ns new --pid --map-user 0:100000:10 -- sh -c 'exit 3'
}

@test "without memfd_create --seal is refused: no copy, no start" {
    run -125 deny-syscall memfd_create -- oci-ns new --seal busybox touch made
    [[ $output == "oci-ns: cannot seal '"*"': cannot make a memory file: Function not implemented" ]]
    [[ ! -e made ]]
}
