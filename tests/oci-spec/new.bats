#!/usr/bin/env bats
# oci-spec new: the configuration that people start from.

load ../helpers

@test "new writes a configuration that check --strict has nothing to say about" {
    oci-spec new >config.json

    run -0 --separate-stderr oci-spec check --strict config.json

    [[ $output == "" && $stderr == "" ]]
}

@test "the default program is sh on a terminal, as root, in a read-only root" {
    run -0 oci-spec new

    jq -e '.ociVersion == "1.3.0"
        and .process.terminal and .process.args == ["sh"] and .process.cwd == "/"
        and .process.user == {uid: 0, gid: 0} and .process.env[1] == "TERM=xterm"
        and .root == {path: "rootfs", readonly: true} and .hostname == "ocirun"' <<<"$output"
}

@test "the default program is confined: three capabilities, none to inherit, no new privileges, no devices" {
    run -0 oci-spec new

    jq -e '.process.capabilities | keys == ["bounding", "effective", "permitted"]
        and all(.[]; . == ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"])' <<<"$output"
    jq -e '.process.noNewPrivileges and .process.rlimits == [{type: "RLIMIT_NOFILE", hard: 1024, soft: 1024}]' <<<"$output"
    jq -e '.linux.resources.devices == [{allow: false, access: "rwm"}]' <<<"$output"
    jq -e '[.linux.namespaces[].type] == ["pid", "network", "ipc", "uts", "mount", "cgroup"]' <<<"$output"
    jq -e '.linux.maskedPaths | contains(["/proc/kcore", "/proc/keys", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"])' <<<"$output"
    jq -e '.linux.readonlyPaths == ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]' <<<"$output"
}

@test "the default mounts are those of the field, in an order that works" {
    run -0 oci-spec new

    jq -e '[.mounts[].destination] == ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup"]' <<<"$output"
    jq -e '.mounts[2].options == ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]' <<<"$output"
}

@test "--rootless maps the caller to root and asks for nothing that needs privilege" {
    run -0 as_user oci-spec new --rootless

    jq -e '.linux.uidMappings == [{containerID: 0, hostID: 1000, size: 1}] and .linux.gidMappings == .linux.uidMappings' <<<"$output"
    jq -e '[.linux.namespaces[].type] | contains(["user"]) and (contains(["network"]) | not)' <<<"$output"
    jq -e '.linux.resources == null' <<<"$output"
    jq -e '.mounts[] | select(.destination == "/sys") | .source == "/sys" and .options[0] == "rbind"' <<<"$output"
    jq -e '.mounts[] | select(.destination == "/dev/pts") | .options | contains(["gid=5"]) | not' <<<"$output"
    oci-spec check --strict <<<"$output"
}

@test "--output makes the file and nothing else" {
    mkdir empty

    run -0 oci-spec new --output empty/config.json

    [[ $output == "" ]]
    [[ $(ls -A empty) == config.json ]]
    cmp empty/config.json <(oci-spec new)
}

@test "--output leaves a file that is there as it is, and says so" {
    mkdir full
    echo precious >full/config.json

    run -1 oci-spec new -o full/config.json

    [[ $output == "oci-spec: 'full/config.json' already exists; it is left as it is" ]]
    [[ $(cat full/config.json) == precious && $(ls -A full) == config.json ]]
}

@test "--output does not follow a link that leads nowhere" {
    ln -s elsewhere config.json

    run -1 oci-spec new -o config.json

    [[ $output == *"already exists"* ]]
    [[ ! -e elsewhere ]]
}

@test "--output that cannot be written is an error with the kernel's words" {
    run -1 oci-spec new -o missing/config.json

    [[ $output == "oci-spec: cannot create 'missing/config.json.new-"*"': No such file or directory" ]]
}

@test "killed between writing and linking, --output leaves no half of a file" {
    mkdir empty

    run -137 oci-spec --test-step 2:9 new -o empty/config.json

    # What it has written is whole, and has another name.
    [[ $(ls -A empty) == config.json.new-* ]]
    cmp empty/config.json.new-* <(oci-spec new)
}

@test "a full disk is an error" {
    run -1 bash -c 'oci-spec new >/dev/full'

    [[ $output == "oci-spec: the configuration: cannot write: No space left on device" ]]
}

# ---------------------------------------------------------------- changes

# changes 'JQ FILTER' OPTION...: `new` with these options is what the filter makes of the default, and a good configuration.
changes()
{
    local filter=$1
    shift
    oci-spec new "$@" >changed.json
    diff <(jq -S . changed.json) <(oci-spec new | jq -S "$filter") || { echo "for $*" >&2; return 1; }
    oci-spec check --strict changed.json
}

@test "a program, or --arg for each word, is what the container runs" {
    changes '.process.args = ["sleep", "100"]' -- sleep 100
    changes '.process.args = ["sleep", "100"]' sleep 100
    changes '.process.args = ["sh", "-c", "echo a b"]' sh -c 'echo a b'
    changes '.process.args = ["sh", "-c", "echo a b"]' --arg sh --arg -c --arg 'echo a b'

    run -2 oci-spec new --arg sh -- sleep 100
    [[ $output == "oci-spec: the program is given twice, by --arg and behind the options" ]]
}

@test "--env adds a variable, or takes the place of one of that name" {
    changes '.process.env += ["LANG=C", "EMPTY="]' --env LANG=C --env EMPTY=
    changes '.process.env[1] = "TERM=dumb"' --env TERM=vt100 --env=TERM=dumb

    run -2 oci-spec new --env LANG
    [[ $output == "oci-spec: --env: 'LANG': expected NAME=VALUE" ]]
}

@test "--cwd, --user, --umask, --rlimit, --oom-score-adj, --apparmor and --selinux set the process" {
    changes '.process.cwd = "/tmp"' --cwd /tmp
    changes '.process.user = {uid: 1000, gid: 0}' --user 1000
    changes '.process.user = {uid: 1000, gid: 1001}' --user 1000:1001
    changes '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 6]}' --user 1000:1001:5:6
    changes '.process.user.umask = 23' --umask 0027
    changes '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 10, hard: 10}, {type: "RLIMIT_CORE", soft: 0, hard: 5}]' --rlimit nofile=10 --rlimit RLIMIT_CORE=0:5
    oci-spec new --rlimit core=0:unlimited | grep -q '"hard": 18446744073709551615,'
    changes '.process.oomScoreAdj = -5' --oom-score-adj -5
    changes '.process.apparmorProfile = "box" | .process.selinuxLabel = "a:b:c:d"' --apparmor box --selinux a:b:c:d

    run -2 oci-spec new --user root
    [[ $output == "oci-spec: --user: 'root': expected numbers, such as 1000:1000: names are the container's own business" ]]
    run -2 oci-spec new --umask 8
    run -2 oci-spec new --rlimit nofile
    run -2 oci-spec new --rlimit nofile=x
}

@test "switches have a --no- form; both at a time contradict each other" {
    changes '.process.terminal = false' --no-terminal
    changes . --terminal
    changes '.root.readonly = false' --no-read-only
    changes . --read-only
    changes '.process.noNewPrivileges = false' --new-privileges
    changes . --no-new-privileges

    run -2 oci-spec new --terminal --no-terminal
    [[ $output == "oci-spec: --terminal and --no-terminal contradict each other" ]]
}

@test "--cap-drop and --cap-add: by any spelling, ALL, dropped first" {
    changes '.process.capabilities[] -= ["CAP_KILL"]' --cap-drop kill
    changes '.process.capabilities[] += ["CAP_CHOWN"]' --cap-add CAP_CHOWN --cap-add chown
    changes '.process.capabilities[] = ["CAP_NET_RAW"]' --cap-add net_raw --cap-drop all
    oci-spec new --cap-add ALL >all.json
    [[ $(oci-spec get /process/capabilities/bounding all.json | jq -c sort) == "$(oci-spec features | jq -c '.linux.capabilities | sort')" ]]
    [[ $(jq -c '.process.capabilities | keys' all.json) == '["bounding","effective","permitted"]' ]]

    run -2 oci-spec new --cap-add FLY
    [[ $output == "oci-spec: --cap-add: 'FLY': expected the name of a capability, such as CAP_KILL, or ALL" ]]
}

@test "--hostname, --domainname, --rootfs, --cgroup, --masked-path, --readonly-path and --annotation set what they name" {
    changes '.hostname = "box" | .domainname = "example.org"' --hostname box --domainname example.org
    changes '.root.path = "/srv/root"' --rootfs /srv/root
    changes '.linux.cgroupsPath = "/box"' --cgroup /box
    changes '.linux.maskedPaths += ["/a", "/b"] | .linux.readonlyPaths += ["/c"]' --masked-path /a --masked-path /b --readonly-path /c
    changes '.annotations = {"org.example.a": "1", b: "x=y"}' --annotation org.example.a=1 --annotation b=x=y
}

@test "--memory, --pids, --cpus and their like set limits; they are those of oci-cgroup create" {
    changes '.linux.resources.memory = {limit: 67108864, swap: -1, reservation: 1024}' --memory 64M --memory-swap -1 --memory-reservation 1k
    changes '.linux.resources.pids.limit = 20' --pids 20
    changes '.linux.resources.cpu = {quota: 150000, period: 100000}' --cpus 1.5
    changes '.linux.resources.cpu = {shares: 512, cpus: "0-1", mems: "0"}' --cpu-shares 512 --cpuset-cpus 0-1 --cpuset-mems 0

    run -2 oci-spec new --memory much
    [[ $output == "oci-spec: --memory: 'much': expected a size such as 64M or 1G" ]]
    run -2 oci-spec new --pids many
    run -2 oci-spec new --cpus x
}

@test "--bind, --tmpfs and --mount add a mount, or take the place of one with the same destination" {
    changes '.mounts += [{destination: "/data", type: "bind", source: "/srv", options: ["rbind", "ro", "nosuid"]}]' --bind /srv:/data:ro,nosuid
    changes '.mounts += [{destination: "/srv", type: "bind", source: "/srv", options: ["rbind"]}]' --bind /srv
    changes '.mounts += [{destination: "/run", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "size=1m"]}]' --tmpfs /run:size=1m
    changes '.mounts += [{destination: "/o", type: "overlay", source: "overlay", options: ["lowerdir=/a:/b", "ro"]}]' \
        --mount type=overlay,source=overlay,destination=/o,lowerdir=/a:/b,ro
    changes '.mounts += [{destination: "/b", type: "bind", source: "/a", options: ["bind"]}]' --mount type=bind,src=/a,dst=/b,bind
    changes '.mounts += [{destination: "/b", type: "bind", source: "/a", options: ["rbind"]}]' --mount type=bind,src=/a,target=/b
    changes '.mounts[3] = {destination: "/dev/shm", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"]}' --tmpfs /dev/shm

    run -2 oci-spec new --mount type=tmpfs
    run -2 oci-spec new --bind :/x
    run -2 oci-spec new --tmpfs :x
}

@test "--no-mount leaves a path without its mount" {
    changes 'del(.mounts[4])' --no-mount /dev/mqueue --no-mount /nothing/there
}

@test "--share leaves a namespace out, with what only its own can have" {
    changes 'del(.linux.namespaces[1])' --share network
    changes 'del(.linux.namespaces[3]) | del(.hostname)' --share uts
    changes 'del(.linux.namespaces[0, 2])' --share ipc --share pid
    oci-spec new --rootless --share user >shared.json
    [[ $(jq -c '[.linux.uidMappings, .linux.gidMappings]' shared.json) == "[null,null]" ]]

    run -2 oci-spec new --share net
    [[ $output == "oci-spec: --share: 'net': expected one of pid network mount ipc uts user cgroup time" ]]
}

@test "--namespace joins one, or asks for another new one; --map-user and --map-group map ids" {
    changes '.linux.namespaces[1].path = "/run/netns/blue"' --namespace network=/run/netns/blue
    changes '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
        | .linux.gidMappings = [{containerID: 0, hostID: 7, size: 1}, {containerID: 1, hostID: 9, size: 2}]' \
        --namespace user --map-user 0:100000:65536 --map-group 0:7:1 --map-group 1:9:2

    run -1 --separate-stderr oci-spec new --namespace user
    [[ $output == "" && $stderr == "oci-spec: /linux/namespaces/6: found a new user namespace, expected linux.uidMappings and linux.gidMappings" ]]
    run -2 oci-spec new --map-user 0:1
}

@test "--device takes the numbers and the mode of the host's node" {
    requires root
    changes '.linux.devices = [{type: "c", path: "/dev/null", major: 1, minor: 3, fileMode: 438}]' --device /dev/null
    changes '.linux.devices = [{type: "c", path: "/dev/nil", major: 1, minor: 3, fileMode: 438}]' --device /dev/null:/dev/nil

    run -1 oci-spec new --device /dev/no-such
    [[ $output == "oci-spec: --device: cannot look at '/dev/no-such': No such file or directory" ]]
    run -1 oci-spec new --device /etc/passwd
    [[ $output == "oci-spec: --device: '/etc/passwd' is no device" ]]
}

@test "--sysctl and --hook add to the configuration" {
    changes '.linux.sysctl = {"net.ipv4.ip_forward": "1"}' --sysctl net.ipv4.ip_forward=1
    changes '.hooks = {poststop: [{path: "/bin/a"}, {path: "/bin/b", args: ["/bin/b", "x", "y=z"]}]}' --hook poststop=/bin/a --hook 'poststop=/bin/b x y=z'

    run -2 oci-spec new --hook start=/bin/a
    [[ $output == "oci-spec: --hook: 'start': expected one of prestart, createRuntime, createContainer, startContainer, poststart, poststop" ]]
    run -1 oci-spec new --hook poststop=a
    [[ $output == "oci-spec: /hooks/poststop/0/path: found 'a', expected an absolute path" ]]
}

@test "--seccomp takes the object of linux.seccomp from a file, checked strictly" {
    echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}' >filter.json
    changes '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}' --seccomp filter.json

    # An engine's profile: its rules hold only under conditions that config.json cannot say.
    printf '{"defaultAction": "SCMP_ACT_ERRNO",\n "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}}]}' >engine.json
    run -1 --separate-stderr oci-spec new --seccomp engine.json
    [[ $output == "" ]]
    [[ $stderr == "oci-spec: /linux/seccomp/syscalls/0/includes: --seccomp: 'engine.json': 2:64: found the unknown key 'includes', expected one of this object's properties" ]]

    run -1 oci-spec new --seccomp missing.json
    [[ $output == "oci-spec: --seccomp: cannot open 'missing.json': No such file or directory" ]]
}

@test "what would be no good configuration is not written, and all that is wrong with it is said" {
    run -1 --separate-stderr oci-spec new --pids -1 --hostname box --namespace time --share uts --cwd work --domainname d -o config.json

    [[ ! -e config.json && $output == "" ]]
    [[ $stderr == *"oci-spec: /process/cwd: found 'work', expected an absolute path"* ]]
    [[ $stderr == *"oci-spec: /hostname: found 'box', expected none, as linux.namespaces has no 'uts'"* ]]
    [[ ${#stderr_lines[@]} == 3 ]]
}

@test "--from begins with a configuration of one's own, which must be good" {
    oci-spec new --memory 64M -- sleep 1 >first.json

    oci-spec new --from first.json --pids 5 | diff <(jq -S '.linux.resources.pids.limit = 5' first.json) <(jq -S .)
    oci-spec new --from - <first.json | cmp - first.json
    oci-spec new | oci-spec new --from - | cmp - <(oci-spec new)

    run -1 oci-spec new --from - --pids 5 <<<'{"ociVersion": "1.0.0", "hostname": 1}'
    [[ $output == "oci-spec: /hostname: 1:37: found a number, expected a string" ]]
    run -2 oci-spec new --from first.json --rootless
}

@test "a configuration made by options alone runs" {
    requires root
    make_bundle
    rm config.json
    oci-spec new --no-terminal --hostname box --env A=b --tmpfs /tmp --bind "$BATS_TEST_TMPDIR:/data:ro" --cap-drop ALL --pids 20 --umask 077 -o config.json -- \
        sh -c 'hostname; echo $A; umask; grep CapEff /proc/self/status; mount | grep -c " /tmp \| /data "'

    run -0 rt run "$TEST_ID"

    [[ $output == $'box\nb\n0077\nCapEff:\t0000000000000000\n2' ]]
}
