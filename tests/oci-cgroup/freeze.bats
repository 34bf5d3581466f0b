#!/usr/bin/env bats
# oci-cgroup freeze, thaw, ps.

load ../helpers
load cgroups

# counting PATH: a process in that cgroup that counts in ./count. Sets PID.
counting()
{
    oci-cgroup join "$1" -- sh -c 'while :; do echo x; sleep 0.02; done' >count 3>&- &
    PID=$!
    wait_until test -s count
}

@test "freeze suspends who is in the cgroup and below it, thaw lets them go on" {
    oci-cgroup create "$BOX" >/dev/null
    oci-cgroup create "$BOX/below" >/dev/null
    counting "$BOX/below"

    run -0 oci-cgroup freeze "$BOX"

    [[ $output == "" ]]
    stands_still count
    run -0 oci-cgroup freeze "$BOX"
    run -0 oci-cgroup thaw "$BOX"
    [[ $output == "" ]]
    goes_on count
    oci-cgroup delete --kill "$BOX"
    wait "$PID" || true
}

@test "freeze refuses to be in the cgroup itself" {
    oci-cgroup create "$BOX" >/dev/null

    run -1 oci-cgroup join "$BOX" -- oci-cgroup freeze "$BOX"

    [[ $output == "oci-cgroup: cannot freeze cgroup '$BOX': this process is in it" ]]
    oci-cgroup delete "$BOX"
}

@test "ps prints the processes of the cgroup and of those below it" {
    oci-cgroup create "$BOX" >/dev/null
    # On v2 nobody can be in a cgroup that hands controllers on.
    oci-cgroup create "$BOX/below" >/dev/null
    oci-cgroup create "$BOX/below/deep" >/dev/null
    oci-cgroup create "$BOX/beside" >/dev/null
    [[ $(oci-cgroup ps "$BOX") == "" && $(oci-cgroup ps --json "$BOX") == "[]" ]]
    start_in "$BOX/below/deep"
    one=$PID
    start_in "$BOX/beside"

    [[ $(oci-cgroup ps "$BOX") == "$(printf '%s\n' "$one" "$PID" | sort -n)" ]]
    [[ $(oci-cgroup ps --json "$BOX") == "$(printf '%s\n' "$one" "$PID" | jq -cs sort)" ]]
    [[ $(oci-cgroup ps "$BOX/beside") == "$PID" ]]
    end "$one"
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "freeze, thaw and ps of a cgroup that does not exist, and wrong usage" {
    for verb in freeze thaw ps; do
        run -1 oci-cgroup "$verb" "$BOX"
        [[ $output == "oci-cgroup: cgroup '$BOX' does not exist in any hierarchy"* ]]
        run -1 oci-cgroup "$verb" "/../$TEST_ID"
        run -2 oci-cgroup "$verb"
    done
}
