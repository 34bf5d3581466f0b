#!/usr/bin/env bats
# update: other limits for a container.

load ../helpers
load container

setup()
{
    ocirun_setup
    requires root
    make_bundle
    args sleep 1000
    cfg --arg path "/$TEST_ID" '.linux.cgroupsPath = $path
        | .linux.resources += {memory: {limit: 67108864, reservation: 33554432}, cpu: {shares: 1024, quota: 50000, period: 100000}, pids: {limit: 20}}'
}

start() { rt run --detach "$TEST_ID" >/dev/null 2>&1 </dev/null; }

update() { rt update "$@" "$TEST_ID"; }

# update_json JSON [OPTION...]: by standard input, as containerd does.
update_json() { printf '%s' "$1" | rt update --resources=- "${@:2}" "$TEST_ID"; }

# in_cgroup CONTROLLER FILE-OF-V1 FILE-OF-V2: what it says.
in_cgroup()
{
    if [[ $(cgroup_layout) == v2 ]]; then
        cat "/sys/fs/cgroup/$TEST_ID/$3"
    else
        cat "/sys/fs/cgroup/$1/$TEST_ID/$2"
    fi
}
memory() { in_cgroup memory memory.limit_in_bytes memory.max; }
pids() { in_cgroup pids pids.max pids.max; }
quota()
{
    if [[ $(cgroup_layout) == v2 ]]; then
        cat "/sys/fs/cgroup/$TEST_ID/cpu.max"
    else
        echo "$(<"/sys/fs/cgroup/cpu/$TEST_ID/cpu.cfs_quota_us") $(<"/sys/fs/cgroup/cpu/$TEST_ID/cpu.cfs_period_us")"
    fi
}
# The limits that the state knows.
state_limits() { jq -c '.config.cgroups | del(.path)' "$BUNDLE/.ocirun-$TEST_ID/state.json"; }

@test "each option of update changes its limit" {
    start
    [[ $(state_limits) == '{"memory":67108864,"memory_reservation":33554432,"cpu_shares":1024,"cpu_quota":50000,"cpu_period":100000,"pids_limit":20}' ]]

    update --memory 128M
    [[ $(memory) == 134217728 ]]
    update --memory-reservation 50331648
    [[ $(in_cgroup memory memory.soft_limit_in_bytes memory.low) == 50331648 ]]
    update --pids-limit=30
    [[ $(pids) == 30 ]]
    update --pids-limit -1
    [[ $(pids) == max ]]
    update --cpu-quota 20000
    [[ $(quota) == "20000 100000" ]]
    update --cpu-period 50000
    [[ $(quota) == "20000 50000" ]]
    update --cpu-quota=-1
    [[ $(quota) == "-1 50000" || $(quota) == "max 50000" ]]
    update --cpu-share 2048
    [[ $(in_cgroup cpu cpu.shares cpu.weight) == 2048 || $(in_cgroup cpu cpu.shares cpu.weight) == 174 ]]
    update --cpuset-cpus 0 --cpuset-mems 0
    [[ $(in_cgroup cpuset cpuset.cpus cpuset.cpus) == 0 && $(in_cgroup cpuset cpuset.mems cpuset.mems) == 0 ]]
    update --kernel-memory 32M

    [[ $(memory) == 134217728 ]]
    [[ $(state_limits | jq -c 'to_entries | sort_by(.key) | from_entries') == \
        '{"cpu_period":50000,"cpu_quota":-1,"cpu_shares":2048,"cpuset_cpus":"0","cpuset_mems":"0","memory":134217728,"memory_reservation":50331648,"pids_limit":-1}' ]]
}

@test "update --cpu-burst, --cpu-idle, and off again" {
    start
    [[ -e /sys/fs/cgroup/cpu/$TEST_ID/cpu.idle || -e /sys/fs/cgroup/$TEST_ID/cpu.idle ]] || skip "needs Linux 5.15"
    update --cpu-burst 10000
    [[ $(in_cgroup cpu cpu.cfs_burst_us cpu.max.burst) == 10000 ]]
    update --cpu-burst 0
    [[ $(in_cgroup cpu cpu.cfs_burst_us cpu.max.burst) == 0 ]]
    update --cpu-idle 1
    [[ $(in_cgroup cpu cpu.idle cpu.idle) == 1 ]]
    update --cpu-idle 0
    [[ $(in_cgroup cpu cpu.idle cpu.idle) == 0 ]]
    update_json '{"cpu":{"idle":1,"burst":10000}}'
    update_json '{"cpu":{"idle":0,"burst":0}}'
    [[ $(in_cgroup cpu cpu.idle cpu.idle) == 0 && $(in_cgroup cpu cpu.cfs_burst_us cpu.max.burst) == 0 ]]
}

@test "update --memory-swap counts memory and swap together" {
    start
    [[ -e /sys/fs/cgroup/memory/$TEST_ID/memory.memsw.limit_in_bytes || -e /sys/fs/cgroup/$TEST_ID/memory.swap.max ]] || skip "needs swap accounting"
    update --memory 32M --memory-swap 48M
    [[ $(in_cgroup memory memory.memsw.limit_in_bytes memory.swap.max) == $(($([[ $(cgroup_layout) == v2 ]] && echo 16 || echo 48) << 20)) ]]
    # Of memory alone: both together stay, and it is a limit for that of memory.
    update --memory 40M
    [[ $(in_cgroup memory memory.memsw.limit_in_bytes memory.swap.max) == $(($([[ $(cgroup_layout) == v2 ]] && echo 8 || echo 48) << 20)) ]]
    run -1 update --memory 64M
    [[ $(memory) == $((40 << 20)) ]]
    update --memory -1
    (($(in_cgroup memory memory.memsw.limit_in_bytes memory.swap.max | sed 's/max/9999999999999/') > 1 << 40))
    [[ $(state_limits | jq -c '[.memory, .memory_swap]') == '[-1,null]' ]]
}

@test "update by a file and by standard input; options decide over both" {
    start
    echo '{"memory":{"limit":50331648},"pids":{"limit":11}}' >"$BATS_TEST_TMPDIR/limits"

    rt update -r "$BATS_TEST_TMPDIR/limits" "$TEST_ID"
    [[ $(memory) == 50331648 && $(pids) == 11 ]]
    run -0 update_json '{"pids":{"limit":12}}'
    [[ $output == "" && $(pids) == 12 && $(memory) == 50331648 ]]
    update_json '{"pids":{"limit":13}}' --pids-limit 14
    [[ $(pids) == 14 ]]
    printf '{"pids":{"limit":15}}' | rt update --resources - "$TEST_ID"
    [[ $(pids) == 15 ]]
}

@test "zero leaves a limit as it is, as docker update writes it" {
    start

    update_json '{"memory":{"limit":0,"reservation":0,"kernel":0},"cpu":{"shares":0,"quota":70000,"period":100000},"blockIO":{"weight":0},"pids":{"limit":0}}'

    [[ $(memory) == 67108864 && $(pids) == 20 && $(quota) == "70000 100000" ]]
    [[ $(state_limits) == *'"memory":67108864'* ]]
}

@test "an update without a limit changes nothing and says so" {
    start
    before=$(memory; pids; quota; state_limits)

    run -0 --separate-stderr update
    [[ $output == "" && $stderr == "ocirun: warning: nothing to change: give a limit; 'ocirun update --help' lists them" ]]
    run -0 --separate-stderr update_json '{}'
    [[ $output == "" && $stderr == "ocirun: warning: nothing to change: "* ]]
    [[ $(memory; pids; quota; state_limits) == "$before" ]]

    run -0 --separate-stderr update --pids-limit 30
    [[ $output == "" && $stderr == "" ]]
}

@test "a refused update says which limit, and changes neither limits nor state" {
    start
    before=$(memory; pids; quota; state_limits)

    run -1 --separate-stderr update_json '{"memory":{"limit":50331648},"cpu":{"quota":20000},"pids":{"limit":11},"unified":{"no.such":"1"}}'
    [[ $stderr == *"/linux/resources/unified/no.such: "* ]]
    [[ $(memory; pids; quota; state_limits) == "$before" ]]
    run -1 --separate-stderr update --memory 48M --pids-limit 11 --cpuset-cpus 4095
    [[ $stderr == *"oci-cgroup: /linux/resources/cpu/cpus: cannot write '4095' to 'cpuset.cpus': "* ]]
    [[ $(memory; pids; quota; state_limits) == "$before" ]]
    run -1 --separate-stderr update_json '{"pids":{"limit":"many"},"memory":5}'
    [[ $stderr == *"/linux/resources/pids/limit: 1:18: found a string"* && $stderr == *"/linux/resources/memory: "* ]]
    run -1 update --memory lots
    [[ $output == *"--memory: 'lots': expected a size such as 64M or 1G" ]]
    run -1 update --pids-limit few
    run -1 rt update -r /no/such/file "$TEST_ID"
    [[ $output == *"/no/such/file"*"No such file or directory" ]]
    [[ $(memory; pids; quota; state_limits) == "$before" ]]
    [[ $(ls -A "$BUNDLE/.ocirun-$TEST_ID") == $'plan\nstate.json' ]]
}

@test "killed at any step, update leaves a container that can be updated again" {
    start
    for ((n = 1; n < 60; n++)); do
        status=0
        rt --test-step "oci-cgroup:$n:9" update --memory "$((64 + n))M" --pids-limit 50 "$TEST_ID" >out 2>&1 || status=$?
        has_status "$TEST_ID" running
        ((status != 0)) || break
        grep -q "oci-cgroup was killed by signal 9" out
        [[ $(state_limits) == *'"memory":67108864'* ]]
    done
    ((n > 2))
    [[ $(memory) == $(((64 + n) << 20)) && $(state_limits) == *"\"memory\":$(((64 + n) << 20))"* ]]
}

@test "a device is taken away and given back while the container runs; the default devices stay" {
    args sh -c 'while :; do : </dev/null || echo denied; sleep 0.01; done'
    cfg '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 237, access: "rw"}]
        | .linux.devices = [{path: "/dev/mine", type: "c", major: 10, minor: 200}]'
    rt run --detach "$TEST_ID" >out 2>&1 </dev/null
    can() { rt exec "$TEST_ID" sh -c "(: <$1) 2>&1"; }

    update_json '{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}]}'
    if [[ $(cgroup_layout) != v2 ]]; then
        grep -qx 'c 10:229 rw' "/sys/fs/cgroup/devices/$TEST_ID/devices.list"
        refute grep -q 'c 10:237' "/sys/fs/cgroup/devices/$TEST_ID/devices.list"
        grep -qx 'c 10:200 rwm' "/sys/fs/cgroup/devices/$TEST_ID/devices.list"
    fi
    can /dev/null
    can /dev/urandom
    [[ ! -e /dev/net/tun ]] || can /dev/mine
    update_json '{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":237,"access":"rw"}]}'
    [[ $(cgroup_layout) == v2 || $(grep -c 'c 10:' "/sys/fs/cgroup/devices/$TEST_ID/devices.list") == 2 ]]
    [[ $(<out) == "" ]]
    # Other limits leave the devices alone.
    update --pids-limit 40
    can /dev/null
}

@test "checkBeforeUpdate of config.json holds for later updates" {
    requires cgroup_v2
    cfg '.linux.resources.memory.checkBeforeUpdate = true'
    args sh -c 'x=$(head -c 20000000 /dev/zero | tr "\0" x); echo full; sleep 1000; :'
    rt run --detach "$TEST_ID" >out 2>&1 </dev/null
    wait_until grep -q full out

    run -1 update --memory 8M
    [[ $output == *"/linux/resources/memory/limit: the limit '8388608' is below the present use"* ]]
    has_status "$TEST_ID" running
    [[ $(memory) == 67108864 ]]
}

@test "a paused and a created container can be updated, a stopped one not" {
    rt create "$TEST_ID" >/dev/null 2>&1 </dev/null
    update --pids-limit 31
    [[ $(pids) == 31 ]]
    rt start "$TEST_ID"
    rt pause "$TEST_ID"
    update --pids-limit 32
    [[ $(pids) == 32 ]]
    has_status "$TEST_ID" paused
    rt kill "$TEST_ID" KILL
    wait_until has_status "$TEST_ID" stopped

    run -1 update --pids-limit 33
    [[ $output == *"container not running: '$TEST_ID' is stopped" ]]
    run -1 rt update --pids-limit 33 "no-$TEST_ID"
    [[ $output == *"does not exist"* ]]
}

@test "two updates at the same time: both are in force and in the state" {
    start
    for round in 1 2 3 4 5; do
        update --pids-limit "$((40 + round))" 3>&- &
        one=$!
        update --memory "$((80 + round))M" 3>&- &
        two=$!
        wait "$one"
        wait "$two"
        [[ $(state_limits | jq -c '[.pids_limit, .memory]') == "[$((40 + round)),$(((80 + round) << 20))]" ]]
        [[ $(pids) == $((40 + round)) && $(memory) == $(((80 + round) << 20)) ]]
    done
}

@test "update without a cgroup says so; wrong usage is refused" {
    "$OCIRUN" --root "$STATE_ROOT" --cgroup-manager disabled run --detach "$TEST_ID" >/dev/null 2>&1 </dev/null

    run -1 update --pids-limit 5
    [[ $output == *"cannot update container '$TEST_ID': it has no cgroup" ]]
    run -1 rt update
    run -1 update --no-such-limit 5
}
