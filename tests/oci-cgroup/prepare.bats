#!/usr/bin/env bats
# oci-cgroup prepare: a cgroup with processes becomes one that can hand on controllers.

load ../helpers
load cgroups
load unified

cgroup_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }
handed_on() { cat "$TREE$1/cgroup.subtree_control"; }

@test "prepare moves all processes into a leaf and hands on the controllers; --undo takes it back" {
    requires_unified
    oci-cgroup create "$BOX" >/dev/null
    start_in "$BOX"
    first=$PID
    start_in "$BOX"

    run -0 --separate-stderr oci-cgroup prepare "$BOX"

    [[ $output == "" && $stderr == "" ]]
    [[ $(cgroup_of "$first") == "$BOX/init" && $(cgroup_of "$PID") == "$BOX/init" ]]
    [[ $(handed_on "$BOX") == "$(<"$TREE$BOX/cgroup.controllers")" && " $(handed_on "$BOX") " == *" $CONTROLLER "* ]]
    # What it is good for.
    mkdir "$TREE$BOX/child"
    [[ " $(<"$TREE$BOX/child/cgroup.controllers") " == *" $CONTROLLER "* ]]
    rmdir "$TREE$BOX/child"

    oci-cgroup prepare "$BOX"
    [[ $(cgroup_of "$PID") == "$BOX/init" ]]

    oci-cgroup prepare --undo "$BOX"
    [[ $(cgroup_of "$first") == "$BOX" && $(cgroup_of "$PID") == "$BOX" ]]
    [[ $(handed_on "$BOX") == "" && ! -e $TREE$BOX/init ]]
    end "$first"
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "prepare catches the children of a process that makes them without an end" {
    requires_unified
    oci-cgroup create "$BOX" >/dev/null
    oci-cgroup join "$BOX" -- sh -c 'while :; do sh -c : ; done' 3>&- 5>&- &
    busy=$!
    is_in_box() { [[ $(cgroup_of "$busy") == "$BOX" ]]; }
    wait_until is_in_box

    oci-cgroup prepare --controller "$CONTROLLER" "$BOX"

    [[ $(<"$TREE$BOX/cgroup.procs") == "" && $(handed_on "$BOX") == "$CONTROLLER" ]]
    oci-cgroup kill "$BOX"
    wait "$busy" || true
    oci-cgroup delete "$BOX"
}

@test "prepare moves itself, too: a shell prepares its own cgroup" {
    requires_unified
    oci-cgroup create "$BOX" >/dev/null

    run -0 oci-cgroup join "$BOX" -- sh -c 'oci-cgroup prepare --leaf shell "$1" && sed -n "s/^0:://p" /proc/self/cgroup' - "$BOX"

    [[ $output == "$BOX/shell" ]]
    oci-cgroup delete "$BOX"
}

@test "prepare of a cgroup without processes makes no leaf" {
    requires_unified
    oci-cgroup create "$BOX" >/dev/null

    oci-cgroup prepare "$BOX"

    [[ ! -e $TREE$BOX/init && " $(handed_on "$BOX") " == *" $CONTROLLER "* ]]
    oci-cgroup delete "$BOX"
}

@test "prepare refuses, and changes nothing: a controller that is not there, a threaded cgroup, a frozen one" {
    requires_unified
    oci-cgroup create "$BOX" >/dev/null
    start_in "$BOX"

    run -1 --separate-stderr oci-cgroup prepare --controller nonsense "$BOX"
    [[ $stderr == "oci-cgroup: '$BOX' does not have the controller 'nonsense' itself; 'oci-cgroup why $BOX nonsense' says why" ]]

    echo 1 >"$TREE$BOX/cgroup.freeze"
    run -1 --separate-stderr oci-cgroup prepare "$BOX"
    [[ $stderr == "oci-cgroup: '$BOX' is frozen; thaw it first" ]]
    echo 0 >"$TREE$BOX/cgroup.freeze"

    mkdir "$TREE$BOX/thread"
    echo threaded >"$TREE$BOX/thread/cgroup.type"
    run -1 --separate-stderr oci-cgroup prepare "$BOX"
    [[ $stderr == "oci-cgroup: '$BOX' is threaded (cgroup.type 'domain threaded'): it cannot hand on all controllers" ]]
    rmdir "$TREE$BOX/thread"

    [[ $(cgroup_of "$PID") == "$BOX" && ! -e $TREE$BOX/init ]]
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "prepare undoes all when something is refused" {
    requires_unified
    oci-cgroup create "$BOX" >/dev/null
    start_in "$BOX"
    # A process that is not permitted to be moved stands for whatever the kernel refuses.
    chown 1000:1000 "$TREE$BOX"
    run -1 --separate-stderr as_user oci-cgroup prepare "$BOX"

    [[ $stderr == "oci-cgroup: cannot move process $PID to '$TREE$BOX/init': cannot write '$PID' to 'cgroup.procs': Permission denied" ]]
    [[ $(cgroup_of "$PID") == "$BOX" && ! -e $TREE$BOX/init ]]
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "--undo refuses while other cgroups live from the controllers, and where nothing was prepared" {
    requires_unified
    oci-cgroup create "$BOX" >/dev/null
    run -1 --separate-stderr oci-cgroup prepare --undo "$BOX"
    [[ $stderr == "oci-cgroup: '$BOX' has no cgroup 'init': it was not prepared, or with another --leaf" ]]
    start_in "$BOX"
    oci-cgroup prepare "$BOX"
    mkdir "$TREE$BOX/child"

    run -1 --separate-stderr oci-cgroup prepare --undo "$BOX"

    [[ $stderr == "oci-cgroup: '$BOX' has the cgroup 'child' below it, which would lose the controllers" ]]
    [[ $(cgroup_of "$PID") == "$BOX/init" ]]
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "prepare refuses what systemd has not delegated, unless --force is given" {
    requires_unified
    requires systemd systemd-run
    systemd-run --quiet --unit "$TEST_ID" sleep 1000
    unit=/system.slice/$TEST_ID.service

    run -1 --separate-stderr oci-cgroup prepare "$unit"
    systemctl stop "$TEST_ID"
    [[ $stderr == "oci-cgroup: '$unit' belongs to systemd's unit $TEST_ID.service, which expects its processes where it has put them: give it 'Delegate=yes', or --force" ]]

    systemd-run --quiet --property Delegate=yes --unit "$TEST_ID" sleep 1000
    run -0 oci-cgroup prepare "$unit"
    systemctl stop "$TEST_ID"
}

@test "prepare needs a v2 hierarchy with controllers, and a cgroup that is there" {
    requires_unified
    run -1 --separate-stderr oci-cgroup prepare "$BOX"
    [[ $stderr == "oci-cgroup: cgroup '$BOX' does not exist in the v2 hierarchy: No such file or directory" ]]
    run -2 oci-cgroup prepare --leaf a/b "$BOX"
    mkdir "$TREE$BOX" "$TREE$BOX/a"
    run -1 --separate-stderr oci-cgroup prepare "$BOX/a"
    [[ $stderr == "oci-cgroup: '$BOX/a' has no controllers to hand on; 'oci-cgroup why $BOX/a' says why" ]]
    rmdir "$TREE$BOX/a" "$TREE$BOX"
}
