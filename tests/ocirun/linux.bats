#!/usr/bin/env bats
# The rest of the linux section: devices, kernel settings, hidden and read-only paths, propagation, labels, personality, memory.

load ../helpers
load box

user_namespace='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
    | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | del(.linux.resources)'
map_rootfs() { own_rootfs && chown -R --no-dereference 100000:100000 rootfs; }

@test "hostname and domainname are set, and are errors without a uts namespace" {
    requires root
    cfg '.hostname = "box" | .domainname = "example.org"'
    box sh -c 'hostname; cat /proc/sys/kernel/domainname'
    [[ $output == $'box\nexample.org' ]]
    cfg '.linux.namespaces |= map(select(.type != "uts"))'
    refused /hostname "expected none, as linux.namespaces has no 'uts'"
    cfg 'del(.hostname)'
    refused /domainname "expected none, as linux.namespaces has no 'uts'"
}

@test "devices of each type have their numbers, modes and owners, whatever the umask; directories are made" {
    requires root
    cfg '.linux.devices = [{type: "c", path: "/dev/sub/char", major: 10, minor: 229, fileMode: 438, uid: 7, gid: 8},
                           {type: "b", path: "/dev/block", major: 7, minor: 300, fileMode: 384},
                           {type: "u", path: "/dev/unbuffered", major: 1, minor: 5},
                           {type: "p", path: "/dev/pipe", fileMode: 420}] | .linux.resources.devices = [{allow: true, access: "rwm"}]'
    umask 077
    box stat -c '%n %F %t:%T %a %u:%g' /dev/sub/char /dev/block /dev/unbuffered /dev/pipe
    [[ $output == '/dev/sub/char character special file a:e5 666 7:8
/dev/block block special file 7:12c 600 0:0
/dev/unbuffered character special file 1:5 666 0:0
/dev/pipe fifo 0:0 644 0:0' ]]
    cfg '.linux.devices = [{type: "c", path: "/dev/ptmx", major: 5, minor: 2}]'
    box readlink /dev/ptmx
    [[ $output == pts/ptmx ]]
    cfg '.linux.devices = [{type: "c", path: "/dev/x"}]'
    refused /linux/devices/0 "found nothing, expected the number of the device"
}

@test "devices in a user namespace are the host's, bound; one that is another device is an error" {
    requires root
    map_rootfs
    cfg "$user_namespace | .linux.devices = [{type: \"c\", path: \"/dev/null\", major: 1, minor: 3}, {type: \"p\", path: \"/dev/fifo\", uid: 5, gid: 6}]"
    box sh -c 'grep -c " /dev/null " /proc/self/mounts; stat -c "%F %t:%T" /dev/null; stat -c "%F %u:%g" /dev/fifo'
    [[ $output == $'1\ncharacter special file 1:3\nfifo 5:6' ]]
    cfg '.linux.devices = [{type: "c", path: "/dev/null", major: 1, minor: 7}]'
    refused /linux/devices/0 "cannot bind the host's device '/dev/null': there it is another device"
}

@test "sysctl: what belongs to a namespace is set, with dots or slashes" {
    requires root
    cfg '.linux.sysctl = {"net.ipv4.ip_forward": "1", "net/ipv4/ip_unprivileged_port_start": "80", "kernel.msgmax": "4321", "kernel.shm_rmid_forced": "1",
                          "fs.mqueue.msg_max": "33", "kernel.domainname": "example.net", "kernel.sem": "251\t32001 33 129"}'
    box sh -c 'cd /proc/sys && cat net/ipv4/ip_forward net/ipv4/ip_unprivileged_port_start kernel/msgmax kernel/shm_rmid_forced fs/mqueue/msg_max kernel/domainname kernel/sem'
    [[ $output == $'1\n80\n4321\n1\n33\nexample.net\n251\t32001\t33\t129' ]]
    cfg '.linux.sysctl = {"kernel.domainname": ""}'
    box sh -c 'echo "[$(cat /proc/sys/kernel/domainname)]"'
    [[ $output == "[]" ]]
}

@test "sysctl: user.* in a user namespace" {
    requires root
    map_rootfs
    cfg "$user_namespace"' | .linux.sysctl = {"user.max_net_namespaces": "17"}'
    box cat /proc/sys/user/max_net_namespaces
    [[ $output == 17 ]]
}

@test "sysctl: what is the host's is an error with its place, and so is what the kernel refuses" {
    requires root
    local before
    before=$(cat /proc/sys/vm/swappiness)
    cfg '.linux.sysctl = {"vm.swappiness": "7"}'
    refused /linux/sysctl/vm.swappiness "found a sysctl of the whole host, expected one that a namespace has of its own"
    cfg '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.namespaces |= map(select(.type != "network"))'
    refused /linux/sysctl/net.ipv4.ip_forward "found a sysctl of the host, as linux.namespaces has no 'network'"
    cfg '.linux.sysctl = {"kernel.msgmax": "many"}'
    refused /linux/sysctl/kernel.msgmax "Invalid argument"
    cfg '.linux.sysctl = {"net.no_such_thing": "1"} | .linux.namespaces += [{type: "network"}]'
    refused /linux/sysctl/net.no_such_thing "No such file or directory"
    [[ $(cat /proc/sys/vm/swappiness) == "$before" ]]
}

@test "maskedPaths: files read as empty, directories are empty; what is missing and what is there twice is fine" {
    requires root
    own_rootfs
    mkdir -p rootfs/secret/sub && echo x >rootfs/secret/file && echo x >rootfs/alone && ln -s secret rootfs/link
    cfg '.linux.maskedPaths += ["/secret", "/alone", "/alone", "/nowhere/x", "/secret/file", "/link"]'
    box sh -c 'ls /secret /link; cat /alone /proc/kcore /proc/keys; stat -c "%t:%T" /alone; ls /proc/scsi /proc/acpi /sys/firmware; touch /secret/x; true'
    [[ $(grep -v ':$' <<<"$output" | grep .) == 1:3 ]]
    [[ $stderr == *"touch: /secret/x: Read-only file system"* ]]
}

@test "readonlyPaths refuse writes, keep the flags of their mount, and may be missing" {
    requires root
    own_rootfs
    mkdir rootfs/data && touch rootfs/data/file rootfs/single
    cfg '.root.readonly = false | .mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec"]}]
         | .linux.readonlyPaths += ["/data", "/single", "/nowhere"]'
    box sh -c 'touch /data/x /single 2>&1; grep -E " /(data|single) " /proc/self/mounts | cut -d" " -f 2,4; echo 1 >/proc/sys/kernel/msgmax; touch /bin/fine && rm /bin/fine'
    [[ $output == *"touch: /data/x: Read-only file system"*"touch: /single: Read-only file system"* ]]
    [[ $(grep '^/data ' <<<"$output" | tail -1) == "/data ro,nosuid,noexec,"* && $stderr == *"/proc/sys/kernel/msgmax: Read-only file system"* ]]
}

@test "a mount of its own below a read-only path is as config.json asks for it" {
    requires root
    own_rootfs
    mkdir rootfs/data
    cfg '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs"}, {destination: "/data/own", type: "tmpfs", source: "tmpfs"}]
         | .linux.readonlyPaths += ["/data"]'
    box sh -c 'touch /data/own/x && echo written; touch /data/x; true'
    [[ $output == written && $stderr == *"touch: /data/x: Read-only file system"* ]]
}

# root_mount: the line of the container's root in /proc/self/mountinfo.
root_mount() { grep -E '^[0-9]+ [0-9]+ [0-9:]+ [^ ]+ / ' <<<"$output"; }

@test "rootfsPropagation: each word is that of the container's root; without one it is a slave of nobody that the host sees" {
    requires root
    local word
    for word in private rprivate slave rslave shared rshared unbindable runbindable none; do
        cfg --arg w "$word" '.linux.rootfsPropagation = $w | if $w == "none" then del(.linux.rootfsPropagation) else . end'
        box cat /proc/self/mountinfo
        case $word in
            *shared) [[ $(root_mount) == *" shared:"* ]] ;;
            *unbindable) [[ $(root_mount) == *" unbindable "* ]] ;;
            *) [[ $(root_mount) != *" shared:"* && $(root_mount) != *unbindable* ]] ;;
        esac
    done
    refute grep -q "$BUNDLE" /proc/self/mountinfo
    cfg '.linux.rootfsPropagation = "public"'
    refused /linux/rootfsPropagation "expected one of private, rprivate"
}

@test "rootfsPropagation: with rslave a mount that the host makes in a volume arrives, with rprivate it does not" {
    requires root
    local word
    mkdir volume
    mount -t tmpfs "$TEST_ID" volume
    mount --make-shared volume
    mkdir volume/sub
    for word in rslave rprivate; do
        cfg --arg w "$word" '.linux.rootfsPropagation = $w | .mounts += [{destination: "/volume", type: "bind", source: "volume", options: ["rbind", "rslave"]}]'
        args sleep 1000
        rt run --detach "$TEST_ID" 3>&- >out 2>&1
        mount -t tmpfs "$TEST_ID" volume/sub
        run rt exec "$TEST_ID" grep -c ' /volume/sub ' /proc/self/mounts
        umount volume/sub
        rt delete --force "$TEST_ID"
        [[ $word == rslave && $output == 1 || $word == rprivate && $output == 0 ]]
    done
    umount volume
}

@test "a private root together with --no-pivot is refused" {
    requires root
    for word in private rprivate; do
        cfg --arg w "$word" '.linux.rootfsPropagation = $w'
        args true
        run -1 rt run --no-pivot "$TEST_ID"
        [[ $output == *"/linux/rootfsPropagation: a private root cannot be had without pivot_root"* ]]
    done
    cfg '.linux.rootfsPropagation = "rslave"'
    rt run --no-pivot "$TEST_ID"
}

@test "mountLabel and selinuxLabel mean nothing on a host without SELinux" {
    requires root no_selinux
    cfg '.linux.mountLabel = "system_u:object_r:container_file_t:s0:c1,c2" | .process.selinuxLabel = "system_u:system_r:container_t:s0:c1,c2"'
    box grep ' /dev ' /proc/self/mounts
    [[ $output != *context* ]]
}

@test "mountLabel is the context of new file systems where SELinux is on" {
    requires root unshare no_selinux
    # The kernel without SELinux does not know it: its refusal shows that it was asked.
    local with_selinux='mount -t tmpfs tmpfs /sys/fs && mkdir /sys/fs/selinux && echo 1 >/sys/fs/selinux/enforce && exec "$@"'
    args true
    cfg '.linux.mountLabel = "a_u:b_r:c_t:s0"'
    run -1 unshare --mount --propagation private sh -c "$with_selinux" sh "$OCIRUN" --root "$STATE_ROOT" --cgroup-manager disabled run "$TEST_ID"
    [[ $output == *"/mounts/1: cannot mount a 'tmpfs' on '/dev': "*"'context'"* ]]
    # Categories have a comma, which goes by another call.
    cfg '.linux.mountLabel = "a_u:b_r:c_t:s0:c1,c2"'
    run -1 unshare --mount --propagation private sh -c "$with_selinux" sh "$OCIRUN" --root "$STATE_ROOT" --cgroup-manager disabled run "$TEST_ID"
    [[ $output == *"/mounts/1: cannot mount a 'tmpfs' on '/dev': cannot mount: Invalid argument"* ]]
}

@test "personality: a 32-bit one, also for exec" {
    requires root
    [[ $(uname -m) == x86_64 ]] || skip "needs x86_64"
    cfg '.linux.personality = {domain: "LINUX32"}'
    box uname -m
    [[ $output == i686 ]]
    args sleep 1000
    rt run --detach "$TEST_ID" 3>&- >out 2>&1
    [[ $(rt exec "$TEST_ID" uname -m) == i686 ]]
    rt delete --force "$TEST_ID"
    cfg '.linux.personality.domain = "LINUX"'
    box uname -m
    [[ $output == x86_64 ]]
    cfg '.linux.personality.flags = ["ADDR_NO_RANDOMIZE"]'
    refused /linux/personality/flags "expected none"
}

@test "memoryPolicy: mode, nodes and flags are those of the program, also for exec" {
    requires root numa
    local entry
    for entry in 'MPOL_BIND 0 "" bind:0' 'MPOL_INTERLEAVE 0 "" interleave:0' 'MPOL_PREFERRED 0 "" prefer:0' 'MPOL_LOCAL "" "" local' \
        'MPOL_BIND 0 MPOL_F_STATIC_NODES bind=static:0' 'MPOL_BIND 0 MPOL_F_RELATIVE_NODES bind=relative:0' 'MPOL_DEFAULT "" "" default'; do
        eval "set -- $entry"
        cfg --arg m "$1" --arg n "$2" --arg f "$3" '.linux.memoryPolicy = ({mode: $m, nodes: $n, flags: [$f | select(. != "")]})'
        box sh -c 'head -1 /proc/self/numa_maps'
        [[ $output == *" $4 "* ]] || { echo "$entry: $output"; return 1; }
    done
    cfg '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
    args sleep 1000
    rt run --detach "$TEST_ID" 3>&- >out 2>&1
    [[ $(rt exec "$TEST_ID" head -1 /proc/self/numa_maps) == *" bind:0 "* ]]
    rt delete --force "$TEST_ID"
}

@test "memoryPolicy: what the kernel refuses is an error with its place" {
    requires root numa
    cfg '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "900"}'
    refused /linux/memoryPolicy "cannot set the memory policy MPOL_BIND for the nodes '900': "
    cfg '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]}'
    refused /linux/memoryPolicy "Invalid argument"
}

@test "sections for other systems mean nothing; check --strict says so" {
    requires root
    cfg '.vm = {kernel: {path: "/boot/x"}} | .windows = {layerFolders: ["x"]} | .solaris = {milestone: "x"} | .zos = {namespaces: []} | .freebsd = {}'
    box echo fine
    [[ $output == fine && $stderr == "" ]]
    run -0 --separate-stderr oci-spec check --strict config.json
    for section in vm windows solaris zos freebsd; do
        [[ $stderr == *"/$section: is ignored: it is for "* ]]
    done
}
