#!/usr/bin/env bats
# oci-spec features: what it says is what the programs do.

load ../helpers

# says 'JQ FILTER': the features document makes it true.
says() { oci-spec features | jq -e "$1" >/dev/null || { echo "not so: $1" >&2; return 1; }; }

# says_as_check 'FILTER ON FEATURES' 'FILTER ON CONFIG.JSON': it is true exactly if a config.json changed so is taken.
says_as_check()
{
    local said taken=true
    said=$(oci-spec features | jq "$1")
    oci-spec new | jq "$2" >changed.json
    oci-spec check changed.json 2>errors || taken=false
    [[ $said == "$taken" ]] || { echo "said $said, taken $taken: $2: $(cat errors)" >&2; return 1; }
}

@test "features is what the runtime-spec's schema asks for" {
    requires jsonschema

    oci-spec features >features.json

    python3 -B "$BATS_TEST_DIRNAME/validate.py" "$BATS_TEST_DIRNAME/../../spec/runtime-spec" features-schema.json features.json
}

@test "features names the versions: of the runtime-spec, of ocirun, its commit, of libseccomp" {
    says '.ociVersionMin == "1.0.0" and .ociVersionMax == "1.3.0"'
    says '.annotations["ocirun.version"] | test("^[0-9]+\\.[0-9]+\\.[0-9]+$")'
    says ".annotations[\"ocirun.commit\"] == \"$("$OCIRUN" --version | sed -n 's/^commit: //p')\""
    says '.annotations["io.github.seccomp.libseccomp.version"] | test("^2\\.[0-9]+\\.[0-9]+$")'
}

@test "features names the hooks and namespaces that a configuration may have, and no other" {
    says '.hooks == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]'
    says '.linux.namespaces | sort == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]'
    for kind in $(oci-spec features | jq -r '.linux.namespaces[]'); do
        oci-spec new | jq --arg k "$kind" '.hostname = "" | .linux.namespaces = [{type: $k, path: "/x"}]' | oci-spec check
    done
}

@test "features names the capabilities that are not left out with a warning" {
    says '.linux.capabilities | length == 41'
    oci-spec features | jq -r '.linux.capabilities as $all | $all[]' >names
    oci-spec new | jq --rawfile names names '.process.capabilities = {bounding: ($names | split("\n") | map(select(. != "")))}' >config.json

    run -0 --separate-stderr oci-spec check config.json

    [[ $stderr == "" ]]
    # In the kernel's order: the last one that it knows is one of them.
    [[ $(head -n 1 names) == CAP_CHOWN ]]
}

@test "features lists each mount option that is the runtime's own business, once" {
    says '.mountOptions | length == (unique | length) and . == sort'
    says '.mountOptions | contains(["rro", "rbind", "nosymfollow", "tmpcopyup", "rslave", "lazytime", "src-nofollow"])'
    says '.mountOptions | all(. != "mode" and . != "size" and . != "acl")'
    oci-spec features | jq -c '.mountOptions' >words
    oci-spec new | jq --slurpfile words words '.mounts += [{destination: "/x", type: "bind", source: "/x", options: ($words[0] - ["idmap", "ridmap"])}]' |
        oci-spec check
}

@test "each mount option that features lists works: a container has one mount with each" {
    requires root
    make_bundle
    mkdir source
    # Of these it takes something more: `remount` a mount, id mappings a user namespace.
    oci-spec features | jq -c '.mountOptions - ["remount", "idmap", "ridmap"]' >words.json
    cfg --slurpfile words words.json --arg source "$BUNDLE/source" '.mounts += [$words[0][] as $word | {destination: "/mounts/\($word)"} +
        if $word | test("^r|^bind$|^copy-symlink$|nofollow$") then {type: "bind", source: $source, options: ["bind", $word]}
        else {type: "tmpfs", source: "tmpfs", options: [$word]} end]'
    args sh -c 'ls /mounts | wc -l; grep -c " /mounts/" /proc/self/mountinfo'

    run -0 rt run "$TEST_ID"

    ((lines[0] == $(jq length words.json) && lines[1] >= lines[0] && lines[0] > 60))
}

@test "features says that id-mapped mounts, netDevices, memoryPolicy and intelRdt work exactly if they are taken" {
    says_as_check .linux.mountExtensions.idmap.enabled \
        '.mounts += [{destination: "/x", type: "bind", source: "/x", options: ["bind"], uidMappings: [{containerID: 0, hostID: 1, size: 1}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]'
    says_as_check '.mountOptions | contains(["idmap", "ridmap"])' \
        '.mounts += [{destination: "/x", type: "bind", source: "/x", options: ["bind", "idmap"], uidMappings: [{containerID: 0, hostID: 1, size: 1}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]'
    says_as_check .linux.netDevices.enabled '.linux.netDevices = {eth0: {name: "eth1"}}'
    says_as_check '.linux.memoryPolicy.modes | contains(["MPOL_BIND"])' '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}'
    says_as_check '.linux.memoryPolicy.flags | contains(["MPOL_F_STATIC_NODES"])' '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}'
    says_as_check .linux.intelRdt.enabled '.linux.intelRdt = {closID: "box"}'
    says_as_check .linux.intelRdt.schemata '.linux.intelRdt = {schemata: ["MB:0=20"]}'
    says_as_check .linux.intelRdt.monitoring '.linux.intelRdt = {enableMonitoring: true}'
}

@test "features says which cgroups there are: v1, v2, those of systemd and of a user's systemd, rdma" {
    says '.linux.cgroup | .v1 and .v2 and .systemd and .systemdUser'
    says_as_check .linux.cgroup.rdma '.linux.resources.rdma = {mlx5_1: {hcaHandles: 3}}'
}

@test "features names the actions, operators, architectures and flags that a filter may have" {
    oci-spec features | jq .linux.seccomp >seccomp.json
    jq -e '.enabled and (.actions | length == 9) and (.operators | length == 7) and (.archs | contains(["SCMP_ARCH_X86_64", "SCMP_ARCH_RISCV64"]))
        and (.knownFlags | length == 4) and (.supportedFlags - .knownFlags == [])' seccomp.json
    oci-spec new | jq --slurpfile s seccomp.json '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: $s[0].archs, flags: $s[0].knownFlags,
        listenerPath: "/x", syscalls: [$s[0].actions[] as $a | $s[0].operators[] as $o | {names: ["read"], action: $a, args: [{index: 0, value: 1, op: $o}]}]}' >config.json

    oci-spec check --strict config.json
}

@test "features says that a filter's flag is supported exactly if this kernel takes it" {
    requires python3
    [[ $(uname -m) == x86_64 ]] || skip "numbers of system calls are those of x86_64"
    oci-spec features | jq -c .linux.seccomp.supportedFlags >flags.json

    # seccomp(2): EFAULT, the flag is fine and the filter is not there; EINVAL, the flag is not known.
    python3 - <<'PY'
import ctypes, errno, json
libc = ctypes.CDLL(None, use_errno=True)
bits = {"TSYNC": 1, "LOG": 2, "SPEC_ALLOW": 4, "WAIT_KILLABLE_RECV": 32 | 8}
def known(value):
    libc.syscall(317, 1, value, None)
    return ctypes.get_errno() == errno.EFAULT
expected = [f"SECCOMP_FILTER_FLAG_{name}" for name, value in bits.items() if known(value)]
assert json.load(open("flags.json")) == expected, expected
PY
}

@test "features lists the annotations that change what is done: all properties of a systemd unit, and those of crun" {
    says '.potentiallyUnsafeConfigAnnotations == ["module.wasm.image/variant", "org.systemd.property.", "run.oci.delegate-cgroup", "run.oci.handler",
        "run.oci.hooks.stderr", "run.oci.hooks.stdout", "run.oci.keep_original_groups", "run.oci.mount_context_type", "run.oci.pidfd_receiver", "run.oci.seccomp.plugins",
        "run.oci.seccomp.receiver", "run.oci.seccomp_bpf_data", "run.oci.seccomp_fail_unknown_syscall", "run.oci.systemd.subgroup"]'
}

@test "ocirun features is the same, without a word on stderr, with global options or without, for anyone" {
    run -0 --separate-stderr "$OCIRUN" features
    [[ $stderr == "" ]]
    diff <(oci-spec features) <(printf '%s\n' "$output")

    run -0 --separate-stderr rt --log "$BATS_TEST_TMPDIR/log" --log-format json features
    [[ $stderr == "" ]]
    diff <(oci-spec features) <(printf '%s\n' "$output")

    run -0 --separate-stderr as_user oci-spec features
    diff <(oci-spec features) <(printf '%s\n' "$output")
}

@test "features into a full disk is an error" {
    run -1 bash -c 'oci-spec features >/dev/full'

    [[ $output == "oci-spec: the features: cannot write: No space left on device" ]]
}
