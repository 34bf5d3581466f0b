#!/usr/bin/env bats
# oci-cgroup update: other limits for a cgroup that exists, all or none.

load ../helpers
load cgroups

setup()
{
    ocirun_setup
    requires root
    BOX=/$TEST_ID
    if [[ $(cgroup_layout) == v2 ]]; then
        memory_max=memory.max
    else
        memory_max=memory.limit_in_bytes
    fi
}

update() { oci-cgroup update "$@" "$BOX"; }

# update_plan LINE...: by a plan.
update_plan()
{
    plan "$@"
    oci-cgroup update --plan-fd 5 "$BOX" 5<plan
}

@test "update changes what is named and leaves the rest" {
    oci-cgroup create --memory 64M --pids 20 --cpu-quota 50000 --cpu-period 100000 "$BOX" >/dev/null

    run -0 update --pids 30 --cpu-quota 20000

    [[ $output == "" ]]
    [[ $(value pids pids.max) == 30 ]]
    [[ $(value memory "$memory_max") == 67108864 ]]
    if [[ $(cgroup_layout) == v2 ]]; then
        [[ $(value cpu cpu.max) == "20000 100000" ]]
    else
        [[ $(value cpu cpu.cfs_quota_us) == 20000 && $(value cpu cpu.cfs_period_us) == 100000 ]]
    fi
    oci-cgroup delete "$BOX"
}

@test "the new limit holds for the processes that are in it" {
    oci-cgroup create --pids 20 "$BOX" >/dev/null
    start_in "$BOX"

    update --pids 1

    run oci-cgroup join "$BOX" -- sh -c '(true); echo made'
    ((status != 0))
    [[ $output == *fork* && $output != *made* ]]
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "a refused update changes nothing, and names the limit" {
    oci-cgroup create --memory 64M --pids 20 --cpu-quota 50000 --cpu-period 100000 "$BOX" >/dev/null
    before=$(our_values)

    run -1 --separate-stderr update_plan 'cgroup.memory.limit\t/memory/limit\t33554432' 'cgroup.cpu.quota\t/cpu/quota\t20000' \
        'cgroup.cpuset.cpus\t/cpu/cpus\t0' 'cgroup.pids.limit\t/pids/limit\t-7'

    [[ $stderr == "oci-cgroup: /pids/limit: cannot write '-7' to 'pids.max': Invalid argument" ]]
    [[ $(our_values) == "$before" ]]
    oci-cgroup delete "$BOX"
}
# What the limits of our cgroup are.
our_values()
{
    local file
    for file in "$(dir memory)/$memory_max" "$(dir cpu)"/cpu.{max,weight,shares,cfs_quota_us,cfs_period_us} "$(dir cpuset)"/cpuset.{cpus,mems} "$(dir pids)/pids.max" \
        "$(dir devices)/devices.list" "$(dir blkio)"/{io.max,blkio.throttle.read_bps_device}; do
        [[ ! -e $file ]] || echo "$file $(<"$file")"
    done
}

@test "a refused update of a device's throttle lifts it again where there was none" {
    device=$(cat /sys/block/*/dev | head -n 1)
    [[ $device ]] || skip "needs a block device"
    oci-cgroup create "$BOX" >/dev/null
    before=$(our_values)

    # Something that is refused later than the throttle.
    if [[ $(cgroup_layout) == v2 ]]; then
        bad='cgroup.unified\t/unified\tpids.max\tmany'
    else
        bad='cgroup.pids.limit\t/pids/limit\t-7'
    fi
    run -1 update_plan "cgroup.blkio.throttle\t/b\tread-bps\t${device/:/\\t}\t1048576" "$bad"

    [[ $(our_values) == "$before" ]]
    update_plan "cgroup.blkio.throttle\t/b\tread-bps\t${device/:/\\t}\t1048576"
    [[ $(our_values) == *"$device "*1048576* ]]
    update_plan "cgroup.blkio.throttle\t/b\tread-bps\t${device/:/\\t}\t0"
    [[ $(our_values) == "$before" ]]
    oci-cgroup delete "$BOX"
}

@test "memory and swap are raised and lowered together, whatever the order the kernel wants" {
    if [[ $(cgroup_layout) == v2 ]]; then
        [[ -e $(dirname "$(dir memory)")/cgroup.controllers ]] && swap_max=memory.swap.max
    else
        [[ -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ]] || skip "needs swap accounting"
        swap_max=memory.memsw.limit_in_bytes
    fi
    oci-cgroup create --memory 32M --memory-swap 40M "$BOX" >/dev/null
    [[ -e $(dir memory)/$swap_max ]] || { oci-cgroup delete "$BOX"; skip "needs swap accounting"; }
    for size in 64 16 128; do
        update --memory "${size}M" --memory-swap "$((size + 8))M"
        [[ $(value memory "$memory_max") == $((size << 20)) ]]
        if [[ $(cgroup_layout) == v2 ]]; then
            [[ $(value memory memory.swap.max) == $((8 << 20)) ]]
        else
            [[ $(value memory memory.memsw.limit_in_bytes) == $(((size + 8) << 20)) ]]
        fi
    done
    # Of memory alone: both together stay.
    update --memory 100M
    run -1 update --memory 200M
    [[ $(value memory "$memory_max") == $((100 << 20)) ]]
    [[ $(cgroup_layout) != v2 || $(value memory memory.swap.max) == $((36 << 20)) ]]
    # Of both together alone.
    update --memory-swap 110M
    [[ $(value memory "$swap_max") == $((($(cgroup_layout | grep -c v2) ? 10 : 110) << 20)) ]]
    update --memory -1 --memory-swap -1
    oci-cgroup delete "$BOX"
}

@test "quota, period and burst are raised and lowered together" {
    [[ -e $(dir cpu /)/cpu.cfs_burst_us || $(cgroup_layout) == v2 ]] || skip "needs Linux 5.14"
    oci-cgroup create --cpu-quota 50000 --cpu-period 100000 --cpu-burst 50000 "$BOX" >/dev/null

    update --cpu-quota 20000 --cpu-burst 20000 --cpu-period 50000
    update --cpu-quota 90000 --cpu-burst 80000
    run -1 update --cpu-quota 10000
    [[ $output == "oci-cgroup: --cpu-quota: cannot write '10000"*"Invalid argument" ]]

    if [[ $(cgroup_layout) == v2 ]]; then
        [[ $(value cpu cpu.max) == "90000 50000" && $(value cpu cpu.max.burst) == 80000 ]]
        update --cpu-period 60000
        [[ $(value cpu cpu.max) == "90000 60000" ]]
    else
        [[ $(value cpu cpu.cfs_quota_us) == 90000 && $(value cpu cpu.cfs_period_us) == 50000 && $(value cpu cpu.cfs_burst_us) == 80000 ]]
    fi
    update --cpu-burst 0 --cpu-quota -1
    oci-cgroup delete "$BOX"
}

@test "an idle cgroup can be made busy again, with shares" {
    oci-cgroup create "$BOX" >/dev/null
    [[ -e $(dir cpu)/cpu.idle ]] || { oci-cgroup delete "$BOX"; skip "needs Linux 5.15"; }

    update --cpu-idle 1
    [[ $(value cpu cpu.idle) == 1 ]]
    update --cpu-idle 0 --cpu-shares 2048
    [[ $(value cpu cpu.idle) == 0 ]]
    [[ $(cgroup_layout) == v2 || $(value cpu cpu.shares) == 2048 ]]
    oci-cgroup delete "$BOX"
}

@test "device rules take the place of those before; no device is denied on the way" {
    oci-cgroup create --device 'deny a' --device 'allow c 1:3 rw' --device 'allow c 1:5 rw' "$BOX" >/dev/null
    oci-cgroup join "$BOX" -- sh -c 'while [ ! -e stop ]; do : </dev/null || echo denied >denied; done' 3>&- 2>/dev/null &
    reader=$!

    for round in 1 2 3 4 5 6 7 8 9 10; do
        update --device 'deny a' --device 'allow c 1:3 rw' --device 'allow c 1:7 rw'
        update --device 'deny a' --device 'allow c 1:9 r' --device 'allow c 1:3 rwm'
    done

    touch stop
    wait "$reader"
    [[ ! -e denied ]]
    run -0 oci-cgroup join "$BOX" -- sh -c 'for d in null zero full urandom; do (: <"/dev/$d") 2>/dev/null && echo $d; done; :'
    [[ $output == $'null\nurandom' ]]
    [[ $(cgroup_layout) == v2 || $(value devices devices.list) == $'c 1:3 rwm\nc 1:9 r' ]]
    update --device 'allow a'
    run -0 oci-cgroup join "$BOX" -- sh -c ': </dev/zero'
    update --device 'deny a'
    run -2 oci-cgroup join "$BOX" -- sh -c ': </dev/zero'
    oci-cgroup delete "$BOX"
}

@test "v1: device rules that are refused half-way are as before" {
    requires cgroup_v1
    oci-cgroup create --device 'deny a' --device 'allow c 1:3 rw' "$BOX" >/dev/null
    oci-cgroup create --device 'deny a' --device 'allow c 1:3 r' "$BOX/below" >/dev/null

    # The parent does not allow 1:5, so that the kernel refuses it here (EPERM).
    run -1 oci-cgroup update --device 'deny a' --device 'allow c 1:3 w' --device 'allow c 1:5 r' "$BOX/below"

    [[ $(value devices devices.list | tr '\n' ,) == "c 1:3 rw," && $(cat "$(dir devices "$BOX/below")/devices.list") == "c 1:3 r" ]]
    oci-cgroup delete "$BOX"
}

@test "v2: device rules can be changed more often than a cgroup may have programs" {
    requires cgroup_v2
    oci-cgroup create --device 'deny a' "$BOX" >/dev/null

    for round in {1..70}; do update --device 'deny a' --device 'allow c 1:3 rw'; done

    oci-cgroup join "$BOX" -- sh -c ': </dev/null'
    oci-cgroup delete "$BOX"
}

@test "v2: an adopted cgroup keeps no device program that contradicts" {
    requires cgroup_v2
    oci-cgroup create --device 'deny a' "$BOX" >/dev/null

    oci-cgroup create --device 'deny a' --device 'allow c 1:5 r' "$BOX" >/dev/null

    oci-cgroup join "$BOX" -- sh -c ': </dev/zero'
    run -2 oci-cgroup join "$BOX" -- sh -c ': </dev/null'
    oci-cgroup delete "$BOX"
}

@test "hybrid: an update hands a controller of v2 on through all parents; refused, its values are as before" {
    requires hybrid
    grep -qw hugetlb /sys/fs/cgroup/unified/cgroup.controllers || skip "needs the controller 'hugetlb' in the v2 hierarchy"
    requires huge_pages
    oci-cgroup create --pids 9 "$BOX/a/b" >/dev/null
    start_in "$BOX/a/b"

    plan 'cgroup.hugetlb\t/h/0\t2MB\t4194304'
    oci-cgroup update --plan-fd 5 "$BOX/a/b" 5<plan
    [[ $(<"/sys/fs/cgroup/unified$BOX/a/b/hugetlb.2MB.max") == 4194304 ]]

    plan 'cgroup.hugetlb\t/h/0\t2MB\t8388608' 'cgroup.pids.limit\t/p\t10' 'cgroup.unified\t/u\thugetlb.2MB.max\tmany'
    run -1 oci-cgroup update --plan-fd 5 "$BOX/a/b" 5<plan
    [[ $output == "oci-cgroup: /u: cannot write 'many' to 'hugetlb.2MB.max': Invalid argument" ]]
    [[ $(<"/sys/fs/cgroup/unified$BOX/a/b/hugetlb.2MB.max") == 4194304 ]]
    [[ $(<"$(dir pids "$BOX/a/b")/pids.max") == 9 ]]

    # A parent with processes cannot hand a controller on.
    oci-cgroup create "$BOX/c/d" >/dev/null
    other=$PID
    start_in "$BOX/c"
    plan 'cgroup.hugetlb\t/h/0\t2MB\t4194304'
    run -1 oci-cgroup update --plan-fd 5 "$BOX/c/d" 5<plan
    [[ $output == "oci-cgroup: /h/0: cgroup '$BOX/c' cannot delegate the controller 'hugetlb' to its children as long as processes are in it: Device or resource busy" ]]
    end "$other"
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "checkBeforeUpdate refuses a limit below the present use" {
    oci-cgroup create --memory 256M "$BOX" >/dev/null
    requires python3
    oci-cgroup join "$BOX" -- python3 -c '
import time
data = bytearray(b"x" * 50000000)
open("filled", "w").close()
time.sleep(1000)' 3>&- &
    PID=$!
    wait_until test -e filled

    run -1 --separate-stderr update_plan 'cgroup.memory.limit\t/linux/resources/memory/limit\t20971520' 'cgroup.memory.check-before-update\t/c\ttrue' 'cgroup.pids.limit\t/p\t5'

    if [[ $(cgroup_layout) == v2 ]]; then
        [[ $stderr == "oci-cgroup: /linux/resources/memory/limit: the limit '20971520' is below the present use '"*"': Device or resource busy" ]]
    else
        [[ $stderr == "oci-cgroup: /linux/resources/memory/limit: cannot write '20971520' to 'memory.limit_in_bytes': Device or resource busy" ]]
    fi
    [[ $(value memory "$memory_max") == $((256 << 20)) && $(value pids pids.max) == max ]]
    is_running "$PID"
    update_plan 'cgroup.memory.limit\t/linux/resources/memory/limit\t209715200' 'cgroup.memory.check-before-update\t/c\ttrue'
    [[ $(value memory "$memory_max") == 209715200 ]]
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "where the cgroup is can be told by lines of create, in the plan" {
    oci-cgroup create "$BOX" >lines
    mapfile -t lines <lines

    plan "${lines[@]/#/cgroup.location\\t-\\t}" 'cgroup.pids.limit\t/p\t9'
    oci-cgroup update --plan-fd 5 5<plan

    [[ $(value pids pids.max) == 9 ]]
    plan "cgroup.path\t/p\t$BOX" 'cgroup.pids.limit\t/p\t8'
    oci-cgroup update --plan-fd 5 5<plan
    [[ $(value pids pids.max) == 8 ]]
    oci-cgroup delete "$BOX"
    plan "${lines[@]/#/cgroup.location\\t-\\t}"
    run -1 oci-cgroup update --plan-fd 5 5<plan
    [[ $output == *"No such file or directory" ]]
}

@test "update of a cgroup that does not exist, and wrong usage" {
    run -1 update --pids 5
    [[ $output == "oci-cgroup: cgroup '$BOX' does not exist in any hierarchy"* ]]
    run -2 oci-cgroup update --pids 5
    run -2 oci-cgroup update --no-such-limit 5 "$BOX"
    [[ $(our_cgroups) == "" ]]
}
