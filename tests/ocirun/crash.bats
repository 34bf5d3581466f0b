#!/usr/bin/env bats
# SIGKILL at every step: whatever dies half-way, `delete --force` leaves nothing, and the error tells the step.

load ../helpers

# Kills PROGRAM at its step N while COMMAND runs. Fails when the step was never reached.
kill_at() { timeout 30 "$OCIRUN" --root "$STATE_ROOT" --test-step "$1:$2:9" "${@:3}" >out 2>err </dev/null; }

# Everything of this test's containers: processes, cgroups, mounts, state.
nothing_is_left()
{
    [[ $(ls -A "$STATE_ROOT" 2>/dev/null | grep -v '^\.seccomp$') == "" ]] || { ls -laR "$STATE_ROOT"; return 1; }
    [[ ! -e $BUNDLE/.ocirun-$TEST_ID ]] || { ls -laR "$BUNDLE/.ocirun-$TEST_ID"; return 1; }
    [[ $(find /sys/fs/cgroup -name "*$TEST_ID*" 2>/dev/null) == "" ]] || { find /sys/fs/cgroup -name "*$TEST_ID*"; return 1; }
    ! compgen -G "/run/systemd/transient/*$TEST_ID*" || return 1
    ! grep -qF "$BUNDLE" /proc/self/mountinfo
}

# every_step PROGRAM COMMAND...: kills at step 1, 2, … until COMMAND gets through. Sets STEPS.
every_step()
{
    local program=$1 n status
    shift
    for ((n = 1; n < 200; n++)); do
        status=0
        kill_at "$program" "$n" "$@" || status=$?
        if ((status == 0)); then
            break
        fi
        if [[ $program != ocirun ]]; then
            # The first process of a pid namespace cannot kill itself by SIGKILL; it dies of a trap instead.
            grep -qE "(oci-(ns|init) was killed by signal 4 \(Illegal instruction\)|$program was killed by signal 9 \(Killed\)); its last step was: .+" err || { echo "step $n of $program:"; cat err; return 1; }
        fi
        timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"
        wait_until nothing_is_left
    done
    STEPS=$((n - 1))
    timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"
    wait_until nothing_is_left
}

@test "create: ocirun is killed at every step" {
    requires root
    make_bundle
    cfg --arg path "/$TEST_ID/inner" '.linux.cgroupsPath = $path'
    BATS_TEST_TIMEOUT=300
    every_step ocirun create "$TEST_ID"
    ((STEPS >= 5))
}

@test "create: oci-spec is killed at every step" {
    requires root
    make_bundle
    every_step oci-spec create "$TEST_ID"
}

@test "create: oci-cgroup is killed at every step" {
    requires root
    make_bundle
    cfg --arg path "/$TEST_ID/inner" '.linux.cgroupsPath = $path'
    every_step oci-cgroup create "$TEST_ID"
    ((STEPS >= 2))
}

@test "create: with systemd, its stage is killed at every step" {
    requires root systemd
    make_bundle
    every_step oci-cgroup-systemd --systemd-cgroup create "$TEST_ID"
    ((STEPS >= 3))
}

@test "create: with systemd, oci-cgroup is killed at every step" {
    requires root systemd
    make_bundle
    every_step oci-cgroup --systemd-cgroup create "$TEST_ID"
}

@test "create: with systemd, ocirun is killed at every step" {
    requires root systemd
    make_bundle
    BATS_TEST_TIMEOUT=600
    every_step ocirun --systemd-cgroup create "$TEST_ID"
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
    every_step oci-ns create "$TEST_ID"
    ((STEPS >= 2))
}

@test "create: oci-init is killed at every step" {
    requires root
    make_bundle
    every_step oci-init create "$TEST_ID"
    ((STEPS >= 20))
}

@test "create: oci-seccomp is killed at every step" {
    requires root
    make_bundle
    cfg '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["kexec_load"], "action": "SCMP_ACT_ERRNO"}]}'
    every_step oci-seccomp create "$TEST_ID"
}

@test "start: oci-init is killed at every step behind start" {
    requires root
    make_bundle
    args sleep 100
    local n before
    # Steps up to `created` are those of create; the ones behind it happen in start.
    for ((n = 1; n < 200; n++)); do
        if kill_at oci-init "$n" create "$TEST_ID"; then
            before=$n
            break
        fi
        rt delete --force "$TEST_ID"
    done
    rt delete --force "$TEST_ID"
    for ((n = before; n < before + 30; n++)); do
        kill_at oci-init "$n" create "$TEST_ID"
        timeout 10 "$OCIRUN" --root "$STATE_ROOT" start "$TEST_ID" >out 2>err || true
        local status
        status=$(container_status "$TEST_ID")
        rt delete --force "$TEST_ID"
        wait_until nothing_is_left
        [[ $status == stopped ]] || break
    done
    ((n > before))
    [[ $status == running ]]
}

@test "delete: ocirun is killed at every step, and the next delete finishes" {
    requires root
    make_bundle
    args sleep 100
    local n status
    for ((n = 1; n < 100; n++)); do
        rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
        status=0
        kill_at ocirun "$n" delete --force "$TEST_ID" || status=$?
        ((status != 0)) || break
        timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"
        wait_until nothing_is_left
    done
    ((n > 3 && n < 100))
    nothing_is_left
}

@test "run: ocirun is killed at every step" {
    requires root
    make_bundle
    every_step ocirun run "$TEST_ID"
    ((STEPS >= 5))
}

@test "exec: a stage that is killed at any step leaves the container running and no process" {
    requires root
    make_bundle
    args sleep 100
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    local program n
    for program in oci-ns oci-init; do
        for ((n = 1; n < 100; n++)); do
            if kill_at "$program" "$n" exec "$TEST_ID" true; then break; fi
            has_status "$TEST_ID" running
        done
        ((n > 1 && n < 100))
    done
    [[ $(rt exec "$TEST_ID" sh -c 'ls -d /proc/[0-9]*' | wc -l) -le 4 ]]
    rt delete --force "$TEST_ID"
}

# The stopped oci-cgroup of this test's container.
find_creator() { CREATOR=$(grep -lsF -- "--name=$TEST_ID" /proc/[0-9]*/cmdline | head -n 1 | cut -d / -f 3) && [[ $(sed 's/.*) //' "/proc/$CREATOR/stat") == T* ]]; } 2>/dev/null

@test "a cgroup that somebody makes at the same moment, and who is in it, stay when the creation fails" {
    requires root
    make_bundle
    cfg --arg path "/$TEST_ID" '.linux.cgroupsPath = $path'
    rt --test-step oci-cgroup:2:19 create "$TEST_ID" >out 2>err 3>&- </dev/null &
    conductor=$!
    wait_until find_creator
    theirs=$(sed -n '/^cgroup\t/{s///p;q}' "$STATE_ROOT/$TEST_ID")
    mkdir "$theirs"
    sleep 1000 3>&- &
    sleeper=$!
    echo "$sleeper" >"$theirs/cgroup.procs"

    kill -CONT "$CREATOR"
    status=0
    wait "$conductor" || status=$?
    timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"

    ((status == 1))
    grep -qF "was made by somebody else at the same time" err
    is_running "$sleeper"
    grep -q "/$TEST_ID\$" "/proc/$sleeper/cgroup"
    kill -KILL "$sleeper"
    wait "$sleeper" || true
    wait_until rmdir "$theirs"
    nothing_is_left
}

@test "killed before it knows that its cgroup is in place, ocirun ends nobody in it" {
    requires root
    make_bundle
    cfg --arg path "/$TEST_ID" '.linux.cgroupsPath = $path'
    rt --test-step oci-cgroup:2:19 create "$TEST_ID" >out 2>err 3>&- </dev/null &
    conductor=$!
    wait_until find_creator
    theirs=$(sed -n '/^cgroup\t/{s///p;q}' "$STATE_ROOT/$TEST_ID")
    mkdir "$theirs"
    sleep 1000 3>&- &
    sleeper=$!
    echo "$sleeper" >"$theirs/cgroup.procs"

    kill -KILL "$CREATOR" "$conductor"
    wait "$conductor" || true
    timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"

    is_running "$sleeper"
    kill -KILL "$sleeper"
    wait "$sleeper" || true
    wait_until rmdir "$theirs"
    wait_until nothing_is_left
}
