#!/usr/bin/env bats
# Podman lets systemd manage the cgroups, as it does unless it is told otherwise.

load ../helpers
load podman

is_unknown() { [[ $(systemctl list-units --all --plain --no-legend "$1") == "" ]]; }

@test "podman's own choice where systemd is: the container is a scope with its limits, and none is left" {
    requires systemd
    PODMAN=("${ENGINE[@]}")
    RUN=(run --network none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000)
    [[ $("${PODMAN[@]}" info --format '{{.Host.CgroupManager}}') == systemd ]]
    limits() { cat /sys/fs/cgroup/{,memory}/machine.slice/"$scope"/{memory.max,memory.limit_in_bytes} 2>/dev/null || true; }

    "${PODMAN[@]}" "${RUN[@]}" --detach --name one --memory 64m --pids-limit 20 box sleep 1000 >/dev/null

    local scope pid
    scope=libpod-$("${PODMAN[@]}" inspect --format '{{.Id}}' one).scope
    pid=$("${PODMAN[@]}" inspect --format '{{.State.Pid}}' one)
    grep -q ":/machine.slice/$scope\$" "/proc/$pid/cgroup"
    [[ $(systemctl show --property TasksMax --value "$scope") == 20 && $(limits) == 67108864 ]]
    run -0 "${PODMAN[@]}" exec one sh -c 'echo $((6*7))'
    [[ $output == 42 ]]
    "${PODMAN[@]}" pause one
    "${PODMAN[@]}" unpause one
    "${PODMAN[@]}" stop --time 0 one
    [[ $("${PODMAN[@]}" inspect --format '{{.State.Status}} {{.State.ExitCode}}' one) == "exited 137" ]]
    "${PODMAN[@]}" rm one
    wait_until is_unknown "$scope"
    run -3 "${PODMAN[@]}" "${RUN[@]}" --rm box sh -c 'exit 3'
    wait_until is_unknown "libpod-*"
}
