#!/usr/bin/env bats
# The recipes of the documentation, run as they stand.

load ../helpers

@test "a container without ocirun, from a script of at most 15 lines" {
    requires root
    make_bundle
    cfg --argjson filter '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}' \
        '.linux.seccomp = $filter | .linux.resources.pids = {"limit": 20}'
    [[ $(wc -l <"$TESTS_DIR/recipes/container.sh") -le 15 ]]

    run -0 "$TESTS_DIR/recipes/container.sh" "$BUNDLE" sh -c \
        'hostname; echo pid $$; touch /x 2>/dev/null || echo read-only; grep -E "^(CapEff|Seccomp):" /proc/self/status; cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; true'

    [[ ${lines[0]} == ocirun ]]
    [[ ${lines[1]} == "pid 1" ]]
    [[ ${lines[2]} == read-only ]]
    [[ $output == *$'CapEff:\t0000000020000420'* && $output == *$'Seccomp:\t2'* ]]
    [[ ${lines[-1]} == 20 ]]
    [[ $(find /sys/fs/cgroup -name 'recipe-*') == "" ]]
}

@test "the status of the program is that of the script" {
    requires root
    make_bundle
    run -7 "$TESTS_DIR/recipes/container.sh" "$BUNDLE" sh -c 'exit 7'
}

@test "oci-spec plan | grep ^ns" {
    make_bundle
    run -0 bash -c 'oci-spec plan <config.json | grep ^ns'
    [[ ${#lines[@]} == 6 ]]
}

@test "a cgroup with limits around any program" {
    requires root
    oci-cgroup create --memory 64M --pids 20 "/$TEST_ID"
    run -0 oci-cgroup join "/$TEST_ID" -- sh -c 'cat /proc/self/cgroup'
    [[ $output == *"/$TEST_ID"* ]]
    oci-cgroup delete "/$TEST_ID"
}

@test "a filter around any program" {
    make_bundle
    cfg '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}'
    oci-spec plan <config.json | oci-seccomp compile >f.bpf
    run oci-seccomp load f.bpf -- mkdir made
    [[ $output == *"Operation not permitted"* && ! -e made ]]
}

@test "namespaces of one's own, as a normal user" {
    requires userns
    run -0 as_user oci-ns new --user --map-root --pid --mount --net -- sh -c 'id -u; ls /sys/class/net 2>/dev/null; echo $$'
    [[ ${lines[0]} == 0 && ${lines[-1]} == 1 ]]
}
