#!/usr/bin/env bats
# oci-init exec: one more process in a container that runs.
load ../helpers
load init

setup()
{
    ocirun_setup
    make_bundle
}

teardown()
{
    [[ -z ${CONTAINER:-} ]] || kill -KILL "$CONTAINER" 2>/dev/null || true
    [[ -z ${STARTER:-} ]] || wait "$STARTER" 2>/dev/null || true
    ocirun_teardown
}

# start_container: runs `sleep` in it. Sets CONTAINER to the process, as the host counts.
start_container()
{
    args sleep 60
    make_plan
    oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN" 3>&- &
    STARTER=$!
    wait_until find_container
}
find_container()
{
    local pid
    for pid in $(pgrep -x sleep); do
        if grep -q "$BUNDLE" "/proc/$pid/mountinfo" 2>/dev/null && [[ $(readlink "/proc/$pid/ns/pid") != "$(readlink /proc/self/ns/pid)" ]]; then
            CONTAINER=$pid
            return 0
        fi
    done
    return 1
}

# exec_plan WORD...: a plan for exec with these arguments.
exec_plan()
{
    args "$@"
    oci-spec plan <config.json | grep -v $'^init.mount\t\|^ns\\.' >exec.plan
}

enter() { oci-ns enter --target "$CONTAINER" --seal -- oci-init exec --plan-fd 5 "$@" 5<exec.plan; }

@test "exec runs the program inside, with its own user, capabilities, directory and environment" {
    requires root
    start_container
    cfg '.process.user = {uid: 1000, gid: 1000, additionalGids: [9]} | .process.cwd = "/home/user" | .process.env += ["X=y"]
         | .process.capabilities = {bounding: ["CAP_KILL"], permitted: [], effective: []}'
    # shellcheck disable=SC2016
    exec_plan sh -c 'id -u; pwd; echo $X $HOME; grep -E "CapBnd|NoNewPrivs|Groups" /proc/self/status; hostname'
    run -0 enter
    [[ $output == $'1000\n/home/user\ny /home/user\nGroups:\t9 \nCapBnd:\t0000000000000020\nNoNewPrivs:\t1\nocirun' ]]
}

@test "exec passes the program's status on; what cannot be executed gives 127 and 126" {
    requires root
    start_container
    exec_plan sh -c 'exit 5'
    run -5 enter
    exec_plan /no/such
    run -127 --separate-stderr enter
    [[ $stderr == 'oci-init: exec: "/no/such": stat /no/such: no such file or directory' ]]
    exec_plan /etc
    run -126 --separate-stderr enter
    [[ $stderr == 'oci-init: exec: "/etc": permission denied: it is a directory' ]]
}

@test "exec leaves no descriptor of the caller open, and enters no directory by one" {
    requires root
    start_container
    exec_plan sh -c 'ls /proc/self/fd'
    run -0 enter 9</ 10</etc
    [[ $output == $'0\n1\n2\n3' ]]
    cfg '.process.cwd = "/proc/self/fd/9"'
    exec_plan pwd
    run -125 --separate-stderr enter 9</
    [[ $stderr == "oci-init: /process/cwd: working directory: "* ]]
}

@test "exec opens its terminal on the container's devpts" {
    requires root
    start_container
    cfg '.process.terminal = true'
    exec_plan sh -c 'tty; echo done'
    run -0 drive hear:terminal hear:created eof -- oci-ns enter --target "$CONTAINER" --seal -- oci-init exec --plan-fd 5 --control-fd 6 5<exec.plan
    [[ $output == *$'/dev/pts/0\r\ndone'* ]]
}

@test "exec says an error on the control socket's side and executes nothing" {
    requires root
    start_container
    exec_plan nosuch
    run -127 drive eof -- oci-ns enter --target "$CONTAINER" --seal -- oci-init --error-fd 8 exec --plan-fd 5 --control-fd 6 5<exec.plan 8>errors
    [[ $(cat errors) == $'oci-init\t0\t127\t\texec: "nosuch": executable file not found in $PATH' ]]
}
