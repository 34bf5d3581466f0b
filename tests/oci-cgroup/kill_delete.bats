#!/usr/bin/env bats
# oci-cgroup kill and delete: the end of a cgroup.

load ../helpers
load cgroups

is_gone() { [[ ! -e /proc/$1 || $(awk '/^State/ {print $2}' "/proc/$1/status") == Z ]]; }

@test "kill ends every process in the cgroup and below it, and leaves the cgroup" {
    oci-cgroup create "$BOX" >/dev/null
    start_in "$BOX"
    first=$PID
    oci-cgroup create "$BOX/below" >/dev/null
    start_in "$BOX/below"

    run -0 oci-cgroup kill "$BOX"

    [[ $output == "" ]]
    wait_until is_gone "$first"
    wait_until is_gone "$PID"
    [[ -d $(dir pids) ]]
    oci-cgroup delete "$BOX"
}

@test "kill ends processes that give their place to a child all the time" {
    oci-cgroup create --pids 5000 "$BOX" >/dev/null
    printf '#!/bin/sh\n"$0" &\n' >hop
    chmod +x hop
    for _ in 1 2 3 4; do
        oci-cgroup join "$BOX" -- ./hop >/dev/null 2>&1 3>&- 5>&-
    done
    sleep 0.2
    [[ $(value pids cgroup.procs) != "" ]]

    oci-cgroup kill "$BOX"

    oci-cgroup delete "$BOX"
}

@test "kill sends another signal by name or number" {
    oci-cgroup create "$BOX" >/dev/null
    for signal in TERM SIGTERM 15; do
        start_in "$BOX"
        oci-cgroup kill --signal "$signal" "$BOX"
        status=0
        wait "$PID" || status=$?
        ((status == 143))
    done
    oci-cgroup delete "$BOX"
}

@test "kill with another signal leaves processes that live on running, not frozen" {
    oci-cgroup create "$BOX" >/dev/null
    oci-cgroup join "$BOX" -- sh -c 'trap "echo got >>got" USR1; echo ready >ready; while :; do sleep 0.05; done' 3>&- 5>&- &
    pid=$!
    wait_until test -e ready

    # The sleeping child is signalled as well.
    oci-cgroup kill --signal USR1 "$BOX"

    wait_until test -e got
    end "$pid"
    oci-cgroup delete --kill "$BOX"
}

@test "kill of a frozen cgroup ends its processes" {
    oci-cgroup create "$BOX" >/dev/null
    start_in "$BOX"
    if [[ $(cgroup_layout) == v2 ]]; then
        echo 1 >"$(dir freezer)/cgroup.freeze"
    else
        echo FROZEN >"$(dir freezer)/freezer.state"
    fi

    oci-cgroup kill "$BOX"

    wait_until is_gone "$PID"
    oci-cgroup delete "$BOX"
}

@test "kill works where openat2 is denied" {
    oci-cgroup create "$BOX" >/dev/null
    for signal in KILL HUP; do
        start_in "$BOX"
        deny-syscall openat2 -- oci-cgroup kill --signal "$signal" "$BOX"
        wait_until is_gone "$PID"
    done
    oci-cgroup delete "$BOX"
}

@test "kill refuses to be in the cgroup itself where it would freeze itself" {
    oci-cgroup create "$BOX" >/dev/null

    run -1 oci-cgroup join "$BOX" -- oci-cgroup kill --signal TERM "$BOX"

    [[ $output == *"this process is one of them" ]]
    oci-cgroup delete "$BOX"
}

@test "kill of a cgroup that does not exist, an unknown signal and wrong usage" {
    run -1 --separate-stderr oci-cgroup kill "$BOX"
    [[ $stderr == "oci-cgroup: cgroup '$BOX' does not exist in any hierarchy: No such file or directory" ]]
    run -2 --separate-stderr oci-cgroup kill --signal FOO "$BOX"
    [[ $stderr == "oci-cgroup: unknown signal 'FOO'; give a name "* ]]
    run -2 --separate-stderr oci-cgroup kill --signal 0 "$BOX"
    [[ $stderr == "oci-cgroup: unknown signal '0'; give a name "*" a number from 1 to 64" ]]
    run -2 oci-cgroup kill
}

@test "delete removes the cgroup from every hierarchy, with those below it" {
    oci-cgroup create "$BOX" >/dev/null
    oci-cgroup create "$BOX/a/b/c" >/dev/null
    oci-cgroup create "$BOX/a/d" >/dev/null

    run -0 oci-cgroup delete "$BOX"

    [[ $output == "" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "delete removes cgroups that are nested hundreds deep" {
    path=$BOX
    oci-cgroup create "$BOX" >/dev/null
    cd "$(dir pids)"
    for _ in {1..300}; do
        mkdir x
        cd x
    done
    cd /

    (ulimit -n 20 && oci-cgroup delete "$BOX")

    [[ $(our_cgroups) == "" ]]
}

@test "delete of a cgroup with processes is refused, names them and removes nothing" {
    oci-cgroup create "$BOX" >/dev/null
    oci-cgroup create "$BOX/below" >/dev/null
    start_in "$BOX/below"

    run -1 --separate-stderr oci-cgroup delete "$BOX"

    [[ $stderr == "oci-cgroup: cannot remove cgroup '$BOX': process $PID is in it; '--kill' ends it" ]]
    (($(our_cgroups | wc -l) >= $(hierarchies)))
    [[ -d $(dir pids "$BOX/below") ]]
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "delete waits for a process that is just ending" {
    oci-cgroup create "$BOX" >/dev/null
    oci-cgroup join "$BOX" -- sleep 0.3 3>&- 5>&- &
    pid=$!
    sleep 0.1

    oci-cgroup delete "$BOX"

    [[ $(our_cgroups) == "" ]]
    wait "$pid"
}

@test "delete --kill ends the processes first" {
    oci-cgroup create "$BOX" >/dev/null
    start_in "$BOX"

    oci-cgroup delete --kill "$BOX"

    is_gone "$PID"
    [[ $(our_cgroups) == "" ]]
}

@test "delete --kill ends a process that is in only one of the hierarchies" {
    requires cgroup_v1
    mkdir "$(dir pids)" "$(dir memory)"
    start_in "$BOX"
    echo "$PID" >/sys/fs/cgroup/memory/cgroup.procs

    oci-cgroup delete --kill "$BOX"

    [[ $(our_cgroups) == "" ]]
}

@test "delete of a cgroup that does not exist exits 1, with --if-exists 0" {
    run -1 --separate-stderr oci-cgroup delete "$BOX"
    [[ $stderr == "oci-cgroup: cgroup '$BOX' does not exist in any hierarchy: No such file or directory" ]]
    run -0 oci-cgroup delete --if-exists "$BOX"
    run -2 oci-cgroup delete
}

@test "create, join and delete on one line" {
    run -0 bash -c 'oci-cgroup create --memory 64M --pids 20 "$1" >/dev/null && oci-cgroup join "$1" -- sh -c "sleep 0.1 & echo inside"; oci-cgroup delete "$1"' - "$BOX"

    [[ $output == inside ]]
    [[ $(our_cgroups) == "" ]]
}
