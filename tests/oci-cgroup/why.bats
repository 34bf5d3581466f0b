#!/usr/bin/env bats
# oci-cgroup why: who keeps a controller from a cgroup.

load ../helpers
load cgroups
load unified

@test "why says of each controller whether the cgroup has it" {
    oci-cgroup create "$BOX" >/dev/null

    run --separate-stderr oci-cgroup why "$BOX"

    ((status <= 1))
    [[ $stderr == "" ]]
    for controller in cpu cpuset io memory pids hugetlb rdma misc; do
        [[ $output == *"$controller "* ]]
    done
    run -0 oci-cgroup why "$BOX" memory pids
    [[ ${#lines[@]} == 2 && ${lines[0]} =~ ^memory\ +yes\  && ${lines[1]} =~ ^pids\ +yes\  ]]
    oci-cgroup delete "$BOX"
}

@test "why names the hierarchy of v1 that has the controller" {
    requires cgroup_v1

    run -0 oci-cgroup why "$BOX" memory

    [[ $output == "memory    yes  cgroup v1, '/sys/fs/cgroup/memory', where every cgroup has it" ]]
}

@test "why says that a controller does not exist, and exits 1" {
    requires_unified

    run -1 --separate-stderr oci-cgroup why "$BOX" nonsense

    [[ $output == "nonsense  no   this kernel has no such controller for cgroup v2" && $stderr == "" ]]
}

@test "why names the parent that does not hand a controller on, and the command that helps" {
    requires_unified
    mkdir "$TREE$BOX" "$TREE$BOX/a" "$TREE$BOX/a/b"

    run -1 oci-cgroup why "$BOX/a/b" "$CONTROLLER"
    [[ $output == "$CONTROLLER "*" no   '$BOX' does not hand it on: echo +$CONTROLLER >$TREE$BOX/cgroup.subtree_control"* ]]

    eval "$(sed -n 's/.*: \(echo [^;]*\).*/\1/p' <<<"$output")"
    run -1 oci-cgroup why "$BOX/a/b" "$CONTROLLER"
    [[ $output == *" no   '$BOX/a' does not hand it on"* ]]
    run -0 oci-cgroup why "$BOX/a" "$CONTROLLER"
    [[ $output == *" yes  $TREE$BOX/a" ]]
    rmdir "$TREE$BOX/a/b" "$TREE$BOX/a" "$TREE$BOX"
}

@test "why names a parent with processes, and prepare helps" {
    requires_unified
    oci-cgroup create "$BOX" >/dev/null
    mkdir "$TREE$BOX/a"
    start_in "$BOX"

    run -1 oci-cgroup why "$BOX/a" "$CONTROLLER"
    [[ $output == *"'$BOX' has processes itself ($PID), so it cannot hand on controllers: 'oci-cgroup prepare $BOX' moves them into a cgroup below it" ]]

    oci-cgroup prepare "$BOX"
    run -0 oci-cgroup why "$BOX/a" "$CONTROLLER"
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "why names a threaded parent" {
    requires_unified
    mkdir "$TREE$BOX" "$TREE$BOX/a" "$TREE$BOX/a/b"
    echo threaded >"$TREE$BOX/a/cgroup.type"

    run -1 oci-cgroup why "$BOX/a" "$CONTROLLER"

    [[ $output == *" no   '$BOX' is threaded (cgroup.type 'domain threaded'), where only cpu, cpuset, perf_event and pids are handed on: use another parent" ]]
    rmdir "$TREE$BOX/a/b" "$TREE$BOX/a" "$TREE$BOX"
}

@test "why says of a user who may not change the parent that it has to be delegated" {
    requires_unified
    mkdir "$TREE$BOX" "$TREE$BOX/a"

    run -1 as_user oci-cgroup why "$BOX/a" "$CONTROLLER"

    [[ $output == *"you are not permitted to change that: '$TREE$BOX/cgroup.subtree_control' has to be delegated to you (systemd: Delegate=$CONTROLLER)" ]]
    rmdir "$TREE$BOX/a" "$TREE$BOX"
}
