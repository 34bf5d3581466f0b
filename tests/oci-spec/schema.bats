#!/usr/bin/env bats
# The runtime-spec's JSON schemas beside oci-spec: what new writes they accept, what they refuse check refuses.

load ../helpers

SCHEMAS=$BATS_TEST_DIRNAME/../../spec/runtime-spec
# Thousands of variants, each one start of oci-spec.
BATS_TEST_TIMEOUT=$((BATS_TEST_TIMEOUT * 4))

setup()
{
    ocirun_setup
    requires python3 jsonschema
    # Without what the schema does not know but everybody writes (r-forms of propagation, types in the mode of a device).
    oci-spec unset /vm "$BATS_TEST_DIRNAME/everything.json" | oci-spec unset /windows | oci-spec set /linux/rootfsPropagation slave |
        oci-spec set /linux/devices/0/fileMode 438 >everything.json
    # Sections of newer versions: alone, so that a refusal of one does not hide anything.
    oci-spec new | jq '.linux.netDevices = {eth0: {name: "eth1"}}' >netdevices.json
    oci-spec new | jq '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}' >memorypolicy.json
    oci-spec new | jq '.linux.intelRdt = {closID: "a", schemata: ["MB:0=20"], enableMonitoring: true}' >intelrdt.json
    oci-spec new | jq '.linux.intelRdt = {l3CacheSchema: "L3:0=f", memBwSchema: "MB:0=20"}' >intelrdt-old.json
    oci-spec new | jq '.mounts += [{destination: "/x", type: "bind", source: "/x", options: ["bind"],
        uidMappings: [{containerID: 0, hostID: 1, size: 1}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]' >idmap.json
}

validate() { python3 -B "$BATS_TEST_DIRNAME/validate.py" "$SCHEMAS" "$@"; }
variants()
{
    run timeout "$BATS_TEST_TIMEOUT" python3 -B "$BATS_TEST_DIRNAME/variants.py" "$SCHEMAS" "$@"
    [[ $status == 0 ]] || { echo "$output" >&2; return 1; }
}

@test "the schema accepts what new writes: the default, --rootless, and with all changes" {
    oci-spec new >default.json
    oci-spec new --rootless >rootless.json
    oci-spec new --share ipc --namespace user --map-user 0:1000:1 --map-group 0:1000:1 --env A=1 --cwd / --user 1:2:3 --umask 022 --no-terminal --new-privileges \
        --rlimit nofile=1:2 --oom-score-adj 5 --apparmor p --selinux l --cap-drop KILL --cap-add CHOWN --hostname h --domainname d --rootfs r --no-read-only \
        --no-mount /dev/mqueue --mount type=tmpfs,destination=/a,ro --bind /b --tmpfs /c:size=1m --masked-path /d --readonly-path /e --device /dev/null \
        --cgroup /f --memory 64M --memory-swap -1 --memory-reservation 1M --pids 5 --cpus 1 --cpu-shares 5 --cpuset-cpus 0 --cpuset-mems 0 \
        --sysctl net.x=1 --annotation a=b --hook poststop=/bin/h -- sleep 1 >changed.json
    for config in default rootless changed; do
        validate config-schema.json "$config.json"
    done
}

@test "the test's own configurations are good by the schema and by check" {
    for config in everything netdevices memorypolicy intelrdt intelrdt-old idmap; do
        validate config-schema.json "$config.json"
    done
    oci-spec check everything.json
}

@test "check refuses what the schema refuses when a key is missing" {
    variants missing ./*.json

    [[ $output =~ ^([0-9]+)\ variants\ refused$ ]] && ((BASH_REMATCH[1] > 60))
}

@test "check refuses what the schema refuses when a value has another type" {
    variants type ./*.json

    [[ $output =~ ^([0-9]+)\ variants\ refused$ ]] && ((BASH_REMATCH[1] > 1500))
}

@test "check refuses what the schema refuses when a word is none of its list, or a number out of range" {
    variants value ./*.json

    [[ $output =~ ^([0-9]+)\ variants\ refused$ ]] && ((BASH_REMATCH[1] > 500))
}
