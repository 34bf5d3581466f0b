#!/usr/bin/env bats
# Where cgroups are mounted, and how: nothing is taken for granted.

load ../helpers
load cgroups

# elsewhere SCRIPT: runs it with $1 = $BOX in a mount namespace of its own, in which nothing is mounted at /sys/fs/cgroup.
elsewhere()
{
    unshare --mount --propagation private bash -ec '
        while read -r _ mountpoint type _; do
            [[ $type != cgroup* ]] || umount -l "$mountpoint"
        done < <(tac /proc/mounts)
        mount -t tmpfs none /sys/fs/cgroup
        eval "$2"' - "$BOX" "$1"
}

@test "no cgroup hierarchy at all is an error that says so" {
    run -1 elsewhere 'oci-cgroup create "$1"'
    [[ $output == "oci-cgroup: no cgroup hierarchy is mounted" ]]
    run -1 elsewhere 'oci-cgroup ps "$1"'
}

@test "cgroup v2 alone, mounted at a path of its own: create, join, freeze, ps, devices, update, kill, delete" {
    run -0 elsewhere '
        mkdir -p "/sys/fs/cgroup/some where/else"
        mount -t cgroup2 none "/sys/fs/cgroup/some where/else"
        oci-cgroup create --device "deny a" --device "allow c 1:3 rw" "$1"
        [[ -d "/sys/fs/cgroup/some where/else$1" ]]
        oci-cgroup join "$1" -- sh -c ": </dev/null; (: </dev/zero) 2>&- || echo denied"
        oci-cgroup join "$1" -- sleep 1000 3>&- >/dev/null &
        until [[ $(oci-cgroup ps "$1") == "$!" ]]; do sleep 0.05; done
        oci-cgroup freeze "$1"
        grep -q "frozen 1" "/sys/fs/cgroup/some where/else$1/cgroup.events"
        oci-cgroup thaw "$1"
        oci-cgroup update --device "deny a" --device "allow c 1:5 rw" "$1"
        oci-cgroup update --device "deny a" --device "allow c 1:7 rw" "$1"
        oci-cgroup join "$1" -- sh -c "(: </dev/null) 2>&- || echo denied too; (: </dev/zero) 2>&- || echo denied too; : </dev/full"
        disown; oci-cgroup kill "$1"

        oci-cgroup delete "$1"
        [[ ! -e "/sys/fs/cgroup/some where/else$1" ]]'

    [[ $output == $'2\t\t/sys/fs/cgroup/some where/else\t'"$BOX"$'\ndenied\ndenied too\ndenied too' ]]
}

@test "v2: device rules may change more often than a cgroup may have programs; an adopted cgroup loses its old one" {
    run -0 elsewhere '
        mkdir /sys/fs/cgroup/two
        mount -t cgroup2 none /sys/fs/cgroup/two
        oci-cgroup create --device "deny a" "$1" >/dev/null
        for ((i = 0; i < 70; i++)); do oci-cgroup update --device "deny a" --device "allow c 1:3 rw" "$1"; done
        oci-cgroup join "$1" -- sh -c ": </dev/null; (: </dev/zero) 2>&- || echo denied"
        oci-cgroup create --device "deny a" --device "allow c 1:5 rw" "$1" >/dev/null
        oci-cgroup join "$1" -- sh -c ": </dev/zero; (: </dev/null) 2>&- || echo denied"
        oci-cgroup delete "$1"'

    [[ $output == $'denied\ndenied' ]]
}

@test "v2: the owner gets the directory and what the kernel names, not the limits, and manages what is below" {
    printf 'plan 1\ncgroup.owner\t/process/user/uid\t1000\nend\n' >plan
    run -0 elsewhere '
        mkdir /sys/fs/cgroup/two
        mount -t cgroup2 none /sys/fs/cgroup/two
        oci-cgroup create --plan-fd 5 "$1" 5<plan >/dev/null
        cd "/sys/fs/cgroup/two$1"
        stat -c "%u %n" . cgroup.procs cgroup.subtree_control cgroup.threads cgroup.freeze cgroup.max.depth
        setpriv --reuid=1000 --regid=1000 --clear-groups mkdir below
        cd /
        oci-cgroup delete "$1"'

    [[ $output == $'1000 .\n1000 cgroup.procs\n1000 cgroup.subtree_control\n1000 cgroup.threads\n0 cgroup.freeze\n0 cgroup.max.depth' ]]
}

@test "beside v1 hierarchies, which are not safe to be given away, nobody gets anything" {
    requires cgroup_v1
    printf 'plan 1\ncgroup.owner\t/process/user/uid\t1000\nend\n' >plan
    oci-cgroup create --plan-fd 5 "$BOX" 5<plan >where

    while IFS=$'\t' read -r _ _ mountpoint path; do
        [[ $(stat -c %u "$mountpoint$path") == 0 ]]
    done < <(sed 's/\t\t/\t-\t/' where)
    oci-cgroup delete "$BOX"
}

@test "v1 alone, without the v2 hierarchy" {
    requires cgroup_v1
    run -0 elsewhere '
        mkdir /sys/fs/cgroup/{pids,frz}
        mount -t cgroup -o pids none /sys/fs/cgroup/pids
        mount -t cgroup -o freezer none /sys/fs/cgroup/frz
        oci-cgroup create --pids 5 "$1"
        [[ $(<"/sys/fs/cgroup/pids$1/pids.max") == 5 ]]
        ! oci-cgroup update --memory 5M "$1" 2>&1
        oci-cgroup freeze "$1"
        [[ $(<"/sys/fs/cgroup/frz$1/freezer.state") == FROZEN ]]
        oci-cgroup thaw "$1"
        oci-cgroup delete "$1"'

    [[ ${lines[0]} == $'1\tpids\t/sys/fs/cgroup/pids\t'"$BOX" && ${lines[1]} == $'1\tfreezer\t/sys/fs/cgroup/frz\t'"$BOX" ]]
    [[ ${lines[2]} == "oci-cgroup: --memory: no cgroup hierarchy has the controller 'memory'" ]]
}

@test "a hierarchy that is mounted read-only is an error, without anything left; where nothing was asked for it is tolerated" {
    run -0 elsewhere '
        mkdir /sys/fs/cgroup/two
        mount -t cgroup2 none /sys/fs/cgroup/two
        mount -o remount,bind,ro /sys/fs/cgroup/two
        ! oci-cgroup create "$1" 2>&1
        oci-cgroup create --tolerate-denied --name "${1#/}"'

    [[ $output == "oci-cgroup: cannot make cgroup '/sys/fs/cgroup/two$BOX': Read-only file system" ]]
}

@test "a part of a hierarchy that is bound somewhere is not taken for the whole" {
    requires cgroup_v1
    oci-cgroup create "$BOX" >/dev/null
    mkdir part
    run -0 unshare --mount --propagation private bash -ec '
        mount --bind "/sys/fs/cgroup/pids$1" part
        oci-cgroup create --pids 5 "$1/below" | grep pids' - "$BOX"
    [[ $output == $'1\tpids\t/sys/fs/cgroup/pids\t'"$BOX/below" ]]
    oci-cgroup delete "$BOX"
}

# nested FILTER COMMAND...: in a privileged container with a writable cgroup mount, changed by FILTER.
nested()
{
    make_bundle
    cfg --arg path "$BOX" --arg tests "$OCIRUN_BUILD" '.linux.cgroupsPath = $path
        | .mounts += [{destination: "/oci", type: "bind", source: $tests, options: ["rbind", "ro"]}]
        | .mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)
        | .linux.readonlyPaths = [] | .linux.maskedPaths = [] | .root.readonly = false
        | (.process.capabilities[] ) = ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_NET_ADMIN", "CAP_SYS_RESOURCE"]
        | .process.capabilities.ambient = [] | .process.capabilities.inheritable = []
        | .process.env += ["PATH=/oci:/bin"]'
    cfg "$1"
    args sh -ec "${2}"
    rt run "$TEST_ID"
}

nested_work='
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        # Nobody may be where controllers are handed on.
        mkdir /sys/fs/cgroup/self
        echo 0 >/sys/fs/cgroup/self/cgroup.procs
        file=/sys/fs/cgroup/box/pids.max
    else
        file=/sys/fs/cgroup/pids/box/pids.max
    fi
    oci-cgroup create --pids 5 /box >/dev/null
    cat "$file"
    oci-cgroup join /box -- sh -c "oci-cgroup ps /box | grep -cx \$\$"
    oci-cgroup update --pids 7 /box
    cat "$file"
    oci-cgroup delete /box
    [ ! -e "$file" ]
    oci-cgroup create --name inner >where
    cut -f 4 where | sort -u
    oci-cgroup delete "$(head -n 1 where | cut -f 4)"'

@test "nested in a container with a cgroup namespace of its own, cgroups are made below the container's" {
    requires plain_build
    run -0 --separate-stderr nested . "$nested_work"
    [[ $output == $'5\n1\n7\n/inner' ]]
}

@test "nested in a container without a cgroup namespace, too" {
    requires plain_build
    run -0 --separate-stderr nested '.linux.namespaces |= map(select(.type != "cgroup"))' "$nested_work"
    [[ $output == $'5\n1\n7\n/inner' ]]
}

@test "in a container whose cgroup mount is read-only nothing can be made, and the error says why" {
    requires plain_build
    run -0 --separate-stderr nested '.mounts |= map(if .type == "cgroup" then .options += ["ro"] else . end)' '! oci-cgroup create --pids 5 /box 2>&1'
    [[ $output == "oci-cgroup: cannot make cgroup '/sys/fs/cgroup/"*"box': Read-only file system" ]]
}

@test "v1: in hierarchies that were delegated to a user that user sets limits; the others are left out" {
    requires cgroup_v1
    oci-cgroup create "$BOX" >/dev/null
    chown -R 1000:1000 "$(dir pids)" "$(dir freezer)"

    as_user true
    run -0 oci-cgroup join "$BOX" -- setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all \
        "$USER_DIR/bin/oci-cgroup" create --tolerate-denied --pids 5 --name "in-$TEST_ID"
    [[ $(cut -f 2 <<<"$output" | sort | tr '\n' ' ') == "freezer pids " ]]
    [[ $(<"$(dir pids "$BOX/in-$TEST_ID")/pids.max") == 5 ]]
    run -1 oci-cgroup join "$BOX" -- setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all \
        "$USER_DIR/bin/oci-cgroup" create --tolerate-denied --memory 5M --name "in2-$TEST_ID"
    [[ $output == *"cannot set memory limit: container could not join or create cgroup"* ]]
    oci-cgroup delete "$BOX"
}
