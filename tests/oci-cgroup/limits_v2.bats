#!/usr/bin/env bats
# oci-cgroup create: each limit lands in the right file of cgroup v2.

load ../helpers
load cgroups

setup()
{
    ocirun_setup
    requires root cgroup_v2
    BOX=/$TEST_ID
}

create()
{
    plan "$@"
    oci-cgroup create --plan-fd 5 "$BOX" 5<plan >/dev/null
}

@test "v2: memory limit, swap and reservation" {
    create 'cgroup.memory.limit\t/m\t67108864' 'cgroup.memory.swap\t/m\t100663296' 'cgroup.memory.reservation\t/m\t33554432'

    [[ $(value memory memory.max) == 67108864 ]]
    [[ $(value memory memory.swap.max) == 33554432 ]]
    [[ $(value memory memory.low) == 33554432 ]]
    oci-cgroup delete "$BOX"
}

@test "v2: -1 is max" {
    create 'cgroup.memory.limit\t/m\t-1' 'cgroup.memory.swap\t/m\t-1' 'cgroup.pids.limit\t/p\t-1'

    [[ $(value memory memory.max) == max ]]
    [[ $(value memory memory.swap.max) == max ]]
    [[ $(value pids pids.max) == max ]]
    oci-cgroup delete "$BOX"
}

@test "v2: memory and swap below the memory limit is refused" {
    run -1 --separate-stderr create 'cgroup.memory.limit\t/m\t67108864' 'cgroup.memory.swap\t/linux/resources/memory/swap\t1048576'

    [[ $stderr == "oci-cgroup: /linux/resources/memory/swap: memory and swap together ('1048576') is less than the memory limit ('67108864')" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "v2: what only v1 has is refused" {
    run -1 --separate-stderr create 'cgroup.memory.swappiness\t/linux/resources/memory/swappiness\t10'
    [[ $stderr == "oci-cgroup: /linux/resources/memory/swappiness: swappiness exists on cgroup v1 only"* ]]

    run -1 --separate-stderr create 'cgroup.network.class-id\t/linux/resources/network/classID\t10'
    [[ $stderr == "oci-cgroup: /linux/resources/network/classID: "* ]]
    [[ $(our_cgroups) == "" ]]
}

@test "v2: cpu weight, quota, period and burst" {
    create 'cgroup.cpu.shares\t/c\t1024' 'cgroup.cpu.quota\t/c\t150000' 'cgroup.cpu.period\t/c\t200000' 'cgroup.cpu.burst\t/c\t10000'

    [[ $(value cpu cpu.weight) == 100 ]]
    [[ $(value cpu cpu.max) == "150000 200000" ]]
    [[ $(value cpu cpu.max.burst) == 10000 ]]
    oci-cgroup delete "$BOX"
}

@test "v2: an idle cgroup" {
    create 'cgroup.cpu.idle\t/c\t1' 'cgroup.cpu.shares\t/c\t1024'

    [[ $(value cpu cpu.idle) == 1 ]]
    oci-cgroup delete "$BOX"
}

@test "v2: CPUs and memory nodes, in parents that had to be made too" {
    oci-cgroup create --cpuset-cpus 0 --cpuset-mems 0 "$BOX/a/b" >/dev/null

    [[ $(<"$(dir cpuset "$BOX/a/b")/cpuset.cpus") == 0 ]]
    [[ $(<"$(dir cpuset "$BOX/a/b")/cpuset.mems") == 0 ]]
    oci-cgroup delete "$BOX"
}

@test "v2: pids limit" {
    create 'cgroup.pids.limit\t/p\t20'

    [[ $(value pids pids.max) == 20 ]]
    oci-cgroup delete "$BOX"
}

@test "v2: weight and throttles of block I/O" {
    device=$(cat /sys/block/nvme*/dev /sys/block/sd*/dev /sys/block/vd*/dev 2>/dev/null | head -n 1)
    [[ $device ]] || skip "needs a disk"

    create 'cgroup.blkio.weight\t/b\t1000' "cgroup.blkio.throttle\t/b\tread-bps\t${device/:/\\t}\t1048576" \
        "cgroup.blkio.throttle\t/b\twrite-bps\t${device/:/\\t}\t2097152" "cgroup.blkio.throttle\t/b\tread-iops\t${device/:/\\t}\t400" \
        "cgroup.blkio.throttle\t/b\twrite-iops\t${device/:/\\t}\t500"

    if [[ -e $(dir io)/io.bfq.weight ]]; then
        [[ $(value io io.bfq.weight) == *1000* ]]
    else
        [[ $(value io io.weight) == *10000* ]]
    fi
    [[ $(value io io.max) == "$device rbps=1048576 wbps=2097152 riops=400 wiops=500" ]]
    oci-cgroup delete "$BOX"
}

@test "v2: huge pages" {
    grep -qw hugetlb /sys/fs/cgroup/cgroup.controllers || skip "needs the controller 'hugetlb'"
    requires huge_pages

    create 'cgroup.hugetlb\t/h\t2MB\t4194304'

    [[ $(value hugetlb hugetlb.2MB.max) == 4194304 ]]
    [[ $(value hugetlb hugetlb.2MB.rsvd.max) == 4194304 ]]
    oci-cgroup delete "$BOX"
}

@test "v2: unified values are written as they are" {
    create 'cgroup.unified\t/u\tmemory.high\t50331648' 'cgroup.unified\t/u\tpids.max\t9' 'cgroup.unified\t/u\tcgroup.max.depth\t3'

    [[ $(value memory memory.high) == 50331648 ]]
    [[ $(value pids pids.max) == 9 ]]
    [[ $(value pids cgroup.max.depth) == 3 ]]
    oci-cgroup delete "$BOX"
}

@test "v2: a unified file outside of the cgroup, of an unknown controller or that does not exist is refused" {
    run -1 --separate-stderr create 'cgroup.unified\t/u/x\t../cgroup.procs\t1'
    [[ $stderr == "oci-cgroup: /u/x: '../cgroup.procs' is not the name of a file in a cgroup" ]]
    run -1 --separate-stderr create 'cgroup.unified\t/u/x\tfoo.max\t1'
    [[ $stderr == "oci-cgroup: /u/x: no cgroup hierarchy has the controller 'foo'" ]]
    run -1 --separate-stderr create 'cgroup.unified\t/u/x\tmemory.foo\t1'
    [[ $stderr == "oci-cgroup: /u/x: cannot write '1' to 'memory.foo': No such file or directory" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "v2: a controller is handed on through parents that had to be made" {
    oci-cgroup create --pids 5 "$BOX/a/b" >/dev/null

    [[ $(<"$(dir pids "$BOX/a")/cgroup.subtree_control") == *pids* ]]
    [[ $(<"$(dir pids "$BOX/a/b")/pids.max") == 5 ]]
    oci-cgroup delete "$BOX"
}

@test "v2: below a cgroup with processes limits are refused, by the name of that cgroup, which stays as it was" {
    mkdir "$(dir pids)"
    start_in "$BOX"
    before=$(<"$(dir pids)/cgroup.subtree_control")

    run -1 --separate-stderr oci-cgroup create --pids 5 "$BOX/a"

    [[ $stderr == "oci-cgroup: --pids: cgroup '$BOX' cannot delegate the controller 'pids' to its children as long as processes are in it: Device or resource busy" ]]
    [[ $(<"$(dir pids)/cgroup.subtree_control") == "$before" ]]
    [[ ! -e $(dir pids "$BOX/a") ]]
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "v2: below a cgroup with processes one without limits can be made and joined" {
    mkdir "$(dir pids)"
    start_in "$BOX"

    oci-cgroup create "$BOX/a" >/dev/null
    run -0 oci-cgroup join "$BOX/a" -- cat /proc/self/cgroup

    [[ $output == "0::$BOX/a" ]]
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "v2: a cgroup that nobody could join is refused" {
    mkdir "$(dir pids)" "$(dir pids "$BOX/t")"
    echo threaded >"$(dir pids "$BOX/t")/cgroup.type"

    run -1 --separate-stderr oci-cgroup create "$BOX/t/a"

    [[ $stderr == *"cannot hold processes ('domain invalid')"* ]]
    oci-cgroup delete "$BOX"
}

# can_open ACCESS DEVICE: whether a process in the cgroup may.
can_open() { oci-cgroup join "$BOX" -- sh -c 'exec 4'"$1"'"$0"' "$2" 2>/dev/null; }

@test "v2: device rules hold for the processes in the cgroup: the last match decides, each access by itself" {
    oci-cgroup create --device 'deny a' --device 'allow c 1:* r' --device 'allow c 1:3 w' --device 'deny c 1:5 r' "$BOX" >/dev/null

    can_open '<' /dev/null
    can_open '>' /dev/null
    can_open '<>' /dev/null
    can_open '<' /dev/full
    run ! can_open '>' /dev/full
    run ! can_open '<>' /dev/full
    run ! can_open '<' /dev/zero
    run ! can_open '<' /dev/ptmx
    run ! oci-cgroup join "$BOX" -- mknod "$BATS_TEST_TMPDIR/null" c 1 3
    oci-cgroup delete "$BOX"
}

@test "v2: without device rules every device is allowed" {
    oci-cgroup create "$BOX" >/dev/null

    can_open '<>' /dev/zero
    oci-cgroup join "$BOX" -- mknod "$BATS_TEST_TMPDIR/null" c 1 3
    oci-cgroup delete "$BOX"
}

@test "v2: device rules that root may not attach are an error, --tolerate-denied or not" {
    plan 'cgroup.device\t/linux/resources/devices/0\tdeny\ta\t*\t*\trwm'
    for option in "" --tolerate-denied; do
        # shellcheck disable=SC2086  # an option or none
        run -1 --separate-stderr deny-syscall bpf:1 -- oci-cgroup create $option --plan-fd 5 --name "$TEST_ID" 5<plan
        [[ $stderr == "oci-cgroup: /linux/resources/devices/0: cannot load the program for the device rules: Operation not permitted" ]]
        [[ $(our_cgroups) == "" ]]
    done
}

@test "v2: the weight of a block device" {
    truncate -s 1M disk
    device=$(losetup --find --show disk 2>/dev/null) || skip "needs a loop device"
    numbers=$(cat "/sys/block/${device#/dev/}/dev")
    # With the scheduler BFQ, or by the cost model.
    if grep -qw bfq "/sys/block/${device#/dev/}/queue/scheduler"; then
        scheduler=$(sed 's/.*\[\(.*\)\].*/\1/' "/sys/block/${device#/dev/}/queue/scheduler")
        echo bfq >"/sys/block/${device#/dev/}/queue/scheduler"
    elif ! echo "$numbers enable=1" >/sys/fs/cgroup/io.cost.qos 2>/dev/null; then
        losetup -d "$device"
        skip "needs BFQ or io.cost"
    fi

    create "cgroup.blkio.weight-device\t/b\t${numbers/:/\\t}\t1000\t" || true
    result=$(value io io.bfq.weight || true)$(value io io.weight || true)
    oci-cgroup delete "$BOX" || true
    [[ -z ${scheduler:-} ]] || echo "$scheduler" >"/sys/block/${device#/dev/}/queue/scheduler"
    [[ -n ${scheduler:-} ]] || echo "$numbers enable=0" >/sys/fs/cgroup/io.cost.qos
    losetup -d "$device"
    [[ $result == *"$numbers 1000"* ]]
}

@test "v2: RDMA of a device that does not exist is refused by the kernel" {
    [[ -e /sys/fs/cgroup/cgroup.controllers ]] && grep -qw rdma /sys/fs/cgroup/cgroup.controllers || skip "needs the controller 'rdma'"

    run -1 create 'cgroup.rdma\t/linux/resources/rdma/nosuch0\tnosuch0\t3\t5'

    [[ $output == "oci-cgroup: /linux/resources/rdma/nosuch0: cannot write 'nosuch0 hca_handle=3 hca_object=5' to 'rdma.max': "* ]]
    [[ $(our_cgroups) == "" ]]
}

@test "v2: an invalid value of each kind is an error with its pointer, and leaves no cgroup" {
    for line in 'cgroup.memory.limit\t/P\t-2' 'cgroup.cpu.quota\t/P\t5' 'cgroup.cpu.period\t/P\t5' 'cgroup.cpuset.cpus\t/P\t4095' 'cgroup.cpuset.mems\t/P\t60' \
        'cgroup.pids.limit\t/P\t-7' 'cgroup.blkio.weight\t/P\t5000' 'cgroup.blkio.throttle\t/P\tread-bps\t4000\t0\t5' 'cgroup.cpu.idle\t/P\t7' \
        'cgroup.unified\t/P\tmemory.high\tmuch' 'cgroup.unified\t/P\tcgroup.type\tnonsense' 'cgroup.hugetlb\t/P\t3KB\t5' 'cgroup.hugetlb\t/P\t../x\t5'; do
        run -1 create "$line"
        [[ $output == "oci-cgroup: /P: "* ]] || { echo "$line: $output"; false; }
        [[ $(our_cgroups) == "" ]]
    done
}

@test "v2: the reservations of huge pages are limited, too" {
    requires huge_pages

    create 'cgroup.hugetlb\t/h\t2MB\t4194304'

    [[ $(value hugetlb hugetlb.2MB.max) == 4194304 ]]
    [[ ! -e $(dir hugetlb)/hugetlb.2MB.rsvd.max || $(value hugetlb hugetlb.2MB.rsvd.max) == 4194304 ]]
    oci-cgroup delete "$BOX"
}
