#!/usr/bin/env bats
# oci-cgroup create: each limit lands in the right file of cgroup v1.

load ../helpers
load cgroups

setup()
{
    ocirun_setup
    requires root cgroup_v1
    BOX=/$TEST_ID
}

# create LINE...: a cgroup at $BOX with these limits of a plan.
create()
{
    plan "$@"
    oci-cgroup create --plan-fd 5 "$BOX" 5<plan >/dev/null
}

# needs_controller NAME: skips where no v1 hierarchy has it.
needs_controller() { [[ -d /sys/fs/cgroup/$1 ]] || skip "needs the v1 controller '$1'"; }

@test "v1: memory limit, reservation and swappiness" {
    create 'cgroup.memory.limit\t/m\t67108864' 'cgroup.memory.reservation\t/m\t33554432' 'cgroup.memory.swappiness\t/m\t10'

    [[ $(value memory memory.limit_in_bytes) == 67108864 ]]
    [[ $(value memory memory.soft_limit_in_bytes) == 33554432 ]]
    [[ $(value memory memory.swappiness) == 10 ]]
    oci-cgroup delete "$BOX"
}

@test "v1: memory and swap can be raised and lowered together in a cgroup that is taken over" {
    [[ -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ]] || skip "needs swap accounting"
    for size in 32 64 16; do
        oci-cgroup create --memory "${size}M" --memory-swap "$((size + 8))M" "$BOX" >/dev/null
        [[ $(value memory memory.limit_in_bytes) == $((size << 20)) ]]
        [[ $(value memory memory.memsw.limit_in_bytes) == $(((size + 8) << 20)) ]]
    done
    oci-cgroup create --memory -1 "$BOX" >/dev/null
    (($(value memory memory.limit_in_bytes) > 1 << 50))
    oci-cgroup delete "$BOX"
}

@test "v1: memory and swap below the memory limit is refused by the kernel" {
    [[ -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ]] || skip "needs swap accounting"

    run -1 --separate-stderr create 'cgroup.memory.limit\t/linux/resources/memory/limit\t67108864' \
        'cgroup.memory.swap\t/linux/resources/memory/swap\t1048576'

    [[ $stderr == "oci-cgroup: /linux/resources/memory/swap: cannot write '1048576' to 'memory.memsw.limit_in_bytes': Invalid argument" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "v1: the OOM killer is disabled when asked for" {
    create 'cgroup.memory.disable-oom-killer\t/m\ttrue'

    [[ $(value memory memory.oom_control) == *"oom_kill_disable 1"* ]]
    oci-cgroup delete "$BOX"
}

@test "v1: cpu shares, quota and period" {
    create 'cgroup.cpu.shares\t/c\t512' 'cgroup.cpu.quota\t/c\t150000' 'cgroup.cpu.period\t/c\t200000'

    [[ $(value cpu cpu.shares) == 512 ]]
    [[ $(value cpu cpu.cfs_quota_us) == 150000 ]]
    [[ $(value cpu cpu.cfs_period_us) == 200000 ]]
    oci-cgroup delete "$BOX"
}

@test "v1: cpu burst" {
    [[ -e /sys/fs/cgroup/cpu/cpu.cfs_burst_us ]] || skip "needs cpu.cfs_burst_us (Linux 5.14)"

    create 'cgroup.cpu.quota\t/c\t150000' 'cgroup.cpu.burst\t/c\t10000'

    [[ $(value cpu cpu.cfs_burst_us) == 10000 ]]
    oci-cgroup delete "$BOX"
}

@test "v1: a cpuset without a limit gets its ancestor's CPUs and nodes, made parents too" {
    oci-cgroup create "$BOX/a/b" >/dev/null

    for path in "$BOX" "$BOX/a" "$BOX/a/b"; do
        [[ $(<"$(dir cpuset "$path")/cpuset.cpus") == "$(</sys/fs/cgroup/cpuset/cpuset.cpus)" ]]
        [[ $(<"$(dir cpuset "$path")/cpuset.mems") == "$(</sys/fs/cgroup/cpuset/cpuset.mems)" ]]
    done
    oci-cgroup delete "$BOX"
}

@test "v1: a cpuset below an empty one of somebody else is filled from further up" {
    mkdir "$(dir cpuset)"

    oci-cgroup create --cpuset-cpus 0 "$BOX/a" >/dev/null

    [[ $(<"$(dir cpuset "$BOX/a")/cpuset.cpus") == 0 ]]
    [[ $(value cpuset cpuset.cpus) == "$(</sys/fs/cgroup/cpuset/cpuset.cpus)" ]]
    oci-cgroup join "$BOX/a" -- true
    oci-cgroup delete "$BOX"
}

@test "v1: CPUs that do not exist are refused" {
    run -1 --separate-stderr create 'cgroup.cpuset.cpus\t/linux/resources/cpu/cpus\t4000'

    [[ $stderr == "oci-cgroup: /linux/resources/cpu/cpus: cannot write '4000' to 'cpuset.cpus': "* ]]
    [[ $(our_cgroups) == "" ]]
}

@test "v1: pids limit; -1 is unlimited, 0 the least" {
    for pair in 20:20 -1:max 0:1; do
        oci-cgroup create --pids "${pair%:*}" "$BOX" >/dev/null
        [[ $(value pids pids.max) == "${pair#*:}" ]]
    done
    oci-cgroup delete "$BOX"
}

@test "v1: the weight of block I/O goes to the file that the kernel has" {
    oci-cgroup create "$BOX" >/dev/null
    file=blkio.weight
    [[ -e $(dir blkio)/$file ]] || file=blkio.bfq.weight
    [[ -e $(dir blkio)/$file ]] || { oci-cgroup delete "$BOX"; skip "needs a weight of block I/O (BFQ)"; }

    oci-cgroup create --io-weight 300 "$BOX" >/dev/null

    [[ $(value blkio "$file") == *300* ]]
    oci-cgroup delete "$BOX"
}

@test "v1: throttles of a block device" {
    device=$(cat /sys/block/*/dev 2>/dev/null | head -n 1)
    [[ $device ]] || skip "needs a block device"

    create "cgroup.blkio.throttle\t/b\tread-bps\t${device/:/\\t}\t1048576" "cgroup.blkio.throttle\t/b\twrite-iops\t${device/:/\\t}\t500"

    [[ $(value blkio blkio.throttle.read_bps_device) == "$device 1048576" ]]
    [[ $(value blkio blkio.throttle.write_iops_device) == "$device 500" ]]
    oci-cgroup delete "$BOX"
}

@test "v1: network class and priorities" {
    needs_controller net_cls
    needs_controller net_prio

    create 'cgroup.network.class-id\t/n\t1048577' 'cgroup.network.priority\t/n\tlo\t5'

    [[ $(value net_cls net_cls.classid) == 1048577 ]]
    [[ $(value net_prio net_prio.ifpriomap) == *"lo 5"* ]]
    oci-cgroup delete "$BOX"
}

@test "v1: a limit whose controller no hierarchy has is refused" {
    [[ ! -d /sys/fs/cgroup/net_cls ]] || skip "needs a host without net_cls"

    run -1 --separate-stderr create 'cgroup.network.class-id\t/linux/resources/network/classID\t5'

    [[ $stderr == "oci-cgroup: /linux/resources/network/classID: a network class exists on cgroup v1 only; the controller 'net_cls' is not mounted there" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "hybrid: huge pages are limited in the hierarchy that has them" {
    requires hybrid
    if [[ -d /sys/fs/cgroup/hugetlb ]]; then
        file=/sys/fs/cgroup/hugetlb$BOX/hugetlb.2MB.limit_in_bytes
    else
        grep -qw hugetlb /sys/fs/cgroup/unified/cgroup.controllers || skip "needs the controller 'hugetlb'"
        file=/sys/fs/cgroup/unified$BOX/hugetlb.2MB.max
    fi
    [[ -d /sys/kernel/mm/hugepages/hugepages-2048kB ]] || skip "needs huge pages of 2 MB"

    create 'cgroup.hugetlb\t/h\t2MB\t4194304'

    [[ $(<"$file") == 4194304 ]]
    oci-cgroup delete "$BOX"
}

@test "hybrid: a unified limit of a controller that is in v1 is refused" {
    requires hybrid

    run -1 --separate-stderr create 'cgroup.unified\t/linux/resources/unified/memory.high\tmemory.high\t5'

    [[ $stderr == "oci-cgroup: /linux/resources/unified/memory.high: no cgroup hierarchy has the controller 'memory'" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "v1: device rules become a default and exceptions" {
    oci-cgroup create --device 'deny a *:* rwm' --device 'allow c 1:3 rwm' --device 'allow b *:* m' --device 'allow c 1:3 r' "$BOX" >/dev/null

    [[ $(value devices devices.list) == $'c 1:3 rwm\nb *:* m' ]]
    oci-cgroup delete "$BOX"
}

@test "v1: device rules that cannot be expressed are refused with the pointer of the rule" {
    run -1 --separate-stderr create 'cgroup.device\t/linux/resources/devices/0\tdeny\ta\t*\t*\trwm' \
        'cgroup.device\t/linux/resources/devices/1\tallow\tc\t1\t*\trwm' 'cgroup.device\t/linux/resources/devices/2\tdeny\tc\t1\t3\tw'

    [[ $stderr == "oci-cgroup: /linux/resources/devices/2: device rule: cgroup v1 cannot make an exception from an exception with wildcards" ]]
    [[ $(our_cgroups) == "" ]]
}
