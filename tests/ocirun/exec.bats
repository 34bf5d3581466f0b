#!/usr/bin/env bats
# exec: one more process in a running container.

load ../helpers
load container

setup()
{
    ocirun_setup
    requires root
    make_bundle
    args sleep 1000
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
}

@test "exec runs in all namespaces and cgroups of the container" {
    local init
    init=$(first_process "$TEST_ID")

    run -0 rt exec "$TEST_ID" sh -c 'cd /proc/self/ns; for n in pid net ipc uts mnt cgroup; do readlink $n; done; cat /proc/self/cgroup'

    local i=0 kind
    for kind in pid net ipc uts mnt cgroup; do
        [[ ${lines[i++]} == "$(readlink "/proc/$init/ns/$kind")" ]]
    done
    # With its own cgroup namespace the container's cgroups are the roots.
    [[ $(printf '%s\n' "${lines[@]:6}" | grep -vc ':/$') == 0 ]]
}

@test "exec passes stdin, stdout, stderr and the status" {
    run -9 --separate-stderr rt exec "$TEST_ID" sh -c 'echo out; echo err >&2; exit 9'
    [[ $output == out && $stderr == err ]]
    [[ $(echo hello | rt exec "$TEST_ID" cat) == hello ]]
    run -137 rt exec "$TEST_ID" sh -c 'kill -KILL $$'
}

@test "options end at the container's id: the rest is the program's" {
    run -0 rt exec "$TEST_ID" echo --user 5 -t
    [[ $output == "--user 5 -t" ]]
}

@test "exec has the container's privileges and no others" {
    run -0 rt exec "$TEST_ID" grep -E '^(Cap|NoNewPrivs)' /proc/self/status
    [[ $output == *$'CapInh:\t0000000000000000'* ]]
    [[ $output == *$'CapEff:\t0000000020000420'* ]]
    [[ $output == *$'CapBnd:\t0000000020000420'* ]]
    [[ $output == *$'NoNewPrivs:\t1'* ]]
}

@test "exec --cap adds to bounding, permitted and effective, never to inheritable or ambient" {
    run -0 rt exec --cap CAP_NET_RAW "$TEST_ID" grep ^Cap /proc/self/status
    [[ $output == *$'CapInh:\t0000000000000000'* ]]
    [[ $output == *$'CapPrm:\t0000000020002420'* ]]
    [[ $output == *$'CapBnd:\t0000000020002420'* ]]
    [[ $output == *$'CapAmb:\t0000000000000000'* ]]
}

@test "exec --user takes a whole user or refuses" {
    local text
    for text in 1000 1 0 4294967294; do
        run -0 rt exec --user "$text" "$TEST_ID" id -u
        [[ $output == "$text" ]]
    done
    run -0 rt exec -u 1000:1001 "$TEST_ID" sh -c 'id -u; id -g'
    [[ $output == $'1000\n1001' ]]
    for text in '' : 1: :1 -1 +1 ' 1' '1 ' 0x1 1:x 1:2:3 4294967295 99999999999 root; do
        run -255 rt exec --user "$text" "$TEST_ID" id -u
        [[ $output == *"is not an id from 0 to 4294967294"* ]]
    done
}

@test "a numeric user is an id, even when the container's passwd has a user of that name" {
    printf '1000:x:0:0::/:/bin/sh\n' >rootfs/etc/passwd
    run -0 rt exec --user 1000 "$TEST_ID" id -u
    [[ $output == 1000 ]]
}

@test "exec --env, --cwd and --additional-gids" {
    run -0 rt exec -e A=1 --env A=2 -e B=3 --cwd /tmp -g 5 -g 77 "$TEST_ID" sh -c 'echo $A $B; pwd; id -G'
    [[ ${lines[0]} == "2 3" && ${lines[1]} == /tmp && ${lines[2]} == *5*77* ]]
    run -255 --separate-stderr rt exec --cwd /no/such "$TEST_ID" true
    [[ $stderr == *"oci-init: working directory: cannot open '/no/such': No such file or directory" && ! -e rootfs/no ]]
    run -255 rt exec -g -5 "$TEST_ID" true
    [[ $output == *"'-5' is not an id"* ]]
}

@test "a variable without a value and a capability that nobody knows are not passed over in silence" {
    run -255 --separate-stderr rt exec --env FOO "$TEST_ID" env
    [[ $stderr == *"--env 'FOO': expected NAME=VALUE" ]]

    run -0 --separate-stderr rt exec --cap CAP_BOGUS "$TEST_ID" echo ran
    [[ $output == ran && $stderr == "ocirun: warning: oci-init: capability 'CAP_BOGUS' is not known here and is left out" ]]
}

@test "exec --process takes the whole process from a file" {
    cat >process.json <<'J'
{"args": ["sh", "-c", "id -u; id -G; pwd; echo $X; grep CapEff /proc/self/status"], "cwd": "/tmp", "env": ["PATH=/bin", "PATH=/bin:/sbin", "X=y"],
 "user": {"uid": 1000, "gid": 1000, "additionalGids": [9]}, "capabilities": {"bounding": ["CAP_KILL"]}, "noNewPrivileges": true}
J
    run -0 rt exec --process process.json "$TEST_ID"
    [[ ${lines[0]} == 1000 && ${lines[1]} == *9* && ${lines[2]} == /tmp && ${lines[3]} == y && ${lines[4]} == *0000000000000000 ]]

    echo '{"args": 5, "cwd": "x"}' >process.json
    run -255 rt exec --process process.json "$TEST_ID"
    [[ $output == *"/process/args"* && $output == *"/process/cwd"* ]]
}

@test "exec --detach returns at once and writes the pid file" {
    rt exec --detach --pid-file pid "$TEST_ID" sleep 100 </dev/null >/dev/null 2>&1
    is_running "$(cat pid)"
    [[ $(tr '\0' ' ' <"/proc/$(cat pid)/cmdline") == "sleep 100 " ]]
}

@test "a missing program of exec is an error of exec with status 255" {
    run -255 rt exec "$TEST_ID" no-such-program
    [[ $output == *'exec: "no-such-program": executable file not found in $PATH'* ]]
    run -255 rt exec --detach "$TEST_ID" /no/such
    [[ $output == *'exec: "/no/such": stat /no/such: no such file or directory'* ]]
}

@test "a program that the user of exec may not execute is an error with the reason" {
    mkdir -m 700 rootfs/nox
    cp rootfs/bin/busybox rootfs/nox/
    run -255 rt exec --user 1000 "$TEST_ID" /nox/busybox true
    [[ $output == *"exec: \"/nox/busybox\": permission denied: the directory '/nox' (mode 0700) cannot be entered by user 1000" ]]
    run -255 rt exec "$TEST_ID" /etc/passwd
    [[ $output == *'exec: "/etc/passwd": permission denied: its mode 0644 has no x for the user' ]]
    run -255 rt exec "$TEST_ID" /etc
    [[ $output == *'exec: "/etc": permission denied: it is a directory' ]]
}

@test "exec without a program, in a stopped container, in none" {
    run -255 rt exec "$TEST_ID"
    [[ $output == *"no program given"* ]]
    rt kill "$TEST_ID" KILL
    wait_until has_status "$TEST_ID" stopped
    run -255 rt exec "$TEST_ID" true
    [[ $output == *"cannot exec in a stopped container"* ]]
    run -255 rt exec "none-$TEST_ID" true
    [[ $output == *"does not exist" ]]
}

@test "twenty short execs at once all give their status" {
    local i pids=()
    for i in {1..20}; do
        rt exec "$TEST_ID" sh -c "exit $i" &
        pids+=($!)
    done
    for i in {1..20}; do
        local status=0
        wait "${pids[i - 1]}" || status=$?
        [[ $status == "$i" ]]
    done
}

@test "exec: whether the host has SELinux is not for the container to say" {
    requires root no_selinux
    rt delete --force "$TEST_ID"
    cfg 'del(.mounts[] | select(.destination | startswith("/sys")))'
    mkdir -p rootfs/sys/fs/selinux
    touch rootfs/sys/fs/selinux/enforce
    rt run --detach "$TEST_ID"

    run -0 rt exec --process-label system_u:system_r:container_t:s0 "$TEST_ID" echo hello

    [[ $output == hello ]]
    rt delete --force "$TEST_ID"
}

@test "exec --process: a file without a profile keeps that of the container" {
    requires no_apparmor
    # No container can be made with a profile here, so that its plan is told one afterwards.
    sed -i 's|^end$|init.apparmor-profile\t/process/apparmorProfile\tbox\nend|' ".ocirun-$TEST_ID/plan"
    jq '.process | .args = ["true"]' config.json >process.json
    run -255 rt exec --process process.json "$TEST_ID"
    [[ $output == *"cannot apply the AppArmor profile 'box'"* ]]

    jq '.apparmorProfile = "unconfined"' process.json >other.json
    run -0 rt exec --process other.json "$TEST_ID"
}

@test "where the kernel has no read-only mount for the stages, exec works by sealed copies" {
    run -0 deny-syscall fsopen -- "$OCIRUN" --root "$STATE_ROOT" exec "$TEST_ID" echo here
    [[ $output == here ]]
}
