#!/usr/bin/env bats
# oci-spec plan: the text that all other programs work by.

load ../helpers

HERE=$BATS_TEST_DIRNAME

setup()
{
    ocirun_setup
    oci-spec new >config.json
}

# plan_of 'JQ FILTER': the plan of a config.json changed by it.
plan_of() { jq "$1" config.json | oci-spec plan; }

@test "a configuration with every property has each of them in its plan" {
    run -0 --separate-stderr bash -c "oci-spec plan '$HERE/everything.json' | diff '$HERE/everything.plan' -"

    [[ $stderr == "" ]]
}

@test "the configuration with every property has every property" {
    paths=$(jq -r '[paths | map(if type == "number" then "*" else . end) | "/" + join("/")] | unique[]' "$HERE/everything.json")
    # What cannot stand beside the rest: empty here, ignored, or refused.
    missing=$(comm -23 <(oci-spec properties | cut -f 1 | LC_ALL=C sort) <(LC_ALL=C sort <<<"$paths") |
        grep -vE '^/(annotations|linux/(sysctl|resources/(rdma|unified)|netDevices|personality/flags)|linux/timeOffsets/boottime/nanosecs|process/commandLine|hooks|solaris|zos|freebsd)(/|$)' || true)

    [[ $missing == "" ]]
}

@test "a plan begins with its version and ends with end" {
    run -0 oci-spec plan config.json

    [[ ${lines[0]} == "plan 1" && ${lines[-1]} == end ]]
}

@test "the namespaces can be grepped out of it" {
    run -0 bash -c 'oci-spec plan <config.json | grep ^ns'

    [[ ${lines[0]} == $'ns.new\t/linux/namespaces/0\tpid' ]]
    [[ ${#lines[@]} == 6 ]]
}

@test "a wrong configuration gives errors and not a byte of a plan" {
    jq '.process.cwd = "x" | .linux.maskedPaths = [1]' config.json >bad.json

    run -1 --separate-stderr oci-spec plan bad.json

    [[ $output == "" ]]
    [[ $stderr == *"/process/cwd: "*"/linux/maskedPaths/0: "* ]]
}

@test "tabs, newlines and backslashes in a value are escaped in its line" {
    run -0 plan_of '.annotations = {"a\tb": "c\nd\\e"}'

    [[ $output == *$'\nocirun.annotation\t/annotations/a\\\\u0009b\ta\\tb\tc\\nd\\\\e\n'* ]]
}

@test "limits of zero leave what is, -1 stays" {
    run -0 plan_of '.linux.resources |= . + {memory: {limit: 0, reservation: 0, kernel: 0}, cpu: {shares: 0, quota: 70000, period: 100000}, blockIO: {weight: 0}, pids: {limit: -1}}'

    [[ $output != *cgroup.memory* && $output != *cgroup.cpu.shares* && $output != *cgroup.blkio* ]]
    [[ $output == *$'\ncgroup.cpu.quota\t/linux/resources/cpu/quota\t70000\n'* ]]
    [[ $output == *$'\ncgroup.pids.limit\t/linux/resources/pids/limit\t-1\n'* ]]
}

@test "without device rules everything is denied first" {
    plan_of 'del(.linux.resources)' >plan
    run -0 grep -m1 '^cgroup.device' plan
    [[ $output == $'cgroup.device\t-\tdeny\ta\t*\t*\trwm' ]]

    plan_of '.linux.resources.devices = [{allow: true, type: "c", major: 10, minor: 200}]' >plan
    run -0 grep -m2 '^cgroup.device' plan
    [[ ${lines[0]} == $'cgroup.device\t-\tdeny\ta\t*\t*\trwm' ]]
    [[ ${lines[1]} == $'cgroup.device\t/linux/resources/devices/0\tallow\tc\t10\t200\trwm' ]]
}

@test "the configuration's device rules come before the default ones" {
    plan_of '.linux.resources.devices += [{allow: true, type: "b", major: -1, access: "r"}]' >plan

    run -0 grep -m3 '^cgroup.device' plan

    [[ ${lines[0]} == $'cgroup.device\t/linux/resources/devices/0\tdeny\ta\t*\t*\trwm' ]]
    [[ ${lines[1]} == $'cgroup.device\t/linux/resources/devices/1\tallow\tb\t*\t*\tr' ]]
    [[ ${lines[2]} == $'cgroup.device\t-\tallow\tc\t*\t*\tm' ]]
}

@test "nothing is made in a /dev that is a bind mount" {
    for mount in '{destination: "/dev", type: "bind", source: "/dev"}' '{destination: "/dev/", source: "/dev", options: ["rbind"]}'; do
        run -0 plan_of ".mounts[1] = $mount | .linux.devices = [{type: \"c\", path: \"/dev/fuse\", major: 10, minor: 229}]"

        [[ $output != *init.device* && $output != *init.link* ]]
        [[ $output == *$'\ncgroup.device\t/linux/devices/0\tallow\tc\t10\t229\trwm\n'* ]]
    done
}

@test "a default device that the configuration lists is made as it is listed" {
    run -0 plan_of '.linux.devices = [{type: "c", path: "/dev/null", major: 1, minor: 3, fileMode: 384, uid: 5}]'

    [[ $(grep -c $'\t/dev/null\t' <<<"$output") == 1 ]]
    [[ $output == *$'\ninit.device\t/linux/devices/0\tc\t/dev/null\t1\t3\t0600\t5\t0\n'* ]]
}

@test "a relative destination is below the root, a relative source stays" {
    run -0 plan_of '.mounts = [{destination: "data", type: "bind", source: "here", options: ["bind"]}]'

    [[ $output == *$'\ninit.mount\t/mounts/0\t/data\tbind\there\tbind\n'* ]]
}

@test "without a terminal there is no init.terminal, whatever its size" {
    run -0 plan_of '.process.terminal = false | .process.consoleSize = {height: 1, width: 1}'

    [[ $output != *init.terminal* ]]
}

@test "a process without capabilities has five empty sets" {
    run -0 plan_of 'del(.process.capabilities)'

    for set in bounding permitted effective inheritable ambient; do
        [[ $output == *$'\ninit.capability\t-\t'$set$'\n'* ]]
    done
}

@test "unknown capabilities are left out" {
    run -0 --separate-stderr plan_of '.process.capabilities = {bounding: ["CAP_FUTURE", "CAP_KILL"]}'

    [[ $output == *$'\ninit.capability\t/process/capabilities/bounding\tbounding\tCAP_KILL\n'* ]]
    [[ $stderr == *"'CAP_FUTURE' is not known"* ]]
}

@test "warnings go to the error descriptor, not to the stderr of a container" {
    jq '.process.capabilities = {bounding: ["CAP_FUTURE"]}' config.json >changed.json

    run -0 --separate-stderr bash -c 'oci-spec --error-fd 5 plan changed.json 5>errors'

    [[ $stderr == "" ]]
    [[ $(cat errors) == $'oci-spec\t0\t0\t\t/process/capabilities/bounding/0: \'CAP_FUTURE\' is not known; it is left out' ]]
}

@test "--resources plans the object linux.resources alone; what turns something off is a wish there" {
    echo '{"devices":[{"allow":true,"type":"c","major":1,"minor":3,"access":"r"}],"cpu":{"burst":0,"idle":0,"shares":0},"memory":{"disableOOMKiller":false,"limit":0},
        "pids":{"limit":0},"blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":0}]},"unified":{"memory.high":"5"}}' >resources.json

    run -0 --separate-stderr oci-spec plan --resources resources.json

    [[ $stderr == "" ]]
    [[ $output == "plan 1
cgroup.memory.disable-oom-killer	/linux/resources/memory/disableOOMKiller	false
cgroup.cpu.burst	/linux/resources/cpu/burst	0
cgroup.cpu.idle	/linux/resources/cpu/idle	0
cgroup.blkio.throttle	/linux/resources/blockIO/throttleReadBpsDevice/0	read-bps	8	0	0
cgroup.unified	/linux/resources/unified/memory.high	memory.high	5
cgroup.device	-	deny	a	*	*	rwm
cgroup.device	/linux/resources/devices/0	allow	c	1	3	r
end" ]]
    [[ $(oci-spec plan --resources <<<'{}') == $'plan 1\nend' ]]
    run -1 --separate-stderr oci-spec plan --resources <<<'{"pids":{"limit":"5"}}'
    [[ $stderr == "oci-spec: /linux/resources/pids/limit: 1:18: found a string, expected "* ]]
    run -2 oci-spec plan --resources --process <<<'{}'
}

@test "a limit of no process is the least in a configuration" {
    run -0 plan_of '.linux.resources.pids.limit = 0'
    [[ $output == *$'\ncgroup.pids.limit\t/linux/resources/pids/limit\t0\n'* ]]
}

@test "the container's user owns its cgroup exactly if it sees it writable, as a root of its own" {
    writable='.process.user.uid = 7 | .mounts |= map(if .destination == "/sys/fs/cgroup" then .options -= ["ro"] else . end)'
    run -0 plan_of "$writable"
    [[ $output == *$'\ncgroup.owner\t/process/user/uid\t7\n'* ]]
    run -0 plan_of "$writable"' | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}, {containerID: 1, hostID: 100000, size: 100}]
        | .linux.gidMappings = .linux.uidMappings'
    [[ $output == *$'\ncgroup.owner\t/process/user/uid\t100006\n'* ]]

    for filter in '.process.user.uid = 7' "$writable"' | .process.user.uid = 0' "$writable"' | .linux.namespaces |= map(select(.type != "cgroup"))' \
        "$writable"' | .linux.namespaces |= map(if .type == "cgroup" then .path = "/proc/1/ns/cgroup" else . end)' "$writable"' | .mounts |= map(select(.destination != "/sys/fs/cgroup"))'; do
        run -0 plan_of "$filter"
        [[ $output != *cgroup.owner* ]]
    done
}

@test "--process plans a process object alone, with the pointers that it has in config.json" {
    jq '.process' config.json >process.json

    run -0 oci-spec plan --process process.json

    [[ $output == "$(oci-spec plan config.json | grep -E '^(plan|init\.(terminal|user|arg|env|cwd|capability|rlimit|no-new-privileges)|end)')" ]]
}

@test "--process says errors with those pointers" {
    run -1 --separate-stderr oci-spec plan --process <<<'{"args": [], "cwd": "x", "user": 1, "execCPUAffinity": {"initial": "x"}}'

    [[ $output == "" ]]
    [[ $stderr == *"/process/args: 1:10: "*"/process/cwd: 1:21: "*"/process/user: 1:34: "*"/process/execCPUAffinity/initial: 1:68: found 'x', expected a list of numbers and ranges from 0 to 8191, such as 0-3,7"* ]]
}

@test "config.json is taken as engines write it" {
    # ociVersion of a development version, empty strings and nulls for what is absent, a doubled variable.
    run -0 --separate-stderr plan_of '.ociVersion = "1.0.2-dev" | .process.apparmorProfile = "" | .process.selinuxLabel = "" | .linux.mountLabel = ""
        | .linux.cgroupsPath = "" | .linux.seccomp = null | .process.rlimits = null | .process.oomScoreAdj = 0
        | .process.env += ["PATH=/x"] | .process.user.additionalGids = [0, 10] | .hooks = {} | .unknown = {a: 1}'

    [[ $stderr == "" ]]
    [[ $output == *$'\ninit.oom-score-adj\t/process/oomScoreAdj\t0\n'* ]]
    [[ $output != *init.apparmor-profile* && $output != *cgroup.path* && $output != *seccomp* ]]
}

@test "a full disk is an error" {
    run -1 bash -c 'oci-spec plan config.json >/dev/full'

    [[ $output == "oci-spec: the plan: cannot write: No space left on device" ]]
}

@test "the plan of a configuration is the same as root and as anybody" {
    cmp <(oci-spec plan <config.json) <(as_user oci-spec plan <config.json)
}

@test "plan: an empty list of filter flags is not the same as none" {
    run -0 oci-spec plan - <<<'{"ociVersion": "1.0.2", "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "flags": []}}}'
    [[ $output == *$'seccomp.flag\t/linux/seccomp/flags\t'* ]]
    run -0 oci-spec plan - <<<'{"ociVersion": "1.0.2", "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}}}'
    [[ $output != *seccomp.flag* ]]
}

@test "annotations of crun: the type of a mount's context, and who receives the notify descriptor" {
    run -0 plan_of '.linux.mountLabel = "a:b:c:d" | .annotations["run.oci.mount_context_type"] = "rootcontext"'
    [[ $output == *$'\ninit.mount-label\t/linux/mountLabel\ta:b:c:d\trootcontext\n'* ]]

    run -0 plan_of '.annotations["run.oci.seccomp.receiver"] = "/r" | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/l", listenerMetadata: "m",
        syscalls: [{names: ["read"], action: "SCMP_ACT_NOTIFY"}]}'
    [[ $output == *$'\nseccomp.listener\t/annotations/run.oci.seccomp.receiver\t/r\tm\n'* ]]
}
