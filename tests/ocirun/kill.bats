#!/usr/bin/env bats
# kill: every signal, by every name.

load ../helpers

@test "kill sends TERM by default, and any signal by name and number" {
    requires root
    make_bundle
    args sh -c 'for s in TERM HUP USR1 USR2 INT; do trap "echo $s" $s; done; echo ready; while :; do sleep 0.05; done'
    rt run --detach "$TEST_ID" >out 2>&1 </dev/null
    wait_until grep -q ready out

    local signal expected
    for signal in "" HUP SIGUSR1 12 sigint; do
        # shellcheck disable=SC2086  # nothing at all when empty
        rt kill "$TEST_ID" $signal
        case $signal in "") expected=TERM ;; 12) expected=USR2 ;; HUP) expected=HUP ;; SIGUSR1) expected=USR1 ;; *) expected=INT ;; esac
        wait_until grep -qx "$expected" out
    done
    rt kill "$TEST_ID" 0
    rt delete --force "$TEST_ID"
}

@test "a real-time signal arrives by its name" {
    requires root
    make_bundle
    args sh -c 'trap "echo got it" 37; echo ready; while :; do sleep 0.05; done'
    rt run --detach "$TEST_ID" >out 2>&1 </dev/null
    wait_until grep -q ready out
    rt kill "$TEST_ID" SIGRTMIN+3
    wait_until grep -q 'got it' out
    rt delete --force "$TEST_ID"
}

@test "an unknown signal is refused by name, with what a signal is, and sends nothing" {
    requires root
    make_bundle
    args sleep 100
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    for signal in NONSENSE 99; do
        run -1 rt kill "$TEST_ID" "$signal"
        [[ $output == *"unknown signal '$signal'; give a name with or without SIG (TERM, SIGRTMIN+3; 'kill -l' lists them), or a number from 1 to 64" ]]
    done
    has_status "$TEST_ID" running
    rt delete --force "$TEST_ID"
}

@test "delete right behind kill KILL waits for the end, and a container that has been sent something else is refused" {
    requires root
    make_bundle
    args sleep 100
    local try
    for ((try = 0; try < 25; try++)); do
        rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
        rt kill "$TEST_ID" KILL
        rt delete "$TEST_ID"
    done
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    rt kill "$TEST_ID" TERM
    run -1 rt delete "$TEST_ID"
    [[ $output == *"that is not stopped: running; stop it with 'kill', or give --force" ]]
    rt delete --force "$TEST_ID"
}

@test "kill of a stopped container says 'container not running'" {
    requires root
    make_bundle
    run -0 rt run --keep "$TEST_ID"
    run -1 rt kill "$TEST_ID" KILL
    [[ $output == *"container not running"* ]]
    rt delete "$TEST_ID"
    run -1 rt kill "$TEST_ID" KILL
    [[ $output == *"does not exist" ]]
}

@test "without a pid namespace kill reaches every process of the container" {
    requires root
    make_bundle
    cfg '.linux.namespaces |= map(select(.type != "pid"))'
    args sh -c 'sleep 1000 & sleep 1001 & echo $! >/dev/null; wait'
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    local pids
    wait_until eval 'pids=$(pgrep -f "^sleep 100[01]$" -P "$(first_process "$TEST_ID")") && (($(wc -w <<<"$pids") == 2))'

    rt kill "$TEST_ID" KILL

    local pid
    for pid in $pids; do wait_until eval "! is_running $pid"; done
    wait_until has_status "$TEST_ID" stopped
    rt delete "$TEST_ID"
}

@test "kill --all reaches processes besides the first" {
    requires root
    make_bundle
    args sh -c 'trap "" USR1; (trap "echo child; exit" USR1; echo ready; while :; do sleep 0.05; done) & wait; sleep 100'
    rt run --detach "$TEST_ID" >out 2>&1 </dev/null
    wait_until grep -q ready out
    rt kill --all "$TEST_ID" USR1
    wait_until grep -q child out
    rt delete --force "$TEST_ID"
}
