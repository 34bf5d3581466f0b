#!/usr/bin/env bats
# The systemd cgroup manager: a container is a scope.
load ../helpers
load ../oci-cgroup-systemd/units

SCOPE() { echo "ocirun-$TEST_ID.scope"; }
host_pid() { first_process "$TEST_ID"; }
# The directory of container's cgroup, as the container is told.
cgroup_dir() { sed -n "s/^location\t2\t\t\([^\t]*\)\t/\1/p" "$STATE_ROOT/$TEST_ID"; }
detached() { rt --systemd-cgroup run --detach "$@" </dev/null >out 2>err || { cat err; return 1; }; }

@test "where no systemd runs --systemd-cgroup is an error that says so, and leaves nothing" {
    requires root no_systemd
    make_bundle

    run -1 --separate-stderr rt --systemd-cgroup run "$TEST_ID"

    [[ $stderr == "ocirun: run failed: oci-cgroup: oci-cgroup-systemd: systemd does not run here: there is no /run/systemd/system (man 3 sd_booted); '--cgroup-manager cgroupfs' does without it" ]]
    [[ $(ls "$STATE_ROOT") == "" ]]
}

@test "--cgroup-manager auto does without systemd where none runs" {
    requires root no_systemd
    make_bundle

    rt --cgroup-manager auto run "$TEST_ID"
}

@test "an unknown cgroup manager is refused" {
    run -1 --separate-stderr rt --cgroup-manager upstart list
    [[ $stderr == "ocirun: --cgroup-manager 'upstart': expected auto, cgroupfs, disabled or systemd" ]]
}

@test "a container is a scope whose properties are its limits, and nothing is left of it" {
    requires root systemd cgroup_v2
    make_bundle
    args sleep 100
    cfg '.linux.resources += {memory: {limit: 33554432, reservation: 1048576, swap: 41943040}, cpu: {quota: 33333, period: 100000, shares: 512, cpus: "0"},
        pids: {limit: 20}, unified: {"memory.high": "25165824"}}'

    detached "$TEST_ID"

    [[ $(cgroup_dir) == "/sys/fs/cgroup/system.slice/$(SCOPE)" ]]
    [[ $(cat "/proc/$(host_pid)/cgroup") == "0::/system.slice/$(SCOPE)" ]]
    systemctl show "$(SCOPE)" >properties
    for property in MemoryMax=33554432 MemoryLow=1048576 MemoryHigh=25165824 MemorySwapMax=8388608 CPUQuotaPerSecUSec=340ms CPUQuotaPeriodUSec=100ms \
        CPUWeight=59 AllowedCPUs=0 TasksMax=20 Delegate=yes DevicePolicy=strict "DeviceAllow=/dev/char/1:3 rwm" "Description=container $TEST_ID" ActiveState=active; do
        grep -qx "$property" properties || { echo "no $property"; cat properties; false; }
    done
    # The files have what the properties round.
    [[ $(cd "$(cgroup_dir)" && cat memory.max memory.low memory.high memory.swap.max cpu.max cpu.weight cpuset.cpus pids.max | paste -sd' ') == \
        "33554432 1048576 25165824 8388608 33333 100000 59 0 20" ]]

    # No command but create and run needs to be told.
    run -0 rt exec "$TEST_ID" cat /proc/self/cgroup
    [[ $output == "0::/" ]]
    rt kill "$TEST_ID" KILL
    wait_until has_status "$TEST_ID" stopped
    # It is the kernel that tells systemd.
    wait_until is_unknown "$(SCOPE)"
    rt delete "$TEST_ID"
}

@test "cgroupsPath SLICE:PREFIX:NAME names slice and scope; a-b.slice is below a.slice" {
    requires root systemd cgroup_v2
    make_bundle
    cfg --arg path "ocirun-tests.slice:cri:$TEST_ID" '.linux.cgroupsPath = $path'
    args cat /proc/1/cgroup
    cfg '.linux.namespaces |= map(select(.type != "cgroup"))'

    run -0 rt --systemd-cgroup run "$TEST_ID"

    [[ $output == "0::/ocirun.slice/ocirun-tests.slice/cri-$TEST_ID.scope" ]]
    is_unknown "cri-$TEST_ID.scope"
}

@test "a cgroupsPath of another form is refused with its pointer" {
    requires root
    make_bundle
    cfg --arg path "/$TEST_ID" '.linux.cgroupsPath = $path'

    run -1 --separate-stderr rt --systemd-cgroup run "$TEST_ID"

    [[ $stderr == "ocirun: run failed: oci-cgroup: /linux/cgroupsPath: cgroup path '/$TEST_ID': expected SLICE:PREFIX:NAME, as systemd manages the cgroups" ]]
}

@test "--cgroup-manager auto is systemd unless cgroupsPath is a path" {
    requires root systemd cgroup_v2
    make_bundle
    args cat /proc/1/cgroup
    cfg '.linux.namespaces |= map(select(.type != "cgroup"))'

    run -0 rt --cgroup-manager auto run "$TEST_ID"
    [[ $output == "0::/system.slice/$(SCOPE)" ]]
    cfg --arg path "/$TEST_ID" '.linux.cgroupsPath = $path'
    run -0 rt --cgroup-manager auto run "$TEST_ID"
    [[ $output == "0::/$TEST_ID" ]]
    run -0 env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere "$OCIRUN" --root "$STATE_ROOT" --cgroup-manager auto run "$TEST_ID"
}

@test "an annotation org.systemd.property.NAME is a property of the scope" {
    requires root systemd
    make_bundle
    args sleep 100
    cfg '.annotations = {"org.systemd.property.TimeoutStopSec": "7", "org.systemd.property.Documentation": "[\"https://example.org/\"]",
        "org.systemd.property.CPUWeight": "uint64 77"}'

    detached "$TEST_ID"

    [[ $(property_of "$(SCOPE)" TimeoutStopUSec) == 7s && $(property_of "$(SCOPE)" Documentation) == https://example.org/ ]]
    [[ $(property_of "$(SCOPE)" CPUWeight) == 77 ]]
    rt delete --force "$TEST_ID"
    is_unknown "$(SCOPE)"
    # Whoever does without systemd does without them, too.
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    rt delete --force "$TEST_ID"

    cfg '.annotations = {"org.systemd.property.TimeoutStopUSec": "soon"}'
    run -1 --separate-stderr rt --systemd-cgroup run "$TEST_ID"
    [[ $stderr == *"property 'TimeoutStopUSec': value 'soon': found 'soon', expected a value in GVariant's text format"* ]]
}

@test "a unit of that name that runs is refused and goes on; delete of the container leaves it" {
    requires root systemd
    make_bundle
    sleep 300 3>&- &
    local other=$!
    oci-cgroup-systemd start --pid "$other" "$(SCOPE)"

    run -1 --separate-stderr rt --systemd-cgroup create "$TEST_ID" </dev/null
    [[ $stderr == *"unit '$(SCOPE)' exists already"* ]]
    rt delete --force "$TEST_ID"

    is_running "$other"
    oci-cgroup-systemd stop --kill "$(SCOPE)"
}

@test "a limit that is refused leaves no unit" {
    requires root systemd cgroup_v2
    make_bundle
    cfg '.linux.resources.unified = {"memory.nonsense": "5"}'

    run -1 --separate-stderr rt --systemd-cgroup run "$TEST_ID"

    [[ $stderr == *"oci-cgroup: /linux/resources/unified/memory.nonsense: cannot write '5' to 'memory.nonsense': "* ]]
    is_unknown "$(SCOPE)"
}

@test "daemon-reload and a new property take no device and no limit away, nor give one" {
    requires root systemd cgroup_v2
    make_bundle
    args sleep 100
    # kmsg is not among what every container may use; rtc is not allowed.
    cfg '.linux.resources.devices += [{"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rw"}]
        | .linux.resources += {memory: {limit: 33554432}, cpu: {quota: 33333, period: 100000}}
        | .linux.devices = [{"type": "c", "path": "/dev/kmsg", "major": 1, "minor": 11}]
        | .root.readonly = false | .process.capabilities.bounding += ["CAP_MKNOD"] | .process.capabilities.effective += ["CAP_MKNOD"] | .process.capabilities.permitted += ["CAP_MKNOD"]'
    devices() { rt exec "$TEST_ID" sh -c 'head -c 1 /dev/zero | wc -c; : >/dev/kmsg && echo kmsg; mknod /tmp/mem c 1 1 && (head -c 1 /tmp/mem >/dev/null) 2>&1; rm -f /tmp/mem' 2>&1; }
    detached "$TEST_ID"
    run -0 devices
    local before=$output
    [[ $before == $'1\nkmsg\n'*"Operation not permitted"* ]]

    systemctl daemon-reload
    run -0 devices
    [[ $output == "$before" ]]
    systemctl set-property --runtime "$(SCOPE)" TasksMax=50
    run -0 devices
    [[ $output == "$before" ]]

    [[ $(cd "$(cgroup_dir)" && cat memory.max pids.max) == $'33554432\n50' ]]
    rt delete --force "$TEST_ID"
}

@test "update changes the unit as well as the files, devices too, and all or none" {
    requires root systemd cgroup_v2
    make_bundle
    args sleep 100
    cfg '.linux.resources += {memory: {limit: 33554432}}'
    detached "$TEST_ID"

    rt update --memory 40M --cpu-quota 44444 --pids-limit 33 "$TEST_ID"
    [[ $(property_of "$(SCOPE)" MemoryMax) == 41943040 && $(property_of "$(SCOPE)" TasksMax) == 33 && $(property_of "$(SCOPE)" CPUQuotaPerSecUSec) == 450ms ]]
    [[ $(cd "$(cgroup_dir)" && cat memory.max cpu.max pids.max) == $'41943040\n44444 100000\n33' ]]

    echo '{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rw"}]}' | rt update -r - "$TEST_ID"
    [[ $(property_of "$(SCOPE)" DeviceAllow) == *"/dev/char/10:200 rw"* ]]
    run -0 rt exec "$TEST_ID" sh -c 'head -c 1 /dev/zero | wc -c'
    [[ $output == 1 ]]

    run -1 --separate-stderr rt update --memory 50M --cpuset-cpus 999 "$TEST_ID"
    [[ $stderr == *"cannot write '999' to 'cpuset.cpus'"* ]]
    [[ $(property_of "$(SCOPE)" MemoryMax) == 41943040 && $(cat "$(cgroup_dir)/memory.max") == 41943040 ]]
    rt delete --force "$TEST_ID"
}

@test "an update that is refused late leaves the unit, the files and the devices as they were" {
    requires root systemd cgroup_v2
    make_bundle
    args sleep 100
    cfg '.linux.resources += {memory: {limit: 33554432}, cpu: {quota: 33333, period: 100000}}'
    detached "$TEST_ID"
    # The order of devices that are allowed is of no account.
    what_is()
    {
        systemctl show --property MemoryMax,CPUQuotaPerSecUSec,TasksMax,DevicePolicy,DeviceAllow "$(SCOPE)" | sort
        (cd "$(cgroup_dir)" && head memory.max cpu.max pids.max)
    }
    what_is >before

    # The program of the device rules comes last: the unit has been changed by then.
    echo '{"memory": {"limit": 41943040}, "cpu": {"quota": 44444}, "pids": {"limit": 7}, "devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rw"}]}' >new
    run -1 --separate-stderr deny-syscall bpf:1 -- "$OCIRUN" --root "$STATE_ROOT" update -r new "$TEST_ID"
    [[ $stderr == *"Operation not permitted"* ]]
    what_is | diff before -

    # The unit is changed after the files.
    make_plan
    sed -i '/\tcgroup\./d; /^cgroup\./d' "$PLAN"
    sed -i "\$i cgroup.location\t-\t2\t\t/sys/fs/cgroup\t/system.slice/$(SCOPE)\ncgroup.unit\t-\tsystem\tx-no-such-$TEST_ID.scope" "$PLAN"
    run -1 --separate-stderr oci-cgroup update --plan-fd 5 --pids 9 5<"$PLAN"
    [[ $stderr == *"cannot set properties of unit 'x-no-such-$TEST_ID.scope': "* ]]
    what_is | diff before -
    rt delete --force "$TEST_ID"
}

@test "throttles of devices and an idle processor are the unit's, and stay when systemd writes all limits again" {
    requires root systemd cgroup_v2
    make_bundle
    args sleep 100
    local device
    device=$(cat /sys/block/[!lrz]*/dev | head -n 1)
    [[ $device ]] || skip "needs a block device"
    cfg --arg major "${device%:*}" --arg minor "${device#*:}" '{major: $major | tonumber, minor: $minor | tonumber} as $dev
        | .linux.resources += {memory: {limit: 33554432}, cpu: {idle: 1}, blockIO: {throttleReadBpsDevice: [$dev + {rate: 1000000}], throttleWriteIOPSDevice: [$dev + {rate: 500}]}}'
    detached "$TEST_ID"

    systemctl show "$(SCOPE)" >properties
    for property in "IOReadBandwidthMax=/dev/block/$device 1000000" "IOWriteIOPSMax=/dev/block/$device 500" CPUWeight=idle; do
        grep -qx "$property" properties || { echo "no $property"; cat properties; false; }
    done
    limits() { (cd "$(cgroup_dir)" && head memory.max cpu.idle cpu.max io.max pids.max); }
    limits >before
    grep -qx "$device rbps=1000000 wbps=max riops=max wiops=500" before
    systemctl daemon-reload
    systemctl set-property --runtime "$(SCOPE)" MemoryHigh=30M IOWeight=50
    limits | diff before -

    rt update --cpu-idle 0 --blkio-weight 100 "$TEST_ID"
    [[ $(property_of "$(SCOPE)" CPUWeight) == "[not set]" && $(cat "$(cgroup_dir)/cpu.idle") == 0 ]]
    echo "{\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": ${device%:*}, \"minor\": ${device#*:}, \"rate\": 0}]}}" | rt update -r - "$TEST_ID"
    [[ $(property_of "$(SCOPE)" IOReadBandwidthMax) == "" && $(property_of "$(SCOPE)" IOWriteIOPSMax) == "/dev/block/$device 500" ]]
    rt delete --force "$TEST_ID"
}

@test "v1: the scope is where systemd is, the other controllers have cgroups of ours at its path, and nothing is left" {
    requires root systemd cgroup_v1
    make_bundle
    args sleep 100
    cfg '.linux.resources += {memory: {limit: 33554432}, cpu: {quota: 33333, period: 100000, shares: 512, cpus: "0"}, pids: {limit: 20}}'
    # But for those of other tests at the same time. Parents that had to be made are among them.
    every_cgroup() { find /sys/fs/cgroup -mindepth 1 -type d -name '*.slice' | LC_ALL=C sort; }
    every_cgroup >before
    file() { cat "/sys/fs/cgroup/$1/system.slice/$(SCOPE)/$2"; }
    detached "$TEST_ID"

    # In every hierarchy, whoever made it.
    [[ $(grep -c . "/proc/$(host_pid)/cgroup") -gt 5 ]]
    refute grep -v ":/system.slice/$(SCOPE)\$" "/proc/$(host_pid)/cgroup"
    systemctl show "$(SCOPE)" >properties
    for property in MemoryLimit=33554432 CPUQuotaPerSecUSec=340ms CPUShares=512 TasksMax=20 DevicePolicy=strict "DeviceAllow=/dev/char/1:3 rwm" ActiveState=active; do
        grep -qx "$property" properties || { echo "no $property"; cat properties; false; }
    done
    [[ $(file memory memory.limit_in_bytes) == 33554432 && $(file cpu cpu.cfs_quota_us) == 33333 && $(file cpuset cpuset.cpus) == 0 && $(file pids pids.max) == 20 ]]
    file devices devices.list | sort >devices
    [[ $(cat devices) == *"c 1:3 rwm"* && $(cat devices) != *a* ]]

    systemctl daemon-reload
    systemctl set-property --runtime "$(SCOPE)" TasksMax=50 MemoryAccounting=yes BlockIOAccounting=yes
    [[ $(file memory memory.limit_in_bytes) == 33554432 && $(file pids pids.max) == 50 ]]
    file devices devices.list | sort | diff devices -
    rt exec "$TEST_ID" sh -c 'head -c 1 /dev/zero >/dev/null'
    rt pause "$TEST_ID"
    [[ $(file freezer freezer.state) == FROZEN ]]
    rt resume "$TEST_ID"

    rt update --memory 40M --cpu-quota 44444 --cpuset-cpus 0-1 "$TEST_ID"
    [[ $(property_of "$(SCOPE)" MemoryLimit) == 41943040 && $(property_of "$(SCOPE)" CPUQuotaPerSecUSec) == 450ms ]]
    [[ $(file memory memory.limit_in_bytes) == 41943040 && $(file cpu cpu.cfs_quota_us) == 44444 && $(file cpuset cpuset.cpus) == 0-1 ]]
    run -1 rt update --memory 50M --cpuset-cpus 999 "$TEST_ID"
    [[ $(property_of "$(SCOPE)" MemoryLimit) == 41943040 && $(file memory memory.limit_in_bytes) == 41943040 ]]
    echo '{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rw"}]}' | rt update -r - "$TEST_ID"
    [[ $(property_of "$(SCOPE)" DeviceAllow) == *"/dev/char/10:200 rw"* && $(file devices devices.list) == *"c 10:200 rw"* ]]

    rt delete --force "$TEST_ID"
    is_unknown "$(SCOPE)"
    [[ $(find /sys/fs/cgroup -name "*$TEST_ID*") == "" ]]
    every_cgroup | diff before -
}

@test "containers that are made and removed at once leave no unit" {
    requires root systemd
    make_bundle
    local i pids=()
    mkfifo gate
    # OCIRUN_TEST_MANY=200: some minutes where the machine is emulated.
    for ((i = 1; i <= ${OCIRUN_TEST_MANY:-24}; i++)); do
        (read -r _ <gate || true; rt --systemd-cgroup run "$TEST_ID-$i" </dev/null >"out$i" 2>&1 3>&-) &
        pids+=($!)
    done
    # All of them wait for this.
    : >gate
    for i in "${!pids[@]}"; do
        wait "${pids[i]}" || { cat "out$((i + 1))"; false; }
    done
    is_unknown "*$TEST_ID*"
}

@test "a limit of one process holds, though a scope has to begin with another" {
    requires root systemd cgroup_v2
    make_bundle
    args sleep 100
    cfg '.linux.resources.pids = {limit: 1}'

    detached "$TEST_ID"

    [[ $(cat "$(cgroup_dir)/pids.max") == 1 && $(property_of "$(SCOPE)" TasksMax) == 1 ]]
    run -255 rt exec "$TEST_ID" true
    rt delete --force "$TEST_ID"
}

# ---------------------------------------------------------------- below the scope

@test "run.oci.systemd.subgroup: the container's cgroup is one below the scope, with the same limits" {
    requires root systemd cgroup_v2
    make_bundle
    args sleep 100
    cfg '.annotations = {"run.oci.systemd.subgroup": "container"} | .linux.resources += {memory: {limit: 33554432}, pids: {limit: 20}, cpu: {quota: 33333}}'

    detached "$TEST_ID"

    [[ $(cat "/proc/$(host_pid)/cgroup") == "0::/system.slice/$(SCOPE)/container" && $(cgroup_dir) == */container ]]
    [[ $(cd "$(cgroup_dir)" && cat memory.max pids.max cpu.max) == $'33554432\n20\n33333 100000' ]]
    [[ $(property_of "$(SCOPE)" MemoryMax) == 33554432 && $(cat "$(cgroup_dir)/../cgroup.procs") == "" ]]
    run -0 rt exec "$TEST_ID" sh -c 'cat /proc/self/cgroup; head -c 1 /dev/zero | wc -c'
    [[ $output == $'0::/\n1' ]]
    rt update --memory 40M "$TEST_ID"
    [[ $(cat "$(cgroup_dir)/memory.max") == 41943040 && $(property_of "$(SCOPE)" MemoryMax) == 41943040 ]]
    rt delete --force "$TEST_ID"
    is_unknown "$(SCOPE)"

    cfg '.annotations["run.oci.systemd.subgroup"] = ""'
    detached "$TEST_ID"
    [[ $(cat "/proc/$(host_pid)/cgroup") == "0::/system.slice/$(SCOPE)" ]]
    rt delete --force "$TEST_ID"
    cfg '.annotations["run.oci.systemd.subgroup"] = "a/../.."'
    run -1 --separate-stderr rt --systemd-cgroup run "$TEST_ID"
    [[ $stderr == *"/annotations/run.oci.systemd.subgroup: cgroup path 'a/../..' contains '..'" ]]
    is_unknown "$(SCOPE)"
}

@test "run.oci.delegate-cgroup: the program is one cgroup below its namespace's root, which it may divide" {
    requires root cgroup_v2
    make_bundle
    cfg '.annotations = {"run.oci.delegate-cgroup": "mine", "run.oci.systemd.subgroup": "container"} | .linux.resources += {memory: {limit: 33554432}}
        | .mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
    args sh -c 'cd /sys/fs/cgroup; cat /proc/self/cgroup memory.max; echo +memory >cgroup.subtree_control && cat mine/memory.max; sleep 100'
    local manager
    for manager in cgroupfs systemd; do
        [[ $manager == cgroupfs || -d /run/systemd/system ]] || continue
        rt --cgroup-manager "$manager" run --detach "$TEST_ID" </dev/null >out 2>&1
        wait_until grep -q max out
        [[ $(<out) == $'0::/mine\n33554432\nmax' ]] || { cat out; false; }
        # With others in its parent it could not hand on the controllers.
        run -0 rt exec "$TEST_ID" cat /proc/self/cgroup
        [[ $output == "0::/mine" ]]
        rt delete --force "$TEST_ID"
    done
}

@test "run.oci.delegate-cgroup where v1 has controllers is refused, and leaves nothing" {
    requires root cgroup_v1
    make_bundle
    cfg '.annotations = {"run.oci.delegate-cgroup": "mine"}'

    run -1 --separate-stderr rt run "$TEST_ID"

    [[ $stderr == "ocirun: run failed: oci-cgroup: /annotations/run.oci.delegate-cgroup: only a cgroup of v2 can be delegated to the container, and this host has controllers on v1" ]]
    [[ $(ls "$STATE_ROOT") == "" ]]
}

@test "run.oci.systemd.force_cgroup_v1 is passed over with a warning" {
    requires root
    make_bundle
    cfg '.annotations = {"run.oci.systemd.force_cgroup_v1": "/sys/fs/cgroup"}'

    run -0 --separate-stderr rt run "$TEST_ID"

    [[ $stderr == *"warning"*"/annotations/run.oci.systemd.force_cgroup_v1"*"is ignored: "* ]]
}

# ---------------------------------------------------------------- a user's manager

# Sets USER_NAME; the user with id 1000 has a manager afterwards, whether logged in or not.
user_manager()
{
    requires root systemd cgroup_v2 loginctl
    USER_NAME=$(id -nu 1000 2>/dev/null) || skip "needs a user with the id 1000"
    loginctl enable-linger "$USER_NAME"
    wait_until test -S /run/user/1000/bus
    as_user true
    chown -R 1000:1000 "$USER_DIR"
    export XDG_RUNTIME_DIR=/run/user/1000
}
# Without a session and from the system's part of the tree: only systemd can move a process from there.
user_run() { as_user env XDG_RUNTIME_DIR=/run/user/1000 "$@"; }
user_is_unknown() { [[ $(user_run systemctl --user list-units --all --plain --no-legend "$1") == "" ]]; }

user_bundle()
{
    make_bundle
    own_rootfs
    user_run ocirun spec --rootless --bundle "$USER_DIR"
    jq '.process.terminal = false | .process.args = ["sleep", "100"] | .root.path = $path' --arg path "$BUNDLE/rootfs" "$USER_DIR/config.json" >"$USER_DIR/new"
    mv "$USER_DIR/new" "$USER_DIR/config.json"
    chmod -R go+rX "$BATS_RUN_TMPDIR" "$BATS_SUITE_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
    local folder=$BATS_RUN_TMPDIR
    while [[ $folder != / ]]; do
        chmod go+x "$folder"
        folder=$(dirname "$folder")
    done
}

@test "user: a container is a scope of the user's manager with its limits; exec joins it" {
    user_manager
    user_bundle
    cd "$USER_DIR"
    cfg '.linux.resources = {memory: {limit: 33554432}, pids: {limit: 20}, cpu: {quota: 50000}}'
    local dir scope subgroup
    scope=/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/user.slice/$(SCOPE)
    for subgroup in "" container; do
        cfg --arg subgroup "$subgroup" '.annotations = {"run.oci.systemd.subgroup": $subgroup}'
        dir=$scope${subgroup:+/$subgroup}
        user_run ocirun --root "$USER_DIR/run/o" --systemd-cgroup run --detach "$TEST_ID" </dev/null >out 2>err || { cat err; false; }

        [[ $(cat "$dir/memory.max" "$dir/pids.max" "$dir/cpu.max") == $'33554432\n20\n50000 100000' ]]
        [[ $(cat "$dir/cgroup.procs") == "$(user_run ocirun --root "$USER_DIR/run/o" state "$TEST_ID" | jq .pid)" ]]
        run -0 user_run ocirun --root "$USER_DIR/run/o" exec "$TEST_ID" sh -c 'cat /proc/self/cgroup; exit 0'
        [[ $output == "0::/" ]]
        user_run ocirun --root "$USER_DIR/run/o" delete --force "$TEST_ID"
        user_is_unknown "$(SCOPE)"
        [[ ! -e $scope ]]
    done
}
