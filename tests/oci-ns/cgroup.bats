#!/usr/bin/env bats
# oci-ns: the process is in its cgroups before the program begins.

load ../helpers
load ns

setup()
{
    ocirun_setup
    requires root
    DIRS=()
}

teardown()
{
    local dir
    for dir in "${DIRS[@]}"; do wait_until rmdir "$dir"; done
    ocirun_teardown
}

# make_cgroups: one in each hierarchy; sets OPTIONS for oci-ns and LINES for a plan.
make_cgroups()
{
    local mountpoint type options
    OPTIONS=() LINES=
    while read -r _ mountpoint type options _; do
        [[ $type == cgroup* ]] || continue
        mkdir "$mountpoint/$TEST_ID"
        DIRS+=("$mountpoint/$TEST_ID")
        OPTIONS+=(--cgroup-dir "$mountpoint/$TEST_ID")
        LINES+="ns.cgroup\t-\t$([[ $type == cgroup ]] && echo 1 || echo 2)\t\t$mountpoint\t/$TEST_ID\n"
        if [[ $options == *cpuset* && $type == cgroup ]]; then
            cat "$mountpoint/cpuset.cpus" >"$mountpoint/$TEST_ID/cpuset.cpus"
            cat "$mountpoint/cpuset.mems" >"$mountpoint/$TEST_ID/cpuset.mems"
        fi
    done </proc/mounts
}

# all_inside TEXT: each line of /proc/self/cgroup ends with TEXT.
all_inside() { [[ $output ]] && ! grep -qv ":$1\$" <<<"$output"; }

@test "--cgroup-dir joins the cgroup of each hierarchy, in place and in a child" {
    make_cgroups

    run -0 oci-ns new "${OPTIONS[@]}" cat /proc/self/cgroup
    all_inside "/$TEST_ID"
    run -0 oci-ns new --pid "${OPTIONS[@]}" cat /proc/self/cgroup
    all_inside "/$TEST_ID"
}

@test "the lines of a plan do the same" {
    make_cgroups
    printf 'plan 1\nns.new\t-\tpid\n%bend\n' "$LINES" >plan

    run -0 oci-ns new --plan-fd 5 cat /proc/self/cgroup 5<plan

    all_inside "/$TEST_ID"
}

@test "a process with id maps of its own joins, too" {
    make_cgroups

    run -0 oci-ns new --map-user 0:100000:10 --map-group 0:100000:10 "${OPTIONS[@]}" cat /proc/self/cgroup

    all_inside "/$TEST_ID"
}

@test "the root of a new cgroup namespace is the cgroup that was joined" {
    make_cgroups
    for options in --cgroup "--cgroup --pid" "--cgroup --pid --map-user 0:100000:10 --map-group 0:100000:10"; do
        # shellcheck disable=SC2086
        run -0 oci-ns new $options "${OPTIONS[@]}" cat /proc/self/cgroup
        all_inside / || { echo "$options"; return 1; }
    done
}

@test "oci-ns itself stays outside while it waits" {
    make_cgroups

    oci-ns new --pid "${OPTIONS[@]}" -- sh -c 'echo >ready; exec sleep 30' 3>&- &
    wait_until test -s ready

    [[ $(cat "${DIRS[@]/%//cgroup.procs}" | sort -u | wc -l) == 1 ]]
    run ! grep "$TEST_ID" /proc/$!/cgroup
    kill_silently $!
}

@test "a limit of one process is enough for the program" {
    make_cgroups
    if [[ $(cgroup_layout) == v2 ]]; then
        echo +pids >/sys/fs/cgroup/cgroup.subtree_control
        limit=/sys/fs/cgroup/$TEST_ID/pids.max
    else
        limit=/sys/fs/cgroup/pids/$TEST_ID/pids.max
    fi
    echo 1 >"$limit"

    run -0 oci-ns new --pid "${OPTIONS[@]}" cat "$limit"
    [[ $output == 1 ]]
    run oci-ns new --pid "${OPTIONS[@]}" -- sh -c 'true & wait' 2>&1
    [[ $output == *"fork"* ]]
}

@test "enter joins cgroups as well" {
    make_cgroups
    oci-ns new --pid --net -- sleep 50 3>&- &
    supervisor=$!
    wait_until has_child "$supervisor"
    child=$(only_child "$supervisor")

    run -0 oci-ns enter --target "$child" "${OPTIONS[@]}" cat /proc/self/cgroup

    all_inside "/$TEST_ID"
    kill_silently "$supervisor"
}

@test "a cgroup that is not there is refused before a process is made" {
    run -125 oci-ns new --pid --cgroup-dir /sys/fs/cgroup/nowhere touch made
    [[ $output == "oci-ns: cannot open '/sys/fs/cgroup/nowhere/tasks': No such file or directory" ]]
    [[ ! -e made ]]
}

@test "two cgroups of version 2 are refused" {
    requires hybrid
    run -125 oci-ns new --cgroup-dir /sys/fs/cgroup/unified --cgroup-dir /sys/fs/cgroup/unified true
    [[ $output == "oci-ns: two cgroups of version 2 are to be joined; a process is in one only" ]]
}

@test "without clone3 the child joins by itself" {
    make_cgroups
    for options in "--pid" "--pid --cgroup" "--pid --map-user 0:100000:10 --map-group 0:100000:10"; do
        # shellcheck disable=SC2086
        run -0 deny-syscall clone3 -- oci-ns new $options "${OPTIONS[@]}" cat /proc/self/cgroup
        [[ $options == *--cgroup* ]] && all_inside / || all_inside "/$TEST_ID" || { echo "$options"; return 1; }
    done
}
