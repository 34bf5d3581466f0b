#!/usr/bin/env bats
# pause and resume.

load ../helpers
load container

# A container that counts in ./out.
start_counting()
{
    args sh -c 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.02; done'
    rt run --detach "$TEST_ID" >out 2>&1 </dev/null
    wait_until grep -qx 2 out
}

@test "a paused container stands still, says so, and goes on when it is resumed" {
    start_counting

    run -0 rt pause "$TEST_ID"

    [[ $output == "" ]]
    stands_still out
    has_status "$TEST_ID" paused
    [[ $(rt list --format json | jq -r '.[].status') == paused ]]
    [[ $(rt list) == *" paused "* ]]
    run -0 rt resume "$TEST_ID"
    [[ $output == "" ]]
    goes_on out
    has_status "$TEST_ID" running
}

@test "every process of the container stands still, those that exec brought and those that multiply, too" {
    # The shell makes processes all the time: X25, where a child of the last moment keeps a v1 freezer in FREEZING.
    args sh -c 'while :; do (true); (true) & wait; echo x; done'
    rt run --detach "$TEST_ID" >out 2>&1 </dev/null
    rt exec --detach "$TEST_ID" sh -c 'while :; do echo y; (true); done' >out2 2>&1
    wait_until grep -q y out2
    for round in 1 2 3 4 5; do
        rt pause "$TEST_ID"
        before=$(wc -c out out2)
        sleep 0.2
        [[ $(wc -c out out2) == "$before" ]]
        rt resume "$TEST_ID"
    done
}

@test "exec into a paused container is refused; with --ignore-paused it waits for the end of the pause" {
    start_counting
    rt pause "$TEST_ID"

    run -255 rt exec "$TEST_ID" true
    [[ $output == *"cannot exec in a paused container"* ]]
    rt exec --ignore-paused "$TEST_ID" echo late >late 2>&1 3>&- </dev/null &
    waiting=$!
    sleep 0.3
    is_running "$waiting"
    [[ ! -s late ]]

    rt resume "$TEST_ID"
    wait "$waiting"
    [[ $(<late) == late ]]
}

@test "kill ends a paused container; another signal arrives when it is resumed" {
    args sh -c 'trap "echo got TERM; exit" TERM; echo ready; while :; do sleep 0.02; done'
    rt run --detach "$TEST_ID" >out 2>&1 </dev/null
    wait_until grep -q ready out
    rt pause "$TEST_ID"
    rt kill "$TEST_ID" TERM
    sleep 0.2
    refute grep -q TERM out
    rt resume "$TEST_ID"
    wait_until grep -q 'got TERM' out
    wait_until has_status "$TEST_ID" stopped
    rt delete "$TEST_ID"

    start_counting
    rt pause "$TEST_ID"
    rt kill "$TEST_ID" KILL
    wait_until has_status "$TEST_ID" stopped
}

@test "kill --all ends a paused container" {
    start_counting
    rt pause "$TEST_ID"

    rt kill --all "$TEST_ID" KILL

    wait_until has_status "$TEST_ID" stopped
}

@test "delete refuses a paused container and leaves it paused; with --force it goes" {
    start_counting
    rt pause "$TEST_ID"

    run -1 rt delete "$TEST_ID"
    [[ $output == *"that is not stopped: paused"* ]]
    has_status "$TEST_ID" paused

    rt delete --force "$TEST_ID"
    run -1 rt state "$TEST_ID"
    [[ $output == *"does not exist"* ]]
    [[ $(find /sys/fs/cgroup -name "*$TEST_ID*") == "" ]]
}

@test "only a running container can be paused, only a paused one resumed" {
    args sleep 1000
    rt create "$TEST_ID" >/dev/null 2>&1 </dev/null

    run -1 rt pause "$TEST_ID"
    [[ $output == *"container not running: '$TEST_ID' is created"* ]]
    rt start "$TEST_ID"
    run -1 rt resume "$TEST_ID"
    [[ $output == *"container not paused: '$TEST_ID' is running"* ]]
    rt pause "$TEST_ID"
    run -1 rt pause "$TEST_ID"
    [[ $output == *"container not running: '$TEST_ID' is paused"* ]]
    rt kill "$TEST_ID" KILL
    wait_until has_status "$TEST_ID" stopped
    run -1 rt pause "$TEST_ID"
    [[ $output == *"container not running: '$TEST_ID' is stopped"* ]]
    run -1 rt resume "$TEST_ID"
    run -1 rt pause "no-$TEST_ID"
    [[ $output == *"does not exist"* ]]
}

@test "without a cgroup pause says what is missing" {
    args sleep 1000
    "$OCIRUN" --root "$STATE_ROOT" --cgroup-manager disabled run --detach "$TEST_ID" >/dev/null 2>&1 </dev/null

    run -1 rt pause "$TEST_ID"

    [[ $output == *"cannot freeze: the container has no cgroup" ]]
    has_status "$TEST_ID" running
}
