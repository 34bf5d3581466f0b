#!/usr/bin/env bats
# Podman drives ocirun: conmon, create, start, exec, kill, delete, as users call them.

load ../helpers
load podman

@test "podman run gives output and status" {
    run -0 "${PODMAN[@]}" "${RUN[@]}" --rm box true
    run -3 "${PODMAN[@]}" "${RUN[@]}" --rm --hostname inside box sh -c 'hostname; exit 3'
    [[ $output == inside ]]
}

@test "podman knows a missing program by its words: 127, and 126 for what cannot be executed" {
    run -127 "${PODMAN[@]}" "${RUN[@]}" --rm box /no/such
    run -126 "${PODMAN[@]}" "${RUN[@]}" --rm box /etc/passwd
}

@test "podman run --detach, exec, stop, rm" {
    "${PODMAN[@]}" "${RUN[@]}" --detach --name one box sleep 1000 >/dev/null
    run -0 "${PODMAN[@]}" exec one sh -c 'echo $((6*7))'
    [[ $output == 42 ]]
    run -127 "${PODMAN[@]}" exec one no-such-program
    run -0 "${PODMAN[@]}" exec --user 1000 --workdir /tmp one sh -c 'id -u; pwd'
    [[ $output == $'1000\n/tmp' ]]
    "${PODMAN[@]}" stop --time 0 one
    [[ $("${PODMAN[@]}" inspect --format '{{.State.Status}} {{.State.ExitCode}}' one) == "exited 137" ]]
    "${PODMAN[@]}" rm one
}

@test "podman's limits are in force" {
    run -0 "${PODMAN[@]}" "${RUN[@]}" --rm --memory 64m --pids-limit 20 box sh -c \
        'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; true'
    [[ $output == $'67108864\n20' ]]
}

@test "podman run --tty" {
    requires script
    run -0 script -qec "$(printf '%q ' "${PODMAN[@]}" "${RUN[@]}") --rm --tty box sh -c 'test -t 0 && echo a terminal'" /dev/null
    [[ $output == *"a terminal"* ]]
}

@test "podman pause, update, unpause, rm of a paused one" {
    "${PODMAN[@]}" "${RUN[@]}" --detach --name one --memory 64m box sleep 1000 >/dev/null

    "${PODMAN[@]}" pause one
    [[ $("${PODMAN[@]}" inspect --format '{{.State.Status}}' one) == paused ]]
    "${PODMAN[@]}" unpause one
    "${PODMAN[@]}" exec one true
    if "${PODMAN[@]}" update --help >/dev/null 2>&1; then
        "${PODMAN[@]}" update --memory 96m --cpus 0.5 one >/dev/null
        run -0 "${PODMAN[@]}" exec one sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; true'
        [[ $output == 100663296 ]]
    fi
    "${PODMAN[@]}" pause one
    "${PODMAN[@]}" rm --force --time 0 one
}
