#!/usr/bin/env bats
# Docker drives ocirun: dockerd, containerd and its shim, with Docker's own profile and hooks.

load ../helpers

BATS_TEST_TIMEOUT=$((BATS_TEST_TIMEOUT * 3))

setup()
{
    ocirun_setup
    requires root dockerd docker containerd
    make_bundle
    SOCKET=unix://$BATS_TEST_TMPDIR/s
    # No bridge and no firewall rules: nothing of the host's network is touched.
    dockerd --iptables=false --ip6tables=false --bridge=none --data-root "$BATS_TEST_TMPDIR/data" --exec-root "$BATS_TEST_TMPDIR/exec" \
        --pidfile "$BATS_TEST_TMPDIR/pid" --host "$SOCKET" --add-runtime "oc=$OCIRUN" --default-runtime oc --storage-driver vfs \
        --cgroup-parent "/$TEST_ID" --exec-opt native.cgroupdriver=cgroupfs >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
    DOCKERD=$!
    DOCKER=(docker --host "$SOCKET")
    wait_until "${DOCKER[@]}" version >/dev/null 2>&1
    tar -C rootfs -c . | "${DOCKER[@]}" import - box >/dev/null
}

teardown()
{
    if [[ ${DOCKERD:-} ]]; then
        "${DOCKER[@]}" ps --all --quiet | xargs --no-run-if-empty "${DOCKER[@]}" rm --force >/dev/null 2>&1 || true
        kill "$DOCKERD"
        wait "$DOCKERD" || true
        wait_until rmdir_test_cgroups || true
    fi
    ocirun_teardown
}

@test "docker run, exec, stop; 127 and 126; a terminal; limits" {
    local run=(run --network none)

    run -0 "${DOCKER[@]}" "${run[@]}" --rm box true
    run -4 "${DOCKER[@]}" "${run[@]}" --rm --hostname inside box sh -c 'hostname; exit 4'
    [[ $output == inside ]]
    run -127 "${DOCKER[@]}" "${run[@]}" --rm box /no/such
    [[ $output == *"no such file or directory"* ]]
    run -126 "${DOCKER[@]}" "${run[@]}" --rm box /etc
    [[ $output == *"permission denied"* ]]

    "${DOCKER[@]}" "${run[@]}" --detach --name one --memory 64m --pids-limit 20 box sleep 1000 >/dev/null
    run -0 "${DOCKER[@]}" exec one sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; grep Seccomp: /proc/self/status'
    [[ $output == *67108864* && $output == *$'Seccomp:\t2'* ]]
    run -5 "${DOCKER[@]}" exec one sh -c 'exit 5'
    "${DOCKER[@]}" stop --time 0 one
    [[ $("${DOCKER[@]}" inspect --format '{{.State.Status}} {{.State.ExitCode}}' one) == "exited 137" ]]
    "${DOCKER[@]}" start one
    "${DOCKER[@]}" rm --force one

    run -0 script -qec "$(printf '%q ' "${DOCKER[@]}" "${run[@]}") --rm --tty box sh -c 'test -t 0 && echo a terminal'" /dev/null
    [[ $output == *"a terminal"* ]]
    run -0 "${DOCKER[@]}" info --format '{{.DefaultRuntime}}'
    [[ $output == oc ]]
}

@test "docker pause, update, top, unpause, stop of a paused one; out of memory" {
    local run=(run --network none)
    "${DOCKER[@]}" "${run[@]}" --detach --name one --memory 64m --memory-swap 128m --cpus 0.5 box sh -c 'sleep 1000 & wait' >/dev/null
    limits() { "${DOCKER[@]}" exec one sh -c 'cd /sys/fs/cgroup; cat memory.max memory/memory.limit_in_bytes pids.max pids/pids.max cpu.max cpu/cpu.cfs_quota_us 2>/dev/null'; }

    "${DOCKER[@]}" update --cpus 0.7 one >/dev/null
    [[ $(limits) == *70000* && $(limits) == 67108864* ]]
    "${DOCKER[@]}" update --memory 96m --memory-swap 128m --pids-limit 33 one >/dev/null
    [[ $(limits) == $'100663296\n33\n70000'* ]]
    run -1 "${DOCKER[@]}" update --cpuset-cpus 4095 one
    [[ $(limits) == $'100663296\n33\n70000'* ]]

    [[ $("${DOCKER[@]}" top one | grep -c 'sleep 1000') -ge 1 ]]
    "${DOCKER[@]}" pause one
    [[ $("${DOCKER[@]}" inspect --format '{{.State.Status}}' one) == paused ]]
    run "${DOCKER[@]}" exec one true
    [[ $status != 0 && $output == *paused* ]]
    "${DOCKER[@]}" unpause one
    "${DOCKER[@]}" exec one true
    "${DOCKER[@]}" pause one
    "${DOCKER[@]}" rm --force one
    run -137 "${DOCKER[@]}" "${run[@]}" --rm --memory 8m --memory-swap 8m box sh -c 'x=x; while :; do x=$x$x; done'
}
