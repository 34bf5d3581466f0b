#!/usr/bin/env bats
# oci-ns enter: the namespaces of a running process.

load ../helpers
load ns

# start_target OPTION...: a process in new namespaces; sets TARGET.
start_target()
{
    oci-ns new "$@" -- sh -c 'echo ready; exec sleep 50' >ready 3>&- &
    wait_until test -s ready
    SUPERVISOR=$!
    TARGET=$SUPERVISOR
    if [[ $(cat "/proc/$SUPERVISOR/comm") == oci-ns ]]; then
        TARGET=$(only_child "$SUPERVISOR")
    fi
}

stop_target()
{
    kill_silently "$TARGET"
    wait "$SUPERVISOR" || true
}

namespaces_of() { (cd "/proc/$1/ns" && readlink user pid net mnt ipc uts cgroup time); }

start_time() { awk '{ print $22 }' "/proc/$1/stat"; }

@test "enter joins all namespaces in which the target is elsewhere" {
    requires root
    start_target --pid --net --mount --mount-proc --uts --ipc --cgroup --time

    run -0 oci-ns enter --target "$TARGET" -- sh -c 'cd /proc/self/ns && readlink user pid net mnt ipc uts cgroup time'

    [[ $output == "$(namespaces_of "$TARGET")" ]]
    stop_target
}

@test "in a user namespace the program is its root, with all capabilities there" {
    requires root
    start_target --pid --net --mount --mount-proc --uts --map-user 0:100000:65536 --map-group 0:100000:65536

    run -0 oci-ns enter --target "$TARGET" -- sh -c 'id -u; id -g; id -G; hostname inside; cat /proc/1/comm; cd /proc/self/ns && readlink user pid net mnt ipc uts cgroup time'

    [[ $output == $'0\n0\n0\nsleep\n'"$(namespaces_of "$TARGET")" ]]
    stop_target
}

@test "a normal user enters what is its own" {
    requires root userns
    as_user true
    (cd "$USER_DIR" && exec setpriv --reuid=1000 --regid=1000 --clear-groups bin/oci-ns new --map-root --pid --net --uts -- sh -c 'hostname own; echo >run/ready; exec sleep 50' 3>&-) &
    SUPERVISOR=$!
    wait_until test -s "$USER_DIR/run/ready"
    TARGET=$(only_child "$SUPERVISOR")

    run -0 as_user oci-ns enter --target "$TARGET" -- sh -c 'id -u; hostname'
    [[ $output == $'0\nown' ]]
    stop_target
}

@test "what the user namespace of the target does not own is entered with the right from outside" {
    requires root
    # The network namespace belongs to us, the user namespace is the target's own.
    start_target --net --uts
    outer=$TARGET outer_supervisor=$SUPERVISOR
    oci-ns enter --target "$outer" -- oci-ns new --map-user 0:100000:10 --map-group 0:100000:10 --pid -- sh -c 'echo ready; exec sleep 50' >ready2 3>&- &
    wait_until test -s ready2
    TARGET=$(only_child $!)
    SUPERVISOR=$!

    run -0 oci-ns enter --target "$TARGET" -- sh -c 'id -u; cd /proc/self/ns && readlink user pid net mnt ipc uts cgroup time'

    [[ $output == $'0\n'"$(namespaces_of "$TARGET")" ]]
    stop_target
    kill_silently "$outer"
    wait "$outer_supervisor" || true
}

@test "--kind joins only these" {
    requires root
    start_target --pid --net --uts
    theirs=$(namespaces_of "$TARGET") ours=$(namespaces_of self)

    run -0 oci-ns enter --target "$TARGET" --kind network --kind uts -- sh -c 'cd /proc/self/ns && readlink user pid net mnt ipc uts cgroup time'

    [[ ${lines[2]} == "$(sed -n 3p <<<"$theirs")" && ${lines[5]} == "$(sed -n 6p <<<"$theirs")" && ${lines[1]} == "$(sed -n 2p <<<"$ours")" ]]
    stop_target
}

@test "a target in the same namespaces changes nothing" {
    run -0 oci-ns enter --target $$ -- sh -c 'cd /proc/self/ns && readlink user pid net mnt ipc uts cgroup time'
    [[ $output == "$(namespaces_of self)" ]]
}

@test "--start-time tells the target from another process with its number" {
    run -0 oci-ns enter --target $$ --start-time "$(start_time $$)" true
    run -125 oci-ns enter --target $$ --start-time 5 true
    [[ $output == "oci-ns: process $$ is not the one that was meant: its number has been given to another process" ]]
}

@test "a target that does not exist is an error that says so" {
    run -125 oci-ns enter --target 4194304 true
    [[ $output == "oci-ns: process 4194304 does not exist" ]]
    run -2 oci-ns enter --target 0 true
    [[ $output == "oci-ns: --target: expected the number of a process, found '0'" ]]
    run -2 oci-ns enter --target $$ --kind any true
    [[ $output == "oci-ns: --kind: unknown kind of namespace 'any'" ]]
}

@test "the program is looked up inside the mount namespace that is entered" {
    requires root
    start_target --mount --pid
    oci-ns enter --target "$TARGET" -- sh -c "mount -t tmpfs $TEST_ID /mnt && printf '#!/bin/sh\necho only here\n' >/mnt/only && chmod +x /mnt/only"

    run -0 oci-ns enter --target "$TARGET" /mnt/only
    [[ $output == "only here" ]]
    run -127 oci-ns enter --target "$TARGET" --seal /mnt/only
    run -127 oci-ns new /mnt/only
    stop_target
}

@test "enter joins by path as well, the user namespace first or last, whichever works" {
    requires root
    start_target --pid --net --uts --map-user 0:100000:10 --map-group 0:100000:10
    ns=/proc/$TARGET/ns

    run -0 oci-ns enter --join user="$ns/user" --join net="$ns/net" --join pid="$ns/pid" -- sh -c 'id -u; readlink /proc/self/ns/net'
    [[ $output == $'0\n'"$(readlink "$ns/net")" ]]
    run -0 oci-ns enter --join net="$ns/net" --join user="$ns/user" -- id -u
    [[ $output == 0 ]]
    stop_target
}

@test "enter makes no namespaces" {
    printf 'plan 1\nns.new\t/linux/namespaces/0\tnetwork\nend\n' >plan
    run -125 oci-ns enter --plan-fd 5 true 5<plan
    [[ $output == "oci-ns: /linux/namespaces/0: 'enter' makes no namespaces, but a new network is asked for" ]]
    run -2 oci-ns enter --net true
}

@test "in a joined pid namespace nobody can look into the process before it executes the program" {
    requires root
    start_target --pid --map-user 0:100000:10 --map-group 0:100000:10
    oci-ns --test-step 3:19 enter --target "$TARGET" true 3>&- &
    entering=$!
    stopped() { local child; for child in $(cat "/proc/$entering/task/$entering/children") "$entering"; do grep -q '^State:.T' "/proc/$child/status" && STOPPED=$child; done; [[ ${STOPPED:-} ]]; }
    wait_until stopped

    # Its /proc files belong to root outside, though it is user 0 of the namespace by now.
    [[ $(awk '/^Uid:/ { print $2 }' "/proc/$STOPPED/status") == 100000 && $(stat -c %u "/proc/$STOPPED/status") == 0 ]]

    kill_silently "$STOPPED"
    wait "$entering" || true
    stop_target
}
