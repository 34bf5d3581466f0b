#!/usr/bin/env bats
# What a plan costs: little for the configurations that there are, and no more than in proportion for large ones.

load ../helpers

setup()
{
    ocirun_setup
    requires plain_build
}

# in_cpu_seconds N 'SCRIPT': the script succeeds, in that much CPU time for each of its processes.
in_cpu_seconds() { bash -c "set -e -o pipefail; ulimit -t $1; $2"; }

# A configuration with as many mounts, 3 values each.
with_mounts() { jq -cn --argjson n "$1" '{ociVersion: "1.0.0", mounts: [range($n) | {destination: "/m\(.)", type: "tmpfs"}]}'; }

@test "the plan of the default configuration takes at most 1.3 times the CPU time of a program that does nothing but link the same libraries" {
    requires g++
    echo '#include <simdjson.h>' | g++ -E -x c++ - >/dev/null 2>&1 || skip "needs libsimdjson-dev"
    echo 'int main() {}' >empty.cc
    g++ -O2 -o empty empty.cc -Wl,--no-as-needed -lsimdjson
    oci-spec new >config.json

    run -0 cpu-time 101 "$PWD/empty" , oci-spec plan config.json

    echo "empty ${lines[0]} us, oci-spec plan ${lines[1]} us" >&2
    ((lines[1] * 10 <= lines[0] * 13))
}

@test "ten times the mounts take ten times the CPU time, not a hundred times" {
    with_mounts 10000 >small.json
    with_mounts 100000 >large.json

    run -0 cpu-time 5 oci-spec plan small.json , oci-spec plan large.json

    echo "10000: ${lines[0]} us, 100000: ${lines[1]} us" >&2
    # Half as much again, as caches are not linear.
    ((lines[1] <= lines[0] * 20))
}

@test "a hundred thousand mounts are taken by check, plan and each reader of plans" {
    requires root
    with_mounts 100000 >config.json

    in_cpu_seconds 5 'oci-spec check config.json; oci-spec plan config.json >plan'

    [[ $(grep -c '^init.mount' plan) == 100000 ]]
    # None of these lines is theirs; what they say is about the lines that they miss.
    in_cpu_seconds 5 'oci-seccomp compile <plan >filter 2>error || grep seccomp.default error'
    in_cpu_seconds 5 'oci-ns new --plan-fd 5 -- true 5<plan'
    in_cpu_seconds 5 'oci-init run --plan-fd 5 5<plan 2>error || grep init.root error'
}

@test "fifty thousand variables, arguments, hooks and device rules are taken in proportion, too" {
    requires root
    jq -cn '{ociVersion: "1.0.0", process: {cwd: "/", args: ["/bin/true", (range(50000) | "a\(.)")], env: [range(50000) | "NAME\(.)=\(.)"]},
        linux: {resources: {devices: [range(50000) | {allow: true, type: "c", major: 1, minor: .}]}}, annotations: ([range(50000) | {key: "k\(.)", value: ""}] | from_entries),
        hooks: {poststop: [range(50000) | {path: "/h"}]}}' >config.json

    in_cpu_seconds 5 'oci-spec plan config.json >plan'
    in_cpu_seconds 5 'oci-ns new --plan-fd 5 -- true 5<plan'
}

@test "twenty thousand network devices, sysctls and mounts with id mappings are taken in proportion, too" {
    # The container's ranges are not said again for each mount that takes them.
    jq -cn '{ociVersion: "1.3.0", linux: {namespaces: [{type: "user"}, {type: "network"}],
        uidMappings: [range(340) | {containerID: (. * 10), hostID: (. * 10 + 100000), size: 10}], gidMappings: [range(340) | {containerID: (. * 10), hostID: (. * 10 + 100000), size: 10}],
        netDevices: ([range(20000) | {key: "e\(.)", value: {name: "f\(.)"}}] | from_entries), sysctl: ([range(20000) | {key: "net.k\(.)", value: "1"}] | from_entries)},
        mounts: [range(20000) | {destination: "/m\(.)", source: "/s", options: ["bind", "idmap"]}]}' >config.json

    in_cpu_seconds 1 'oci-spec plan config.json >plan'

    ((3 * $(stat -c %s config.json) > $(stat -c %s plan)))
    [[ $(grep -c '^ns.net-device' plan) == 20000 && $(grep -c $'^ns.mount-source\t.*\tidmap\t\t$' plan) == 20000 ]]
}

@test "mappings counted from the container's, and lists of mappings, are taken in proportion, too" {
    # As many ranges as the kernel takes, in each of many mounts.
    jq -cn '[range(340) | "@\(.)-\(. * 10)-10"] as $ranges | [range(340) | {containerID: (. * 10), hostID: (. * 10), size: 10}] as $list
        | {ociVersion: "1.1.0", linux: {namespaces: [{type: "user"}], uidMappings: $list, gidMappings: $list},
        mounts: [range(1000) | {destination: "/m\(.)", source: "/s", options: ["bind", "idmap=uids=\($ranges | join("#"));gids=@0-0-1"]}]}' >options.json
    jq -cn '[range(340) | {containerID: (. * 10), hostID: (. * 10), size: 10}] as $list
        | {ociVersion: "1.1.0", mounts: [range(300) | {destination: "/m\(.)", source: "/s", options: ["bind"], uidMappings: $list, gidMappings: $list}]}' >lists.json

    in_cpu_seconds 1 'oci-spec plan options.json >plan; oci-spec plan lists.json >plan'
}

@test "oci-init merges sixty thousand variables in proportion" {
    requires root
    {
        printf 'plan 1\ninit.user\t-\t0\t0\t\ninit.cwd\t-\t/\ninit.arg\t-\t/bin/true\n'
        for set in bounding permitted effective inheritable ambient; do printf 'init.capability\t-\t%s\n' "$set"; done
        seq -f $'init.env\t-\tNAME%.0f=' 60000
        echo end
    } >plan

    in_cpu_seconds 1 'oci-ns new --mount --pid -- oci-init exec --plan-fd 5 5<plan'
}

@test "a plan of hundreds of megabytes is refused by each reader, with the bound" {
    requires root
    truncate -s 300M plan

    for reader in 'oci-seccomp compile' 'oci-ns new --plan-fd 0 -- true' 'oci-init run --plan-fd 0' 'oci-cgroup create --plan-fd 0 /x'; do
        run bash -c "ulimit -v 700000; $reader <plan"
        [[ $status != 0 && $output == *"cannot read the plan: input is larger than 268435456 bytes" ]] || { echo "$reader: $output" >&2; return 1; }
    done
}
