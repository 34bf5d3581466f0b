#!/usr/bin/env bats
# ocirun events and top: what containers use.

load ../helpers

setup()
{
    ocirun_setup
    requires root
    make_bundle
}

end_container() { rt delete --force "$1"; }

@test "events --stats prints one object in the shape that engines parse" {
    args sleep 1000
    cfg '.linux.resources.memory = {limit: 33554432} | .linux.resources.pids = {limit: 20}'
    rt run --detach "$TEST_ID"

    run -0 --separate-stderr rt events --stats "$TEST_ID"

    [[ $stderr == "" ]]
    ((${#lines[@]} == 1))
    jq -e --arg id "$TEST_ID" '.type == "stats" and .id == $id
        and (.data | keys - ["rdma"] == ["blkio", "cpu", "cpuset", "hugetlb", "intel_rdt", "memory", "network_interfaces", "pids"])
        and .data.memory.usage.limit == 33554432 and .data.memory.usage.usage > 0 and .data.pids.current == 1 and .data.pids.limit == 20
        and .data.cpu.usage.total > 0
        and (.data.network_interfaces | map(.Name) == ["lo"]) and .data.network_interfaces[0].RxBytes == 0' <<<"$output"
    end_container "$TEST_ID"
}

@test "without a network namespace of its own no interfaces are counted" {
    args sleep 1000
    cfg '.linux.namespaces |= map(select(.type != "network"))'
    rt run --detach "$TEST_ID"

    rt events --stats "$TEST_ID" | jq -e '.data.network_interfaces == []'

    end_container "$TEST_ID"
}

@test "events prints a sample each interval and ends with the container" {
    args sleep 1000
    rt run --detach "$TEST_ID"
    rt events --interval 200ms "$TEST_ID" >out 3>&- 5>&- &
    events=$!
    three_lines() { (($(wc -l <out) >= 3)); }
    wait_until three_lines

    rt kill "$TEST_ID" KILL

    wait "$events"
    [[ $(jq -r '.type + .id' out | sort -u) == "stats$TEST_ID" ]]
    rt delete "$TEST_ID"
}

@test "being out of memory in a container of 4 MiB is told by events, by the counter and by the exit status" {
    requires plain_build  # the sanitizers' programs need more to start
    args sh -c 'read line; head -c 64m /dev/zero | tail -n 1 >/dev/null; echo $? >/status; sleep 1000'
    own_rootfs
    cfg '.linux.resources.memory = {limit: 4194304, swap: 4194304} | .root.readonly = false'
    mkfifo go
    rt run --detach "$TEST_ID" <go 3>&- 5>&- &
    exec {go}>go
    wait_until has_status "$TEST_ID" running
    rt events --interval 1h "$TEST_ID" >out 3>&- 5>&- &
    events=$!
    wait_until grep -q stats out

    echo >&"$go"

    wait_until grep -qxF "{\"type\":\"oom\",\"id\":\"$TEST_ID\"}" out
    wait_until test -s rootfs/status
    [[ $(<rootfs/status) == 137 ]]
    rt events --stats "$TEST_ID" | jq -e '.data.memory.oom_kill >= 1'
    exec {go}>&-
    rt kill "$TEST_ID" KILL
    wait "$events"
    rt delete "$TEST_ID"
}

@test "a container that is killed because it is out of memory ends events, which says so" {
    requires plain_build  # the sanitizers' programs need more to start
    args sh -c 'exec tail -n 1 /dev/zero'
    cfg '.linux.resources.memory = {limit: 4194304, swap: 4194304}'
    rt create "$TEST_ID"
    rt events --interval 1h "$TEST_ID" >out 3>&- 5>&- &
    events=$!
    wait_until grep -q stats out

    rt start "$TEST_ID"

    wait "$events"
    grep -qxF "{\"type\":\"oom\",\"id\":\"$TEST_ID\"}" out
    rt delete "$TEST_ID"
}

@test "events takes several ids, and --all the containers that there are and those to come" {
    args sleep 1000
    rt run --detach "$TEST_ID.a"
    rt run --detach "$TEST_ID.b"

    [[ $(rt events --stats "$TEST_ID.b" "$TEST_ID.a" | jq -r .id | paste -sd,) == "$TEST_ID.b,$TEST_ID.a" ]]
    [[ $(rt events --stats --all | jq -r .id | paste -sd,) == "$TEST_ID.a,$TEST_ID.b" ]]

    "$OCIRUN" --root "$STATE_ROOT" events --all --interval 1h >out 3>&- 5>&- &
    events=$!
    wait_until grep -qs "$TEST_ID.b" out
    rt run --detach "$TEST_ID.c"
    wait_until grep -q "\"id\":\"$TEST_ID.c\"" out
    for id in a b c; do
        end_container "$TEST_ID.$id"
    done
    rt run --detach "$TEST_ID.a"
    two_of_a() { (($(grep -c "$TEST_ID.a" out) == 2)); }
    wait_until two_of_a
    kill "$events"
    wait "$events" || true
    end_container "$TEST_ID.a"
}

@test "events --all finds containers made while more happened in the state root than the kernel tells" {
    requires python3
    args sleep 1000
    rt run --detach "$TEST_ID.a"
    rt run --detach "$TEST_ID.b"
    "$OCIRUN" --root "$STATE_ROOT" events --all --interval 1h >out 3>&- 5>&- &
    events=$!
    wait_until grep -qs "$TEST_ID.b" out
    feeder=$(pgrep -P "$events")
    kill -STOP "$feeder"
    # Each write is an event, unless it is the same as the last one.
    python3 - "$STATE_ROOT" <<'END'
import os, sys
files = [os.open(os.path.join(sys.argv[1], name), os.O_WRONLY | os.O_CREAT, 0o600) for name in ("x1", "x2")]
for i in range(int(open("/proc/sys/fs/inotify/max_queued_events").read())):
    os.write(files[i % 2], b"x")
END
    rm "$STATE_ROOT/x1" "$STATE_ROOT/x2"
    end_container "$TEST_ID.b"
    rt run --detach "$TEST_ID.b"
    rt run --detach "$TEST_ID.c"

    kill -CONT "$feeder"

    wait_until grep -q "\"id\":\"$TEST_ID.c\"" out
    # It is another one than before.
    (($(grep -c "\"id\":\"$TEST_ID.b\"" out) == 2))
    (($(grep -c "\"id\":\"$TEST_ID.a\"" out) == 1))
    kill "$events"
    wait "$events" || true
    for id in a b c; do
        end_container "$TEST_ID.$id"
    done
}

@test "events does not work, and says why, without an id, with no time between samples, for a container that does not exist and for one that is stopped" {
    run -1 --separate-stderr rt events
    [[ $stderr == *"'events' needs the ID of a container, several, or --all"* ]]
    run -1 --separate-stderr rt events --stats "$TEST_ID"
    [[ $stderr == *"container '$TEST_ID' does not exist"* ]]
    rt run --detach "$TEST_ID"
    wait_until has_status "$TEST_ID" stopped
    run -1 --separate-stderr rt events --stats "$TEST_ID"
    [[ $output == "" && $stderr == *"container not running: '$TEST_ID' is stopped"* ]]
    rt delete "$TEST_ID"
    run -1 --separate-stderr rt events --stats --all "$TEST_ID"
    [[ $stderr == *"--all goes without an ID"* ]]
    for command in "events --all" top; do
        # shellcheck disable=SC2086  # words
        run -1 --separate-stderr rt $command --interval 0
        [[ $stderr == "ocirun: --interval: '0': expected a time such as 5s, 500ms or 1m30s" ]]
    done
}

@test "events of a paused container still works" {
    args sleep 1000
    rt run --detach "$TEST_ID"
    rt pause "$TEST_ID"

    rt events --stats "$TEST_ID" | jq -e '.data.pids.current == 1'

    rt resume "$TEST_ID"
    end_container "$TEST_ID"
}

@test "top shows the containers of the state root by their ids" {
    args sleep 1000
    cfg '.linux.resources.memory = {limit: 33554432}'
    rt run --detach "$TEST_ID.a"
    rt run --detach "$TEST_ID.b"

    run -0 --separate-stderr rt top --batch --count 1 --interval 200ms

    [[ $stderr == "" && ${lines[0]} == NAME* ]]
    [[ ${lines[1]} =~ ^$TEST_ID.a\ .*\ 32M\ +1\  ]]
    [[ ${lines[2]} =~ ^$TEST_ID.b\ .*\ 32M\ +1\  ]]
    run -0 rt top -b -n 1 -d 100ms "$TEST_ID.b"
    [[ ${lines[1]} == "$TEST_ID.b "* && ${#lines[@]} == 2 ]]
    end_container "$TEST_ID.a"
    end_container "$TEST_ID.b"
}
