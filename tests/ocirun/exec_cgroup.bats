#!/usr/bin/env bats
# exec: into which cgroup.

load ../helpers
load container

setup()
{
    ocirun_setup
    requires root
    make_bundle
    # Without a cgroup namespace of its own, so that /proc/self/cgroup tells the whole path.
    cfg --arg path "/$TEST_ID" '.linux.cgroupsPath = $path | .linux.namespaces |= map(select(.type != "cgroup"))'
    args sleep 1000
    rt run --detach "$TEST_ID" >/dev/null 2>&1 </dev/null
}

make_below()
{
    local directory
    for directory in $(our_cgroups); do
        mkdir -p "$directory/$1"
        if [[ -e $directory/cpuset.cpus && ! -e $directory/cgroup.controllers ]]; then
            cat "$directory/cpuset.cpus" >"$directory/$1/cpuset.cpus"
            cat "$directory/cpuset.mems" >"$directory/$1/cpuset.mems"
        fi
    done
}

own() { rt exec "$@" "$TEST_ID" cat /proc/self/cgroup; }

@test "without --cgroup, and with --cgroup /, the program is in the container's own cgroup" {
    make_below sub

    [[ $(own | grep -c ":/$TEST_ID\$") == "$(our_cgroups | wc -l)" ]]
    [[ $(own --cgroup / | grep -c ":/$TEST_ID\$") == "$(our_cgroups | wc -l)" ]]
}

@test "--cgroup PATH is below the container's cgroup, whatever it begins with" {
    make_below sub

    for path in sub /sub sub/ ./sub; do
        [[ $(own --cgroup "$path" | grep -c ":/$TEST_ID/sub\$") == "$(our_cgroups | wc -l)" ]]
    done
}

@test "v1: --cgroup CONTROLLER:PATH is about the hierarchies of these controllers" {
    requires cgroup_v1
    make_below sub

    run -0 own --cgroup memory,pids:/sub --cgroup freezer:/
    [[ $(grep -c ":/$TEST_ID/sub\$" <<<"$output") == 2 ]]
    [[ $output == *":memory:/$TEST_ID/sub"* && $output == *":pids:/$TEST_ID/sub"* && $output == *":freezer:/$TEST_ID"$'\n'* ]]
    run -255 own --cgroup nonsense:/sub
    [[ $output == *"the container has no cgroup of the controller 'nonsense'" ]]
}

@test "--cgroup never leads out of the container's cgroup, and never makes one" {
    for path in .. ../x a/../../x sub/.. /.. no-such-cgroup; do
        run -255 own --cgroup "$path"
        [[ $output == *"bad sub cgroup path: --cgroup '$path'"* ]]
    done
    [[ $(find /sys/fs/cgroup -name "no-such-cgroup") == "" ]]
    [[ $(rt ps --format json "$TEST_ID" | jq length) == 1 ]]
}

@test "v2: when the container hands its controllers on, exec goes where its first process is" {
    requires cgroup_v2
    init=$(first_process "$TEST_ID")
    mkdir "/sys/fs/cgroup/$TEST_ID/init.scope" "/sys/fs/cgroup/$TEST_ID/other"
    echo "$init" >"/sys/fs/cgroup/$TEST_ID/init.scope/cgroup.procs"
    echo +memory >"/sys/fs/cgroup/$TEST_ID/cgroup.subtree_control"

    [[ $(own) == "0::/$TEST_ID/init.scope" ]]
    [[ $(own --cgroup other) == "0::/$TEST_ID/other" ]]
    run -255 own --cgroup /
    [[ $output == *"cannot start the process in the cgroup '/sys/fs/cgroup/$TEST_ID': Device or resource busy" ]]
}
