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
    run oci-spec --test-step 2:9 new -o config.json

    [[ ! -e config.json ]]
}

@test "a full disk is an error" {
    run -1 bash -c 'oci-spec new >/dev/full'

    [[ $output == "oci-spec: the configuration: cannot write: No space left on device" ]]
}
