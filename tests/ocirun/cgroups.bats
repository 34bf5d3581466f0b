#!/usr/bin/env bats
# A container's cgroups: where they are, that they limit it from its first moment, and that they go.

load ../helpers

BATS_TEST_TIMEOUT=$((BATS_TEST_TIMEOUT * 3))

setup()
{
    ocirun_setup
    requires root
    make_bundle
}

# where ID: its cgroup, by the journal, relative to the mount point.
where() { sed -n 's/^location\t.*\t//p' "$STATE_ROOT/$1" | sort -u; }

# The cgroup of this test's shell, as a relative path is taken: below it on v1, beside it on v2.
near()
{
    if [[ $(cgroup_layout) == v2 ]]; then
        sed -n 's/^0:://p' /proc/self/cgroup | sed 's|/[^/]*$||'
    else
        sed -n 's/^[0-9]*:pids://p' /proc/self/cgroup | sed 's|^/$||'
    fi
}

@test "an absolute cgroupsPath counts from the root of each hierarchy" {
    cfg --arg path "/$TEST_ID/a//./b" '.linux.cgroupsPath = $path'
    rt create "$TEST_ID" >/dev/null 2>&1 </dev/null

    [[ $(where "$TEST_ID") == "/$TEST_ID/a/b" ]]

    rt delete "$TEST_ID"
    [[ $(our_cgroups) == "" ]]
}

@test "a relative cgroupsPath, and the id without one, are near the caller's own cgroup" {
    cfg --arg path "$TEST_ID-x/y" '.linux.cgroupsPath = $path'
    rt create "$TEST_ID" >/dev/null 2>&1 </dev/null
    where "$TEST_ID" | grep -qx "$(near)/$TEST_ID-x/y"
    rt delete "$TEST_ID"
    [[ $(our_cgroups) == "" ]]

    cfg 'del(.linux.cgroupsPath)'
    rt create "$TEST_ID" >/dev/null 2>&1 </dev/null
    where "$TEST_ID" | grep -qx "$(near)/$TEST_ID"
    rt delete "$TEST_ID"
    [[ $(our_cgroups) == "" ]]
}

@test "the limits hold for the first process from its first instruction" {
    cfg '.linux.resources += {pids: {limit: 2}, memory: {limit: 67108864}}'
    args sh -c 'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null ||
        { read -r max </sys/fs/cgroup/pids.max; echo "$max"; read -r max </sys/fs/cgroup/memory.max; echo "$max"; }'
    run -0 rt run "$TEST_ID"
    [[ $output == $'2\n67108864' ]]

    args sh -c '(true) & (true) & (true) & wait'
    run rt run "$TEST_ID"
    [[ $status != 0 && $output == *"fork"* ]]
    [[ $(our_cgroups) == "" ]]
}

@test "v1: each limit of config.json is in its file" {
    requires cgroup_v1
    local device major minor controller file expected
    device=$(cat /sys/block/*/dev 2>/dev/null | head -n 1)
    [[ $device ]] || skip "needs a block device"
    IFS=: read -r major minor <<<"$device"
    cfg --argjson major "$major" --argjson minor "$minor" '{major: $major, minor: $minor} as $device | .linux.resources += {
        memory: {limit: 67108864, reservation: 33554432, swappiness: 7}, pids: {limit: 20},
        cpu: {shares: 512, quota: 50000, period: 200000, cpus: "0", mems: "0"},
        blockIO: {throttleReadBpsDevice: [$device + {rate: 1048576}], throttleWriteBpsDevice: [$device + {rate: 2097152}],
            throttleReadIOPSDevice: [$device + {rate: 400}], throttleWriteIOPSDevice: [$device + {rate: 500}]}}'
    cfg --arg path "/$TEST_ID" '.linux.cgroupsPath = $path'

    rt create "$TEST_ID" >/dev/null 2>&1 </dev/null

    while read -r controller file expected; do
        [[ $(cat "/sys/fs/cgroup/$controller/$TEST_ID/$file") == "$expected" ]] || { echo "$file: $(cat "/sys/fs/cgroup/$controller/$TEST_ID/$file")"; return 1; }
    done <<T
memory memory.limit_in_bytes 67108864
memory memory.soft_limit_in_bytes 33554432
memory memory.swappiness 7
pids pids.max 20
cpu cpu.shares 512
cpu cpu.cfs_quota_us 50000
cpu cpu.cfs_period_us 200000
cpuset cpuset.cpus 0
cpuset cpuset.mems 0
blkio blkio.throttle.read_bps_device $device 1048576
blkio blkio.throttle.write_bps_device $device 2097152
blkio blkio.throttle.read_iops_device $device 400
blkio blkio.throttle.write_iops_device $device 500
T
    rt delete "$TEST_ID"
}

@test "a limit that the kernel refuses is an error with its pointer; neither container nor cgroup is left" {
    cfg --arg path "/$TEST_ID/in/ner" '.linux.cgroupsPath = $path | .linux.resources.cpu.cpus = "4095"'

    run -1 --separate-stderr rt run "$TEST_ID"

    [[ $stderr == *"oci-cgroup: /linux/resources/cpu/cpus: cannot write '4095' to 'cpuset.cpus': "* ]]
    [[ $(our_cgroups) == "" ]]
    run -1 rt state "$TEST_ID"
}

@test "a container that is out of memory ends with 137" {
    requires plain_build  # the sanitizers' programs need more to start
    cfg '.linux.resources.memory = {limit: 4194304, swap: 4194304}'
    args sh -c 'x=x; while :; do x=$x$x; done'

    run -137 rt run "$TEST_ID"

    [[ $(our_cgroups) == "" ]]
}

@test "a memory limit too small to start in is named" {
    requires plain_build
    cfg '.linux.resources.memory = {limit: 4096}'

    run -1 rt run "$TEST_ID"

    [[ $output == "ocirun: run failed: oci-"*" was killed by signal 9 (Killed)"* ]]
    [[ $output == *"; the kernel killed it because the container's memory limit is too small (/linux/resources/memory/limit)" ]]
    nothing_is_left
}

@test "200 containers that are made and removed at once leave no cgroup" {
    count=200
    [[ ! -d /run/systemd/system ]] || count=40 # an emulated machine
    cfg '.linux.resources += {pids: {limit: 20}, memory: {limit: 67108864}} | del(.linux.cgroupsPath)'
    seq "$count" | xargs -P 20 -I{} sh -c '"$1" --root "$2" run "$3-{}" >/dev/null 2>"err-{}" </dev/null || echo "{}: $(cat "err-{}")" >>failures' - "$OCIRUN" "$STATE_ROOT" "$TEST_ID"

    [[ ! -e failures ]] || { cat failures; false; }
    [[ $(our_cgroups) == "" ]]
    [[ $(rt list -q) == "" ]]

    args sleep 1000
    seq "$count" | xargs -P 20 -I{} sh -c '"$1" --root "$2" create "$3-{}" >/dev/null 2>"err-{}" </dev/null || echo "{}: $(cat "err-{}")" >>failures' - "$OCIRUN" "$STATE_ROOT" "$TEST_ID"
    (($(rt list -q | wc -l) == count))
    rt list -q | xargs -P 20 -n 1 "$OCIRUN" --root "$STATE_ROOT" delete --force
    [[ ! -e failures ]] || { cat failures; false; }
    [[ $(our_cgroups) == "" ]]
    [[ $(rt list -q) == "" ]]
}
