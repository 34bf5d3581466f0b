#!/usr/bin/env bats
# ps: the processes of a container.

load ../helpers
load container

setup()
{
    ocirun_setup
    requires root
    make_bundle
    args sh -c 'sleep 1000 & sleep 1001 & echo ready; wait'
}

start()
{
    rt run --detach "$TEST_ID" >out 2>&1 </dev/null
    wait_until grep -q ready out
    INIT=$(first_process "$TEST_ID")
}

@test "ps --format json prints an array of the host's process ids, and nothing else" {
    start
    rt exec --detach "$TEST_ID" sleep 1002 >/dev/null 2>&1

    run -0 --separate-stderr rt ps --format json "$TEST_ID"

    [[ $stderr == "" ]]
    [[ $(jq -c 'sort' <<<"$output") == "$(jq -c sort <<<"[$(pgrep -d , --ns "$INIT" --nslist pid)]")" ]]
    [[ $(jq length <<<"$output") == 4 ]]
    [[ $(rt ps -f json "$TEST_ID") == "$output" ]]
}

@test "ps prints the lines of the host's ps -ef about them" {
    start

    run -0 --separate-stderr rt ps "$TEST_ID"

    [[ $stderr == "" ]]
    [[ ${lines[0]} == "UID "*"PID "*"CMD" ]]
    ((${#lines[@]} == 4))
    [[ $output == *"sleep 1000"* && $output == *"sleep 1001"* ]]
    [[ ${lines[1]} == *" $INIT "* ]]
}

@test "what follows the id goes to ps" {
    start

    run -0 --separate-stderr rt ps "$TEST_ID" -e -o pid,args

    [[ ${lines[0]} =~ ^\ *PID\ COMMAND$ ]]
    [[ ${lines[1]} =~ ^\ *$INIT\ sh\  ]]
    ((${#lines[@]} == 4))
    run -1 --separate-stderr rt ps "$TEST_ID" -e -o args
    [[ $stderr == *"couldn't find PID field in ps output"* ]]
    run -1 --separate-stderr rt ps "$TEST_ID" --no-such-option
    [[ $output == "" && $stderr == *"exited with status 1" ]]
}

@test "ps of a paused container works, of a stopped one it prints none" {
    start
    rt pause "$TEST_ID"
    [[ $(rt ps --format json "$TEST_ID" | jq length) == 3 ]]
    rt kill "$TEST_ID" KILL
    wait_until has_status "$TEST_ID" stopped

    [[ $(rt ps --format json "$TEST_ID") == "[]" ]]
    run -0 rt ps "$TEST_ID"
    ((${#lines[@]} == 1))
}

@test "ps of a container that does not exist, a wrong format, no cgroup" {
    run -1 rt ps "no-$TEST_ID"
    [[ $output == *"does not exist"* ]]
    start
    run -1 rt ps --format xml "$TEST_ID"
    [[ $output == *"--format 'xml': expected table or json" ]]
    rt delete --force "$TEST_ID"

    "$OCIRUN" --root "$STATE_ROOT" --cgroup-manager disabled run --detach "$TEST_ID" >/dev/null 2>&1 </dev/null
    run -1 rt ps "$TEST_ID"
    [[ $output == *"has no cgroup"* ]]
}
