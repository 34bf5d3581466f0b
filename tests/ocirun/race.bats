#!/usr/bin/env bats
# Everybody does everything with one container at once: nothing hangs, nothing is left.

load ../helpers

@test "create, start, exec, kill, delete, state and list of one id at once: none hangs, and nothing is left" {
    requires root
    make_bundle
    args sleep 1000
    local command pids=()
    again() {
        local end=$((SECONDS + 5)) status
        while ((SECONDS < end)); do
            status=0
            timeout 30 "$OCIRUN" --root "$STATE_ROOT" "$@" </dev/null >/dev/null 2>&1 3>&- || status=$?
            ((status != 124)) || { echo "status $status: $*" >>hung; }
        done
    }
    for command in create create start exec kill delete "delete --force" state list; do
        # shellcheck disable=SC2086  # words of the command
        case $command in
            exec) again exec "$TEST_ID" true & ;;
            kill) again kill "$TEST_ID" KILL & ;;
            list) again list & ;;
            *) again $command "$TEST_ID" & ;;
        esac
        pids+=($!)
    done
    wait "${pids[@]}"

    [[ ! -e hung ]] || { cat hung; false; }
    rt delete --force "$TEST_ID"
    [[ $(ls -A "$STATE_ROOT") == "" && $(ls -d .ocirun-* 2>/dev/null) == "" ]]
    rt create "$TEST_ID"
    has_status "$TEST_ID" created
    rt delete "$TEST_ID"
}

@test "run that comes to its end late leaves alone the container that has its id by now" {
    requires root
    make_bundle
    args sleep 1000
    "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null >out 2>&1 3>&- &
    local first=$!
    wait_until has_status "$TEST_ID" running
    kill -STOP "$first"
    rt delete --force "$TEST_ID"
    rt create "$TEST_ID"

    kill -CONT "$first"
    wait "$first" || true

    has_status "$TEST_ID" created
    rt delete "$TEST_ID"
}

@test "delete --force that has waited for the end of a creation runs the poststop hooks" {
    requires root
    make_bundle
    args sleep 1000
    cfg --arg file "$PWD/poststop" '.hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", "echo ran >>" + $file]}]'
    # Stopped before there is a plan.
    "$OCIRUN" --root "$STATE_ROOT" --test-step ocirun:2:19 create "$TEST_ID" </dev/null >out 2>&1 3>&- &
    local maker=$!
    wait_until has_status "$TEST_ID" creating
    timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID" </dev/null >deleted 2>&1 3>&- &
    local deleter=$!
    sleep 0.5

    kill -CONT "$maker"
    wait "$maker" || true
    wait "$deleter"

    [[ $(cat poststop) == ran ]]
    [[ $(ls -A "$STATE_ROOT") == "" ]]
}
