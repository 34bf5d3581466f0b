#!/usr/bin/env bats
# create, start, state, kill, delete: the life of a container step by step.

load ../helpers

@test "create makes a container that waits, start runs its program, delete removes all of it" {
    requires root
    make_bundle
    args sh -c 'echo ran >/tmp/it; exec sleep 100'
    cfg '.root.readonly = false'

    rt create "$TEST_ID"
    has_status "$TEST_ID" created
    [[ ! -e rootfs/tmp/it ]]
    rt start "$TEST_ID"
    wait_until test -e rootfs/tmp/it
    has_status "$TEST_ID" running
    rt kill "$TEST_ID" KILL
    wait_until has_status "$TEST_ID" stopped
    rt delete "$TEST_ID"

    run -1 rt state "$TEST_ID"
    [[ $output == *"container '$TEST_ID' does not exist"* ]]
    [[ ! -e .ocirun-$TEST_ID ]]
}

@test "state tells id, pid, status, bundle, rootfs, created, owner and annotations as the spec writes them" {
    requires root
    make_bundle
    args sleep 100
    cfg '.annotations = {"org.example.a": "1", "tab": "a\tb\nc"}'
    rt create --pid-file pid "$TEST_ID"

    run -0 --separate-stderr rt state "$TEST_ID"

    [[ $stderr == "" ]]
    jq -e --arg id "$TEST_ID" --arg bundle "$PWD" --argjson pid "$(cat pid)" '
        .ociVersion == "1.3.0" and .id == $id and .status == "created" and .pid == $pid and .bundle == $bundle
        and .rootfs == $bundle + "/rootfs" and .owner == "root" and .annotations == {"org.example.a": "1", "tab": "a\tb\nc"}
        and (.created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{9}Z$"))' <<<"$output"
    rt delete --force "$TEST_ID"
}

@test "the pid file holds the first process, complete and without a temporary file beside it" {
    requires root
    make_bundle
    args sleep 100
    mkdir pids

    rt create --pid-file pids/init.pid "$TEST_ID"

    [[ $(ls -A pids) == init.pid ]]
    [[ $(cat pids/init.pid) == "$(first_process "$TEST_ID")" ]]
    is_running "$(cat pids/init.pid)"
    rt delete --force "$TEST_ID"
}

@test "a link as pid file is refused, its target stays, and nothing of the container is left" {
    requires root
    make_bundle
    echo untouched >victim
    ln -s victim pid

    run -1 rt create --pid-file pid "$TEST_ID"

    [[ $output == *"the pid file 'pid' exists and is not a regular file" ]]
    [[ $(cat victim) == untouched ]]
}

@test "start refuses what is not created" {
    requires root
    make_bundle
    args sleep 100
    run -1 rt start "$TEST_ID"
    [[ $output == *"does not exist" ]]
    rt run --detach "$TEST_ID"

    run -1 rt start "$TEST_ID"

    [[ $output == *"cannot start container '$TEST_ID' in the state 'running'"* ]]
    has_status "$TEST_ID" running
    rt delete --force "$TEST_ID"
}

@test "of many starts at once exactly one succeeds" {
    requires root
    make_bundle
    args sh -c 'echo x >>/tmp/count; exec sleep 100'
    cfg '.root.readonly = false'
    rt create "$TEST_ID"

    starts=()
    for i in 1 2 3 4 5; do
        (rt start "$TEST_ID" 2>/dev/null && echo ok >"ok.$i") 3>&- &
        starts+=($!)
    done
    for start in "${starts[@]}"; do wait "$start" || true; done

    wait_until test -s rootfs/tmp/count
    [[ $(ls ok.* | wc -l) == 1 ]]
    [[ $(wc -l <rootfs/tmp/count) == 1 ]]
    rt delete --force "$TEST_ID"
}

@test "start does not hang and says so when the first process is dead" {
    requires root
    make_bundle
    rt create --pid-file pid "$TEST_ID"
    kill -KILL "$(cat pid)"
    wait_until has_status "$TEST_ID" stopped

    run -1 timeout 10 "$OCIRUN" --root "$STATE_ROOT" start "$TEST_ID"

    [[ $output == *"cannot start container '$TEST_ID' in the state 'stopped'"* ]]
    rt delete "$TEST_ID"
}

@test "when start says that the program cannot be executed, the container is stopped and can be deleted" {
    requires root
    make_bundle
    args /script
    printf '#!/bin/nosuch\n' >rootfs/script
    chmod +x rootfs/script
    # The first process of a pid namespace has ended when all others in there have: it takes its time.
    cfg '.hooks.startContainer = [{"path": "/bin/sh", "args": ["sh", "-c", "for i in $(seq 50); do sleep 1000 >/dev/null 2>&1 & done"]}]'
    for _ in {1..20}; do
        rt create "$TEST_ID"

        # By themselves: what `run` does in between would be time to end.
        if rt start "$TEST_ID" 2>err; then false; fi
        rt state "$TEST_ID" >state
        rt delete "$TEST_ID"

        [[ $(cat err) == "ocirun: start failed: unable to start container process: oci-init: exec /script: no such file or directory"* ]] || { cat err; false; }
        [[ $(jq -r .status state) == stopped ]]
    done
}

@test "delete refuses a running container and leaves it running" {
    requires root
    make_bundle
    args sleep 100
    rt run --detach "$TEST_ID"

    run -1 rt delete "$TEST_ID"

    [[ $output == *"cannot delete container '$TEST_ID' that is not stopped: running"* ]]
    has_status "$TEST_ID" running
    rt delete --force "$TEST_ID"
}

@test "delete removes a created container" {
    requires root
    make_bundle
    rt create --pid-file pid "$TEST_ID"

    rt delete "$TEST_ID"

    refute is_running "$(cat pid)"
}

@test "delete --force kills, and accepts a container that never was" {
    requires root
    make_bundle
    args sh -c 'trap "" TERM INT; while :; do sleep 1; done'
    rt run --detach --pid-file pid "$TEST_ID"

    rt delete --force "$TEST_ID"

    refute is_running "$(cat pid)"
    run -0 rt delete --force "$TEST_ID"
    [[ $output == "" ]]
    run -0 rt delete --force "never-$TEST_ID"
    run -1 rt delete "$TEST_ID"
    [[ $output == *"does not exist" ]]
}

@test "delete --force works when the bundle is gone" {
    requires root
    make_bundle
    args sleep 100
    rt run --detach --pid-file ../pid "$TEST_ID"
    cd ..
    rm -rf "$BUNDLE"

    rt delete --force "$TEST_ID"

    refute is_running "$(cat pid)"
    [[ $(ls "$STATE_ROOT") == "" ]]
}

@test "an id in use is refused and its container lives on" {
    requires root
    make_bundle
    args sleep 100
    rt run --detach "$TEST_ID"

    run -1 rt create "$TEST_ID"

    [[ $output == *"container with given ID already exists: '$TEST_ID'" ]]
    has_status "$TEST_ID" running
    rt delete --force "$TEST_ID"
}

@test "an id that could be a path or an option is refused" {
    requires root
    make_bundle
    for id in ../x a/b .hidden "a b" '' "$(printf 'x%.0s' {1..300})"; do
        run -1 rt create "$id"
        [[ $output == *"invalid container id"* ]]
    done
}

@test "the same id can be used again at once after delete" {
    requires root
    make_bundle
    for i in 1 2 3; do
        rt create "$TEST_ID"
        rt start "$TEST_ID"
        wait_until has_status "$TEST_ID" stopped
        rt delete "$TEST_ID"
    done
}

@test "the state lives beside the bundle, readable fact by fact, and nobody else may enter it" {
    requires root
    make_bundle
    args sleep 100
    rt create --pid-file pid "$TEST_ID"

    local state=.ocirun-$TEST_ID
    [[ $(sed -n 's/^process\t\([0-9]*\).*/\1/p' "$STATE_ROOT/$TEST_ID") == "$(cat pid)" ]]
    [[ $(sed -n 's/^bundle\t//p' "$STATE_ROOT/$TEST_ID") == "$PWD" ]]
    [[ $(head -1 "$state/plan") == "plan 1" ]]
    [[ -S $state/start ]]
    jq -e --argjson pid "$(cat pid)" '.init_process_pid == $pid' "$state/state.json"
    [[ $(stat -c %a "$state") == 700 && $(stat -c %a "$STATE_ROOT/$TEST_ID") == 600 ]]
    [[ $(sed -n 's/^directory\t//p' "$STATE_ROOT/$TEST_ID") == "$PWD/$state" ]]
    rt delete --force "$TEST_ID"
}

@test "a bundle that others can write, or that the container sees, does not hold the state" {
    requires root
    make_bundle
    args sleep 100
    chmod 777 .
    rt create "$TEST_ID"
    [[ ! -e .ocirun-$TEST_ID && -e $STATE_ROOT/.state-$TEST_ID/plan ]]
    rt delete --force "$TEST_ID"

    chmod 755 .
    cfg --arg dir "$PWD" '.mounts += [{"destination": "/seen", "type": "bind", "source": $dir, "options": ["rbind"]}]'
    rt create "$TEST_ID"
    [[ ! -e .ocirun-$TEST_ID && -e $STATE_ROOT/.state-$TEST_ID/plan ]]
    rt state "$TEST_ID" | jq -e '.status == "created"'
    rt delete --force "$TEST_ID"
}

@test "a state root that is a link or belongs to somebody else is refused" {
    requires root
    make_bundle
    mkdir real other
    ln -s real link
    run -1 "$OCIRUN" --root "$PWD/link" create "$TEST_ID"
    [[ $output == *"cannot open the state root"* ]]
    chown 1000 other
    run -1 "$OCIRUN" --root "$PWD/other" create "$TEST_ID"
    [[ $output == *"must belong to uid 0 and be writable by nobody else" ]]
}

@test "state from another boot counts as stopped and is deleted without touching any process" {
    requires root
    make_bundle
    rt create "$TEST_ID"
    rt start "$TEST_ID"
    wait_until has_status "$TEST_ID" stopped
    sleep 100 &
    local other=$!
    local start
    start=$(sed 's/.*) //' "/proc/$other/stat" | cut -d ' ' -f 20)
    # Another boot, and a process that has the recorded number and start time by chance.
    printf 'boot\t%s\nprocess\t%s\t%s\n' 00000000-0000-0000-0000-000000000000 "$other" "$start" >journal.new
    grep ^directory "$STATE_ROOT/$TEST_ID" >>journal.new
    cp "$STATE_ROOT/$TEST_ID" saved
    cat journal.new >"$STATE_ROOT/$TEST_ID"

    has_status "$TEST_ID" stopped
    rt list | grep -F "stopped (stale: other boot)"
    rt delete --force "$TEST_ID"

    is_running "$other"
    kill "$other"
    # The cgroup of the true journal, which the forged one did not know.
    sed -n 's/^cgroup\t//p' saved | while read -r directory; do rmdir "$directory"; done
}

@test "a state that names another process by its number alone is not believed" {
    requires root
    make_bundle
    rt create "$TEST_ID"
    rt start "$TEST_ID"
    wait_until has_status "$TEST_ID" stopped
    sleep 100 &
    local other=$!
    printf 'process\t%s\t1\n' "$other" >>"$STATE_ROOT/$TEST_ID"

    has_status "$TEST_ID" stopped
    run -255 rt exec "$TEST_ID" true
    [[ $output == *"cannot exec in a stopped container"* ]]
    run -1 rt kill "$TEST_ID" KILL
    rt delete --force "$TEST_ID"

    is_running "$other"
    kill "$other"
}
