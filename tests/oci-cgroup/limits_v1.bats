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

    create "cgroup.blkio.throttle\t/b\tread-bps\t${device/:/\\t}\t1048576" "cgroup.blkio.throttle\t/b\twrite-bps\t${device/:/\\t}\t2097152" \
        "cgroup.blkio.throttle\t/b\tread-iops\t${device/:/\\t}\t400" "cgroup.blkio.throttle\t/b\twrite-iops\t${device/:/\\t}\t500"

    [[ $(value blkio blkio.throttle.read_bps_device) == "$device 1048576" ]]
    [[ $(value blkio blkio.throttle.write_bps_device) == "$device 2097152" ]]
    [[ $(value blkio blkio.throttle.read_iops_device) == "$device 400" ]]
    [[ $(value blkio blkio.throttle.write_iops_device) == "$device 500" ]]
    oci-cgroup delete "$BOX"
}

@test "v1: memory of TCP; hierarchical accounts; kernel memory, which the kernel has given up, is passed over" {
    [[ -e /sys/fs/cgroup/memory/memory.kmem.tcp.limit_in_bytes ]] || skip "needs a kernel with accounts of TCP memory"

    create 'cgroup.memory.kernel-tcp\t/m\t8388608' 'cgroup.memory.use-hierarchy\t/m\ttrue' 'cgroup.memory.kernel\t/m\t4096'

    [[ $(value memory memory.kmem.tcp.limit_in_bytes) == 8388608 ]]
    [[ $(value memory memory.use_hierarchy) == 1 ]]
    # With 4096 bytes of kernel memory nobody could start.
    [[ ! -e $(dir memory)/memory.kmem.limit_in_bytes || $(value memory memory.kmem.limit_in_bytes) != 4096 ]]
    oci-cgroup join "$BOX" -- sh -c '(true)'
    oci-cgroup delete "$BOX"
}

@test "v1: real-time period and runtime" {
    [[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]] || skip "needs a kernel with real-time group scheduling (CONFIG_RT_GROUP_SCHED)"

    create 'cgroup.cpu.realtime-period\t/c\t500000' 'cgroup.cpu.realtime-runtime\t/c\t3000'

    [[ $(value cpu cpu.rt_period_us) == 500000 && $(value cpu cpu.rt_runtime_us) == 3000 ]]
    # Without real-time of its own a v1 cgroup has no process of that class.
    oci-cgroup join "$BOX" -- chrt -r 1 true
    oci-cgroup update --cpu-rt-runtime 2000 "$BOX"
    [[ $(value cpu cpu.rt_runtime_us) == 2000 ]]
    oci-cgroup delete "$BOX"
}

@test "v1: more real-time than the parent has is refused by the kernel" {
    [[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]] || skip "needs a kernel with real-time group scheduling (CONFIG_RT_GROUP_SCHED)"

    run -1 --separate-stderr create 'cgroup.cpu.realtime-runtime\t/linux/resources/cpu/realtimeRuntime\t999999'

    [[ $stderr == "oci-cgroup: /linux/resources/cpu/realtimeRuntime: cannot write '999999' to 'cpu.rt_runtime_us': Invalid argument" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "v1: memory nodes" {
    create 'cgroup.cpuset.mems\t/c\t0' 'cgroup.cpuset.cpus\t/c\t0'

    [[ $(value cpuset cpuset.mems) == 0 && $(value cpuset cpuset.cpus) == 0 ]]
    [[ $(oci-cgroup join "$BOX" -- sed -n 's/^Mems_allowed_list:\t//p' /proc/self/status) == 0 ]]
    [[ $(oci-cgroup join "$BOX" -- sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status) == 0 ]]
    oci-cgroup delete "$BOX"
    run -1 create 'cgroup.cpuset.mems\t/linux/resources/cpu/mems\t63'
    [[ $output == "oci-cgroup: /linux/resources/cpu/mems: cannot write '63' to 'cpuset.mems': "* ]]
}

# A block device of ours with the scheduler BFQ. Sets DEVICE; end_of_device undoes it.
bfq_device()
{
    truncate -s 1M disk
    DEVICE=$(losetup --find --show disk 2>/dev/null) || skip "needs a loop device"
    grep -qw bfq "/sys/block/${DEVICE#/dev/}/queue/scheduler" || { losetup -d "$DEVICE"; skip "needs the I/O scheduler BFQ"; }
    SCHEDULER=$(sed 's/.*\[\(.*\)\].*/\1/' "/sys/block/${DEVICE#/dev/}/queue/scheduler")
    echo bfq >"/sys/block/${DEVICE#/dev/}/queue/scheduler"
    NUMBERS=$(cat "/sys/block/${DEVICE#/dev/}/dev")
}
end_of_device()
{
    echo "$SCHEDULER" >"/sys/block/${DEVICE#/dev/}/queue/scheduler"
    losetup -d "$DEVICE"
}

@test "v1: the weight of a block device" {
    bfq_device
    create "cgroup.blkio.weight-device\t/b\t${NUMBERS/:/\\t}\t700\t" || true
    result=$(value blkio blkio.bfq.weight_device)
    oci-cgroup delete "$BOX" || true
    end_of_device
    [[ $result == *"$NUMBERS 700"* ]]
}

@test "v1: a leaf weight, which went with the I/O scheduler CFQ, is refused by name" {
    [[ ! -e /sys/fs/cgroup/blkio/blkio.leaf_weight ]] || skip "needs a kernel without CFQ (Linux 5.0); with it see limit_writes_test.cc"

    run -1 create 'cgroup.blkio.leaf-weight\t/linux/resources/blockIO/leafWeight\t500'

    [[ $output == "oci-cgroup: /linux/resources/blockIO/leafWeight: cannot write '500' to 'blkio.leaf_weight': No such file or directory" ]]
    [[ $(our_cgroups) == "" ]]
}

# The kernel keeps a hierarchy that is unmounted while a cgroup of it is still being released (cgroup_kill_sb); mounted and unmounted
# once more it goes.
network_hierarchy_is_gone()
{
    grep -q net_prio /proc/self/cgroup || return 0
    unshare --mount sh -c 'mkdir -p again && mount -t cgroup -o net_cls,net_prio none again && umount again'
    ! grep -q net_prio /proc/self/cgroup
}

@test "v1: network class and priorities, whose controllers are mounted together" {
    # In a mount namespace of its own: where the host has not mounted them, the hierarchy goes with it.
    run -0 unshare --mount bash -c '
        mountpoint=$(sed -nE "s|^[^ ]+ [^ ]+ [^ ]+ / ([^ ]+) .* - cgroup [^ ]+ .*net_prio.*|\1|p" /proc/self/mountinfo | head -n 1)
        if [[ -z $mountpoint ]]; then
            mountpoint=$PWD/net
            mkdir net
            mount -t cgroup -o net_cls,net_prio none net 2>/dev/null || { echo unmountable; exit; }
        fi
        printf "plan 1\ncgroup.network.class-id\t/n\t1048577\ncgroup.network.priority\t/n\tlo\t5\nend\n" >plan
        oci-cgroup create --plan-fd 5 "$1" 5<plan >/dev/null
        cat "$mountpoint$1/net_prio.ifpriomap" "$mountpoint/../net_cls$1/net_cls.classid" "$mountpoint$1/net_cls.classid" 2>/dev/null
        oci-cgroup update --plan-fd 5 "$1" 5< <(printf "plan 1\ncgroup.network.priority\t/n\tlo\t7\nend\n")
        cat "$mountpoint$1/net_prio.ifpriomap"
        oci-cgroup join "$1" -- sed -n "s/^[0-9]*:\(net_[^:]*\):/\1 /p" /proc/self/cgroup
        oci-cgroup delete "$1"' - "$BOX"
    [[ $output != unmountable ]] || skip "needs the controllers net_cls and net_prio"
    grep -q 'cgroup .*net_prio' /proc/mounts || wait_until network_hierarchy_is_gone

    [[ $output == *"lo 5"*$'\n'1048577$'\n'*"lo 7"*"$BOX"* ]]
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
    requires huge_pages

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

@test "v1: an invalid value of each kind is an error with its pointer, and leaves no cgroup" {
    for line in 'cgroup.memory.limit\t/P\t-2' 'cgroup.memory.swappiness\t/P\t300' 'cgroup.cpu.quota\t/P\t5' 'cgroup.cpu.period\t/P\t5' \
        'cgroup.cpuset.cpus\t/P\t4095' 'cgroup.cpuset.mems\t/P\t60' 'cgroup.pids.limit\t/P\t-7' 'cgroup.blkio.weight\t/P\t5000' \
        'cgroup.blkio.throttle\t/P\tread-bps\t4000\t0\t5' 'cgroup.blkio.weight-device\t/P\t4000\t0\t500\t' 'cgroup.hugetlb\t/P\t3KB\t5' 'cgroup.hugetlb\t/P\t../x\t5' \
        'cgroup.unified\t/P\t../cgroup.procs\t1' 'cgroup.rdma\t/P\tnosuch0\t1\t1' 'cgroup.network.priority\t/P\tnosuch0\t1'; do
        run -1 create "$line"
        [[ $output == "oci-cgroup: /P: "* ]] || { echo "$line: $output"; false; }
        [[ $(our_cgroups) == "" ]]
    done
}
