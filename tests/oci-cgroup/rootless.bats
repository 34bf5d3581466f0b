#!/usr/bin/env bats
# oci-cgroup create without root.

load ../helpers
load cgroups

@test "not being permitted is fine with --tolerate-denied when nothing was asked for: nothing is printed" {
    run -0 --separate-stderr as_user oci-cgroup create --tolerate-denied --name "$TEST_ID"

    [[ $output == "" && $stderr == "" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "device rules alone do not count as asking" {
    run -0 --separate-stderr as_user oci-cgroup create --tolerate-denied --name "$TEST_ID" --device 'deny a' --device 'allow c 1:3 rwm'

    [[ $output == "" && $stderr == "" ]]
}

@test "not being permitted is an error without --tolerate-denied" {
    run -1 --separate-stderr as_user oci-cgroup create --name "$TEST_ID"

    [[ $stderr == "oci-cgroup: cannot make cgroup '/sys/fs/cgroup/"*"': "* ]]
    [[ $output == "" ]]
}

@test "not being permitted is an error when a limit was asked for, and names it" {
    plan 'cgroup.pids.limit\t/linux/resources/pids/limit\t5'

    run -1 --separate-stderr as_user oci-cgroup create --tolerate-denied --plan-fd 5 --name "$TEST_ID" 5<plan

    [[ $stderr == "oci-cgroup: /linux/resources/pids/limit: cannot set pids limit: container could not join or create cgroup: "* ]]
}

@test "not being permitted is an error when a path was asked for" {
    plan "cgroup.path\t/linux/cgroupsPath\t$BOX"

    run -1 --separate-stderr as_user oci-cgroup create --tolerate-denied --plan-fd 5 --name "$TEST_ID" 5<plan

    [[ $stderr == "oci-cgroup: /linux/cgroupsPath: unable to apply cgroup configuration: cannot make cgroup '/sys/fs/cgroup"*"$BOX': "* ]]
}

# delegate: a cgroup of uid 1000, as systemd would make it, with the test's shell in a child of it.
delegate()
{
    mkdir "$(dir pids)" "$(dir pids "$BOX/shell")"
    echo "+pids +memory" >"$(dir pids)/cgroup.subtree_control"
    chown 1000 "$(dir pids)" "$(dir pids)"/cgroup.{procs,subtree_control,threads} "$(dir pids "$BOX/shell")"{,/cgroup.procs}
}

@test "v2: in a delegated cgroup a user gets limits; device rules are tolerated as the kernel keeps users from making nodes" {
    requires cgroup_v2
    delegate

    run -0 --separate-stderr as_user sh -c "echo \$\$; read -r _ && exec oci-cgroup create --tolerate-denied --pids 5 --device 'deny a' --name c$TEST_ID" < <(
        wait_until pgrep -f "name c$TEST_ID" >/dev/null
        for pid in $(pgrep -f "name c$TEST_ID"); do echo "$pid" >"$(dir pids "$BOX/shell")/cgroup.procs"; done
        echo go
    )

    [[ ${lines[1]} == $'2\t\t/sys/fs/cgroup\t'"$BOX/c$TEST_ID" ]]
    [[ $(<"$(dir pids "$BOX/c$TEST_ID")/pids.max") == 5 ]]
    oci-cgroup delete "$BOX"
}

@test "v2: in a delegated cgroup device rules are an error without --tolerate-denied" {
    requires cgroup_v2
    delegate

    run -1 --separate-stderr as_user oci-cgroup create --device 'deny a' "$BOX/c"

    [[ $stderr == "oci-cgroup: --device: cannot load the program for the device rules: Operation not permitted" ]]
    [[ ! -e $(dir pids "$BOX/c") ]]
    oci-cgroup delete "$BOX"
}
