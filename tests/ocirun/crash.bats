#!/usr/bin/env bats
# SIGKILL at every step: whatever dies half-way, `delete --force` leaves nothing, and the error tells the step.
# SIGSTOP at every step: whoever waits for a stage that hangs can be ended.

load ../helpers

BATS_TEST_TIMEOUT=$((BATS_TEST_TIMEOUT * 3))

# kill_at PROGRAM N COMMAND...: COMMAND, in which PROGRAM is killed at its step N. Sets KILLED, to nothing when COMMAND succeeded, as
# PROGRAM has fewer steps. Fails when COMMAND failed of something else.
kill_at()
{
    local status=0
    KILLED=
    timeout 30 "$OCIRUN" --root "$STATE_ROOT" --test-step "$1:$2:9" "${@:3}" >out 2>err </dev/null || status=$?
    ((status != 0)) || return 0
    KILLED=yes
    if [[ $1 == ocirun || ("$1 $3" == "oci-init exec" && $2 -gt 1) ]]; then
        # Behind `created` a process of exec stands for its program.
        ((status != 128 + 9)) || return 0
    else
        # The first process of a pid namespace cannot kill itself by SIGKILL; it dies of a trap instead.
        ! grep -qE "(oci-(ns|init) was killed by signal 4 \(Illegal instruction\)|$1 was killed by signal 9 \(Killed\)); its last step was: .+" err || return 0
    fi
    echo "step $2 of $1: status $status, but it was not killed: $(cat err)"
    return 1
}

# every_step PROGRAM LEAST COMMAND...: kills at step 1, 2, … until COMMAND gets through; LEAST is how many it must have been.
every_step()
{
    local program=$1 least=$2 n
    shift 2
    for ((n = 1; n < 200; n++)); do
        kill_at "$program" "$n" "$@"
        [[ $KILLED ]] || break
        timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"
        wait_until nothing_is_left
    done
    ((n > least && n < 200)) || { echo "$program was killed at $((n - 1)) steps, not at $least"; return 1; }
    timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"
    wait_until nothing_is_left
}

@test "create: ocirun is killed at every step" {
    requires root
    make_bundle
    cfg --arg path "/$TEST_ID/inner" '.linux.cgroupsPath = $path'
    every_step ocirun 5 create "$TEST_ID"
}

@test "create: oci-spec is killed at every step" {
    requires root
    make_bundle
    every_step oci-spec 2 create "$TEST_ID"
}

@test "create: oci-cgroup is killed at every step" {
    requires root
    make_bundle
    cfg --arg path "/$TEST_ID/inner" '.linux.cgroupsPath = $path'
    every_step oci-cgroup 2 create "$TEST_ID"
}

@test "create: with systemd, its stage is killed at every step" {
    requires root systemd
    make_bundle
    every_step oci-cgroup-systemd 3 --systemd-cgroup create "$TEST_ID"
}

@test "create: with systemd, oci-cgroup is killed at every step" {
    requires root systemd
    make_bundle
    every_step oci-cgroup 1 --systemd-cgroup create "$TEST_ID"
}

@test "create: with systemd, ocirun is killed at every step" {
    requires root systemd
    make_bundle
    every_step ocirun 5 --systemd-cgroup create "$TEST_ID"
}

@test "delete: with systemd, its stage is killed at every step, and yet nothing is left: a scope without processes ends by itself" {
    requires root systemd
    make_bundle
    args sleep 100
    local n
    for n in 1 2; do
        rt --systemd-cgroup run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
        timeout 30 "$OCIRUN" --root "$STATE_ROOT" --test-step "oci-cgroup-systemd:$n:9" delete --force "$TEST_ID" || rt delete --force "$TEST_ID"
        wait_until nothing_is_left
    done
}

@test "create: oci-ns is killed at every step" {
    requires root
    make_bundle
    every_step oci-ns 2 create "$TEST_ID"
}

@test "create: oci-init is killed at every step" {
    requires root
    make_bundle
    every_step oci-init 20 create "$TEST_ID"
}

@test "create: oci-seccomp is killed at every step" {
    requires root
    make_bundle
    cfg '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["kexec_load"], "action": "SCMP_ACT_ERRNO"}]}'
    every_step oci-seccomp 1 create "$TEST_ID"
}

@test "start: oci-init is killed at every step behind start" {
    requires root
    make_bundle
    args sleep 100
    local n before
    # Steps up to `created` are those of create; the ones behind it happen in start.
    for ((n = 1; n < 200; n++)); do
        kill_at oci-init "$n" create "$TEST_ID"
        rt delete --force "$TEST_ID"
        [[ $KILLED ]] || break
    done
    before=$n
    for ((; n < before + 30; n++)); do
        kill_at oci-init "$n" create "$TEST_ID"
        [[ ! $KILLED ]]
        timeout 10 "$OCIRUN" --root "$STATE_ROOT" start "$TEST_ID" >out 2>err || true
        # A process that has closed all its files may be on its way out for a moment still.
        local status=running try
        for ((try = 0; try < 20; try++)); do
            ! has_status "$TEST_ID" stopped || { status=stopped; break; }
            sleep 0.05
        done
        rt delete --force "$TEST_ID"
        wait_until nothing_is_left
        [[ $status == stopped ]] || break
    done
    ((n > before))
    [[ $status == running ]]
}

@test "start: ocirun is killed when the program runs and the start socket is still there: the container is running" {
    requires root
    make_bundle
    args sleep 100
    rt create "$TEST_ID" </dev/null >/dev/null 2>&1
    # Whoever asks leaves it as it is, however often.
    for i in {1..20}; do has_status "$TEST_ID" created; done

    kill_at ocirun 1 start "$TEST_ID"
    [[ $KILLED ]]

    [[ -S $BUNDLE/.ocirun-$TEST_ID/start ]]
    has_status "$TEST_ID" running
    run -1 rt delete "$TEST_ID"
    run -1 rt start "$TEST_ID"
    [[ $output == "ocirun: cannot start container '$TEST_ID' in the state 'running'; 'start' needs it created" ]]
    rt exec "$TEST_ID" true
    rt kill "$TEST_ID" KILL
    wait_until has_status "$TEST_ID" stopped
    rt delete "$TEST_ID"
    nothing_is_left
}

@test "start: a container whose first process is stopped counts as created, however often somebody asks" {
    requires root
    make_bundle
    rt create --pid-file pid "$TEST_ID" </dev/null >/dev/null 2>&1
    kill -STOP "$(cat pid)"
    for i in {1..30}; do has_status "$TEST_ID" created; done
    kill -CONT "$(cat pid)"
    rt start "$TEST_ID"
    wait_until has_status "$TEST_ID" stopped
    rt delete "$TEST_ID"
}

@test "delete: ocirun is killed at every step, and the next delete finishes" {
    requires root
    make_bundle
    args sleep 100
    local n
    for ((n = 1; n < 100; n++)); do
        rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
        kill_at ocirun "$n" delete --force "$TEST_ID"
        [[ $KILLED ]] || break
        timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"
        wait_until nothing_is_left
    done
    ((n > 3 && n < 100))
    nothing_is_left
}

@test "run: ocirun is killed at every step" {
    requires root
    make_bundle
    every_step ocirun 5 run "$TEST_ID"
}

@test "exec: a stage that is killed at any step leaves the container running and no process" {
    requires root
    make_bundle
    args sleep 100
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    local program n
    for program in oci-ns oci-init; do
        for ((n = 1; n < 100; n++)); do
            kill_at "$program" "$n" exec "$TEST_ID" true
            [[ $KILLED ]] || break
            has_status "$TEST_ID" running
        done
        ((n > 1 && n < 100))
    done
    [[ $(rt exec "$TEST_ID" sh -c 'ls -d /proc/[0-9]*' | wc -l) -le 4 ]]
    rt delete --force "$TEST_ID"
}

# Sets HUNG to the child of ocirun that is stopped. Fails while there is none; passes with an empty one when ocirun has ended.
find_hung()
{
    local child children=
    HUNG=
    is_running "$1" || return 0
    read -r children <"/proc/$1/task/$1/children" || true
    for child in $children; do
        if [[ $(sed 's/.*) //' "/proc/$child/stat") == T* ]]; then
            HUNG=$child
            return 0
        fi
    done
    return 1
} 2>/dev/null

# interrupt_at_every_step PROGRAM COMMAND...: stops PROGRAM at step 1, 2, … and ends COMMAND by SIGTERM or SIGINT, until it gets
# through. Sets STEPS.
interrupt_at_every_step()
{
    local program=$1 n signal=TERM conductor status
    shift
    for ((n = 1; n < 200; n++)); do
        "$OCIRUN" --root "$STATE_ROOT" --test-step "$program:$n:19" "$@" >out 2>err 3>&- </dev/null &
        conductor=$!
        wait_until find_hung "$conductor"
        [[ $HUNG ]] || break
        kill "-$signal" "$conductor"
        wait_until refute is_running "$conductor" 2>/dev/null
        status=0
        wait "$conductor" || status=$?
        ((status == ${EXPECTED:-1})) && grep -qE "interrupted by signal (15 \(Terminated\)|2 \(Interrupt\))$" err || { echo "step $n of $program, status $status:"; cat err; return 1; }
        refute is_running "$HUNG"
        [[ ${EXPECTED:-1} != 1 ]] || nothing_is_left
        [[ $signal == TERM ]] && signal=INT || signal=TERM
    done
    status=0
    wait "$conductor" || status=$?
    ((status == 0)) || { cat err; return 1; }
    STEPS=$((n - 1))
}

@test "run: a stage that hangs at any step does not keep SIGTERM and SIGINT from ending all" {
    requires root
    make_bundle
    BATS_TEST_TIMEOUT=300
    # In a pid namespace the first process cannot stop itself.
    cfg --arg path "/$TEST_ID/inner" '.linux.cgroupsPath = $path | .linux.namespaces |= map(select(.type != "pid"))'
    interrupt_at_every_step oci-cgroup run "$TEST_ID"
    ((STEPS >= 2))
    interrupt_at_every_step oci-ns run "$TEST_ID"
    ((STEPS >= 2))
    # The last ones are behind `start`.
    interrupt_at_every_step oci-init run "$TEST_ID"
    ((STEPS >= 20))
}

@test "exec: a stage that hangs at any step does not keep SIGTERM and SIGINT from ending it, and the container goes on" {
    requires root
    make_bundle
    args sleep 100
    cfg '.linux.namespaces |= map(select(.type != "pid"))'
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    EXPECTED=255
    interrupt_at_every_step oci-ns exec "$TEST_ID" true
    ((STEPS >= 1))
    interrupt_at_every_step oci-init exec "$TEST_ID" true
    ((STEPS >= 1))
    has_status "$TEST_ID" running
    rt delete --force "$TEST_ID"
}

@test "run: a stage that hangs from the beginning, before it reads a plan larger than a pipe, does not keep SIGTERM from ending all" {
    requires root
    make_bundle
    cfg '.annotations = {"x": ("y" * 300000)}
        | .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["kexec_load"], "action": "SCMP_ACT_ERRNO"}]}'
    local program
    mkdir programs
    cp "$OCIRUN_BUILD"/oci* programs/
    for program in oci-spec oci-cgroup oci-seccomp oci-ns; do
        printf '#!/bin/sh\nkill -STOP $$\n' >"programs/$program"
        programs/ocirun --root "$STATE_ROOT" run "$TEST_ID" >out 2>err 3>&- </dev/null &
        conductor=$!
        wait_until find_hung "$conductor"
        kill -TERM "$conductor"
        wait_until refute is_running "$conductor" 2>/dev/null
        status=0
        wait "$conductor" || status=$?
        ((status == 1))
        grep -qF "interrupted by signal 15 (Terminated)" err
        nothing_is_left
        cp "$OCIRUN_BUILD/$program" programs/
    done
}

@test "a stage that dies before its first step, or leaves no process behind, is named" {
    requires root
    make_bundle
    cfg '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["kexec_load"], "action": "SCMP_ACT_ERRNO"}]}'
    local program
    mkdir programs
    cp "$OCIRUN_BUILD"/oci* programs/
    # Before anything has put the filter into the cache.
    for program in oci-spec oci-seccomp oci-cgroup oci-ns; do
        printf '#!/bin/sh\nkill -KILL $$\n' >"programs/$program"
        run -1 programs/ocirun --root "$STATE_ROOT" run "$TEST_ID" </dev/null
        [[ $output == "ocirun: run failed: "*"$program was killed by signal 9 (Killed) before its first step" ]]
        nothing_is_left
        cp "$OCIRUN_BUILD/$program" programs/
    done

    printf '#!/bin/sh\n' >programs/oci-ns
    run -1 programs/ocirun --root "$STATE_ROOT" run "$TEST_ID" </dev/null
    [[ $output == "ocirun: run failed: the process that oci-ns started in the container ended before it was ready"* ]]
    nothing_is_left
}

@test "where the caller ignores the end of its children, a container is made as elsewhere" {
    requires root
    make_bundle
    args sh -c 'exit 3'
    run -3 timeout 20 env --ignore-signal=CHLD "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID"
}

# The stopped oci-cgroup of this test's container.
find_creator() { CREATOR=$(grep -lsF -- "--name=$TEST_ID" /proc/[0-9]*/cmdline | head -n 1 | cut -d / -f 3) && [[ $(sed 's/.*) //' "/proc/$CREATOR/stat") == T* ]]; } 2>/dev/null

# Makes the cgroup that oci-cgroup is about to make, with a process in it. Sets CONDUCTOR, the ocirun; CREATOR, its oci-cgroup, which is
# stopped; THEIRS, the cgroup's directory; SLEEPER, who is in it.
meet_somebody()
{
    cfg --arg path "/$TEST_ID" '.linux.cgroupsPath = $path'
    rt --test-step oci-cgroup:2:19 create "$TEST_ID" >out 2>err 3>&- </dev/null &
    CONDUCTOR=$!
    wait_until find_creator
    THEIRS=$(sed -n '/^cgroup\t/{s///p;q}' "$STATE_ROOT/$TEST_ID")
    mkdir "$THEIRS"
    sleep 1000 3>&- &
    SLEEPER=$!
    echo "$SLEEPER" >"$THEIRS/cgroup.procs"
}

# They are still there; then they go.
somebody_stayed()
{
    is_running "$SLEEPER"
    grep -q "/$TEST_ID\$" "/proc/$SLEEPER/cgroup"
    kill -KILL "$SLEEPER"
    wait "$SLEEPER" || true
    wait_until rmdir "$THEIRS"
    wait_until nothing_is_left
}

@test "a cgroup that somebody makes at the same moment, and who is in it, stay when the creation fails" {
    requires root
    make_bundle
    meet_somebody

    kill -CONT "$CREATOR"
    status=0
    wait "$CONDUCTOR" || status=$?
    timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"

    ((status == 1))
    grep -qF "was made by somebody else at the same time" err
    somebody_stayed
}

@test "killed before it knows that its cgroup is in place, ocirun ends nobody in it" {
    requires root
    make_bundle
    meet_somebody

    kill -KILL "$CREATOR" "$CONDUCTOR"
    wait "$CONDUCTOR" || true
    timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"

    somebody_stayed
}
