#!/usr/bin/env bats
# linux.namespaces, the mappings of ids, the offsets of clocks, and what goes into a namespace: network devices.

load ../helpers
load box

# hold OPTION...: a process in namespaces of its own (unshare's options), until the end of the test. Sets HOLDER to its pid.
hold()
{
    mkfifo "$BATS_TEST_TMPDIR/hold"
    # shellcheck disable=SC2016
    unshare "$@" sh -c 'echo $$ >"$0.pid"; read -r _ <"$0"' "$BATS_TEST_TMPDIR/hold" 3>&- &
    UNSHARE=$!
    wait_until test -s "$BATS_TEST_TMPDIR/hold.pid"
    HOLDER=$(cat "$BATS_TEST_TMPDIR/hold.pid")
    [[ $* != *fork* ]] || HOLDER=$(cat "/proc/$UNSHARE/task/$UNSHARE/children")
    HOLDER=${HOLDER% }
}
let_go()
{
    echo >"$BATS_TEST_TMPDIR/hold"
    wait "$UNSHARE"
}

user_namespace='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
    | .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 1000}] | del(.linux.resources)'
map_rootfs() { own_rootfs && chown -R --no-dereference 100000:200000 rootfs; }

@test "namespaces: each of the eight kinds is new when it is listed, and the host's when it is not" {
    requires root
    local kind file
    for kind in network:net ipc:ipc uts:uts cgroup:cgroup time:time pid:pid mount:mnt; do
        file=${kind#*:} kind=${kind%:*}
        cfg --arg k "$kind" '.linux.namespaces = ([{type: "mount"}, {type: $k}] | unique) | del(.hostname)
            | .mounts = [{destination: "/proc", type: "proc", source: "proc"}] | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
        [[ $kind != mount ]] || cfg '.linux.namespaces = [{type: "mount"}]'
        box readlink "/proc/self/ns/$file"
        [[ $output == "${file}:["* && $output != "$(readlink "/proc/self/ns/$file")" ]]
        [[ $kind != network ]] || continue
        box readlink /proc/self/ns/net
        [[ $output == "$(readlink /proc/self/ns/net)" ]]
    done
}

@test "user namespace: groups alone are mapped, or users alone; the other id stays the caller's, without an id inside" {
    requires root
    local alone='.mounts = [{destination: "/proc", type: "proc", source: "proc"}] | .linux.namespaces += [{type: "user"}] | del(.linux.resources)'
    own_rootfs
    cfg "$alone | .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 10}] | .process.user.gid = 3"
    box sh -c 'id; grep -c . /proc/self/uid_map; cat /proc/self/gid_map'
    [[ ${lines[0]} == "uid=65534 gid=3"* && ${lines[1]} == 0 && ${lines[2]} =~ ^\ *0\ +200000\ +10$ ]]
    [[ $stderr == "ocirun: warning: oci-spec: /linux/namespaces/6: there are no linux.uidMappings: "* ]]

    chown -R --no-dereference 100000 rootfs
    cfg '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 10}] | del(.linux.gidMappings) | .process.user = {uid: 3, gid: 0}'
    args sh -c 'id; cat /proc/self/uid_map; grep -c . /proc/self/gid_map; sleep 100'
    rt run --detach "$TEST_ID" >output 2>&1 3>&-
    wait_until grep -q '^0$' output
    [[ $(sed -n 2p output) == "uid=3 gid=65534"* && $(sed -n 3p output) =~ ^\ *0\ +100000\ +10$ ]]
    run -0 rt exec "$TEST_ID" id
    [[ $output == "uid=3 gid=65534"* ]]
    rt delete --force "$TEST_ID"
}

@test "namespaces: one that is named by its path is joined" {
    requires root
    local kind file
    hold --net --ipc --uts --cgroup --pid --fork --mount-proc
    for kind in network:net ipc:ipc uts:uts cgroup:cgroup pid:pid; do
        file=${kind#*:} kind=${kind%:*}
        cfg --arg k "$kind" --arg p "/proc/$HOLDER/ns/$file" '.linux.namespaces |= (map(select(.type != $k)) + [{type: $k, path: $p}])'
    done
    cfg 'del(.hostname)'
    box sh -c 'for kind in net ipc uts cgroup pid; do readlink /proc/self/ns/$kind; done'
    for file in net ipc uts cgroup pid; do
        [[ $output == *"$(readlink "/proc/$HOLDER/ns/$file")"* ]]
    done
    let_go
}

@test "namespaces: a user namespace is joined, and its ids are those of the container" {
    requires root
    map_rootfs
    oci-ns new --user --map-user 0:100000:65536 --map-group 0:200000:1000 -- sleep 1000 3>&- &
    UNSHARE=$!
    # It waits for its child.
    wait_until pgrep -P "$UNSHARE" sleep >/dev/null
    HOLDER=$(pgrep -P "$UNSHARE")
    cfg --arg p "/proc/$HOLDER/ns/user" '.linux.namespaces += [{type: "user", path: $p}] | del(.linux.resources)'
    box sh -c 'readlink /proc/self/ns/user; id -u; stat -c %u /bin'
    [[ $output == "$(readlink "/proc/$HOLDER/ns/user")"$'\n0\n0' ]]
    cfg '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 10}]'
    refused /linux/uidMappings/0 "the user namespace that is joined has another map"
    kill "$UNSHARE"
    wait "$UNSHARE" || true
}

@test "namespaces: a path of another kind, one that is none, and a kind twice are errors" {
    requires root
    cfg '.linux.namespaces |= map(if .type == "ipc" then .path = "/proc/self/ns/uts" else . end)'
    refused /linux/namespaces/2 "'/proc/self/ns/uts' is a uts namespace; expected a ipc namespace"
    cfg '.linux.namespaces[2].path = "/etc/passwd"'
    refused /linux/namespaces/2 "'/etc/passwd' is not a namespace"
    cfg '.linux.namespaces[2].path = "/nowhere/ns"'
    refused /linux/namespaces/2 "cannot open '/nowhere/ns': No such file or directory"
    cfg '.linux.namespaces[2] = {type: "uts"}'
    refused /linux/namespaces/ "expected each kind of namespace once"
}

@test "a container without a linux section runs in the host's namespaces, chrooted, and leaves no mount behind" {
    requires root
    cfg 'del(.linux, .hostname) | .mounts = [{destination: "/proc", type: "proc", source: "proc"}] | .root.readonly = false'
    box sh -c 'ls -d /bin /etc; readlink /proc/self/ns/mnt'
    [[ $output == $'/bin\n/etc\n'"$(readlink /proc/self/ns/mnt)" ]]
    refute grep -q "$BUNDLE" /proc/self/mountinfo
}

@test "without a mount namespace mounts land in the caller's, and delete takes them away, but not those that were there" {
    requires root
    cfg '.linux.namespaces |= map(select(.type != "mount")) | .linux.maskedPaths = [] | .linux.readonlyPaths = [] | .root.readonly = false
         | .mounts = [{destination: "/proc", type: "proc", source: "proc"}, {destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
    mkdir -p rootfs/before
    mount -t tmpfs "$TEST_ID" rootfs/before
    args sh -c 'touch /before/made; exec sleep 1000'

    rt run --detach "$TEST_ID" 3>&- >out 2>&1
    wait_until test -e rootfs/before/made
    [[ $(grep -c "$BUNDLE/rootfs/" /proc/self/mountinfo) == 3 ]]
    rt delete --force "$TEST_ID"

    [[ $(grep -c "$BUNDLE/rootfs/" /proc/self/mountinfo) == 1 ]]
    umount rootfs/before
}

@test "uidMappings and gidMappings: the ids of the container are others outside" {
    requires root
    map_rootfs
    cfg "$user_namespace | .process.user = {uid: 7, gid: 8, additionalGids: [9]} | .root.readonly = false"
    chmod 777 rootfs/tmp
    box sh -c 'sed "s/  */ /g" /proc/self/uid_map /proc/self/gid_map; touch /tmp/made; id -G'
    [[ $output == $' 0 100000 65536\n 0 200000 1000\n8 9' ]]
    [[ $(stat -c '%u %g' rootfs/tmp/made) == "100007 200008" ]]
}

@test "uidMappings without a user namespace, and a user namespace without mappings, are errors" {
    requires root
    cfg '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1}]'
    refused /linux/uidMappings "found id mappings, expected none, as linux.namespaces has no 'user'"
    cfg 'del(.linux.uidMappings) | .linux.namespaces += [{type: "user"}]'
    refused /linux/namespaces/ "found a new user namespace, expected linux.uidMappings and linux.gidMappings"
}

@test "timeOffsets: the clocks of a new time namespace are offset" {
    requires root
    local uptime
    read -r uptime _ </proc/uptime
    cfg '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {monotonic: {secs: 5000, nanosecs: 6}, boottime: {secs: 86400}}'
    box sh -c 'sed "s/  */ /g" /proc/self/timens_offsets; cut -d. -f1 /proc/uptime'
    [[ ${lines[0]} == "monotonic 5000 6" && ${lines[1]} == "boottime 86400 0" ]]
    ((lines[2] >= ${uptime%.*} + 86400))
    cfg '.linux.namespaces |= map(select(.type != "time"))'
    refused /linux/timeOffsets/ "found an offset, expected none, as linux.namespaces has no new 'time'"
}

# ---------------------------------------------------------------- network devices

# with_device COMMAND...: in a network namespace that stands for the host's, with the interface `dev0`. Afterwards its interfaces
# are listed in ./after.
with_device()
{
    # shellcheck disable=SC2016
    run unshare --net sh -c 'ip link add dev0 type veth peer name peer0 && ip link set dev0 mtu 1400 address 02:00:00:00:00:07 &&
        ip addr add 10.9.8.7/24 dev dev0 && ip addr add fd00::7/64 dev dev0 nodad && ip link set dev0 up && ip link set lo up || exit 99
        "$@"; status=$?; ip addr show >after; exit $status' sh "$@"
}

@test "netDevices: an interface moves with its new name, its MTU, its MAC and its addresses, and is up" {
    requires root ip
    cfg '.linux.netDevices = {dev0: {name: "container0"}}'
    args ip addr show container0
    with_device "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID"
    ((status == 0))
    [[ $output == *" container0@"*"UP"*"mtu 1400"*"link/ether 02:00:00:00:00:07"*"inet 10.9.8.7/24 scope global container0"*"inet6 fd00::7/64 scope global"* ]]
    [[ $(cat after) != *dev0* && $(cat after) != *container0* ]]
}

@test "netDevices: without a name it keeps its own; a template gets a number that is free" {
    requires root ip
    cfg '.linux.netDevices = {dev0: {}, peer0: {name: "eth%d"}}'
    args sh -c 'ip addr show dev0; ip link show eth0'
    with_device "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID"
    ((status == 0))
    [[ $output == *" dev0@"*"10.9.8.7/24"*" eth0@"* ]]
}

@test "netDevices: into a user namespace, too" {
    requires root ip
    map_rootfs
    cfg "$user_namespace | .linux.netDevices = {dev0: {name: \"eth0\"}}"
    args ip addr show eth0
    with_device "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID"
    ((status == 0))
    [[ $output == *" eth0@"*"10.9.8.7/24"* ]]
}

@test "netDevices: a namespace that is joined keeps the interface after delete" {
    requires root ip
    hold --net
    cfg --arg p "/proc/$HOLDER/ns/net" '.linux.namespaces |= map(if .type == "network" then .path = $p else . end) | .linux.netDevices = {dev0: {name: "given0"}, peer0: {}}'
    with_device "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID"
    ((status == 0))
    [[ $(cat after) != *dev0* ]]
    run -0 nsenter --net="/proc/$HOLDER/ns/net" ip addr show given0
    [[ $output == *"UP"*"mtu 1400"*"10.9.8.7/24"* ]]
    let_go
}

@test "netDevices: when one cannot be moved, all are where and as they were" {
    requires root ip
    hold --net
    nsenter --net="/proc/$HOLDER/ns/net" ip link add taken type veth peer name taken1
    cfg --arg p "/proc/$HOLDER/ns/net" '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)
        | .linux.netDevices = {dev0: {name: "first0"}, peer0: {name: "taken"}}'
    with_device "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID"
    ((status == 1))
    [[ $output == *"oci-ns: /linux/netDevices/peer0: cannot move the network device 'peer0': the network namespace has an interface 'taken' already"* ]]
    [[ $(cat after) == *" dev0@"*"UP"*"mtu 1400"*"link/ether 02:00:00:00:00:07"*"10.9.8.7/24"*"fd00::7/64"* ]]
    cfg '.linux.netDevices = {nothere: {}}'
    with_device "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID"
    ((status == 1))
    [[ $output == *"oci-ns: /linux/netDevices/nothere: cannot move the network device 'nothere': there is none of that name"* ]]
    let_go
}
