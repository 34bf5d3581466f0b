#!/usr/bin/env bats
# oci-spec check: what is wrong, where, and what would be right.

load ../helpers

setup()
{
    ocirun_setup
    oci-spec new >config.json
}

# refuses 'JQ FILTER' 'POINTER' 'SENTENCE': a config.json changed by the filter has that error and no other; warnings are not looked at.
refuses()
{
    jq "$1" config.json >changed.json
    run -1 bash -c 'oci-spec check changed.json 2>&1 | grep -v "^oci-spec: warning: "; exit "${PIPESTATUS[0]}"'
    [[ ${#lines[@]} == 1 ]] || { echo "for $1: $output" >&2; return 1; }
    [[ ${lines[0]} =~ ^oci-spec:\ ([^ ]+):\ [0-9]+:[0-9]+:\ (.*)$ ]] || { echo "for $1: $output" >&2; return 1; }
    [[ ${BASH_REMATCH[1]} == "$2" && ${BASH_REMATCH[2]} == "$3" ]] || { echo "for $1: $output" >&2; return 1; }
}

# warns 'JQ FILTER' 'POINTER' 'SENTENCE': it is good, with that warning and no other.
warns()
{
    jq "$1" config.json >changed.json
    run -0 --separate-stderr oci-spec check changed.json
    [[ $output == "" && $stderr == "oci-spec: warning: $2: $3" ]] || { echo "for $1: $output $stderr" >&2; return 1; }
}

accepts()
{
    jq "$1" config.json >changed.json
    run -0 --separate-stderr oci-spec check changed.json
    [[ $output == "" && $stderr == "" ]] || { echo "for $1: $output $stderr" >&2; return 1; }
}

@test "check is silent about a good configuration, by name and on standard input" {
    run -0 oci-spec check config.json
    [[ $output == "" ]]

    run -0 oci-spec check <config.json
    [[ $output == "" ]]

    run -0 oci-spec check - <config.json
    [[ $output == "" ]]
}

@test "all errors are said at once, in the order of the document, with line and column" {
    cat >bad.json <<'JSON'
{
    "ociVersion": "1.0.2",
    "process": {
        "args": ["sh"],
        "env": ["PATH"],
        "cwd": 7,
        "user": {"uid": -1}
    },
    "root": {},
    "mounts": [{"destination": ""}, {"type": "tmpfs"}]
}
JSON
    run -1 oci-spec check bad.json

    [[ ${lines[0]} == "oci-spec: /process/env/0: 5:17: found 'PATH', expected NAME=VALUE" ]]
    [[ ${lines[1]} == "oci-spec: /process/cwd: 6:16: found a number, expected a string" ]]
    [[ ${lines[2]} == "oci-spec: /process/user/uid: 7:25: found -1, expected a whole number from 0 to 4294967295" ]]
    [[ ${lines[3]} == "oci-spec: /root/path: 9:13: found nothing, expected a string" ]]
    [[ ${lines[4]} == "oci-spec: /mounts/0/destination: 10:32: found an empty string, expected a path in the container" ]]
    [[ ${lines[5]} == "oci-spec: /mounts/1/destination: 10:37: found nothing, expected a string" ]]
    [[ ${#lines[@]} == 6 ]]
}

@test "errors of syntax are said together with those before them" {
    run -1 oci-spec check <<<'{"a": tru, "b": [1 2]}'

    [[ ${lines[0]} == "oci-spec: /a: 1:7: found 'tru', expected true, false or null" ]]
    [[ ${lines[1]} == "oci-spec: /b: 1:20: found '2', expected ',' or ']'" ]]
    [[ ${#lines[@]} == 2 ]]
}

@test "with an error descriptor each error goes there in wire form" {
    run -1 --separate-stderr bash -c 'oci-spec --error-fd 5 check <<<"{\"ociVersion\": 1, \"hostname\": 2}" 5>errors'

    [[ $stderr == "" && $output == "" ]]
    [[ $(sed -n 1p errors) == $'oci-spec\t0\t1\t/ociVersion\t1:16: found a number, expected a string' ]]
    [[ $(sed -n 2p errors) == $'oci-spec\t0\t1\t/hostname\t1:31: found a number, expected a string' ]]
    [[ $(wc -l <errors) == 2 ]]
}

@test "more than fifty errors are counted, not said" {
    jq -n '{ociVersion: "1.0.0", linux: {maskedPaths: [range(60)]}}' >bad.json

    run -1 oci-spec check bad.json

    [[ ${#lines[@]} == 51 ]]
    [[ ${lines[49]} == "oci-spec: /linux/maskedPaths/49: "* ]]
    [[ ${lines[50]} == "oci-spec: and 10 more errors" ]]
}

@test "a file that cannot be read is an error with the kernel's words" {
    run -1 oci-spec check missing.json
    [[ $output == "oci-spec: cannot open 'missing.json': No such file or directory" ]]

    run -1 oci-spec check .
    [[ $output == "oci-spec: '.': cannot read: Is a directory" ]]
}

@test "wrong usage exits 2" {
    run -2 oci-spec
    run -2 oci-spec chekc
    run -2 oci-spec check --no-such-option
    run -2 oci-spec check one two
    run -2 oci-spec new --no-such-option
    run -2 oci-spec features extra
    run -2 oci-spec get
    run -2 oci-spec set /hostname
}

@test "--help and --version answer, and the hidden verbs stay hidden" {
    run -0 oci-spec --help
    [[ $output == *"  new"*"  check"*"  plan"* ]]
    [[ $output != *grammar* ]]

    run -0 oci-spec plan --help
    [[ $output == *--process* ]]

    run -0 oci-spec --version
    [[ $output == "oci-spec version "* ]]
}

@test "--strict names unknown keys with the nearest known one" {
    jq '.proces = {} | .linux.maskedPath = [] | .process.user.gdi = 0 | .zzz = 1' config.json >bad.json

    run -0 oci-spec check bad.json
    run -1 oci-spec check --strict bad.json

    [[ $output == *"/proces: "*": found the unknown key 'proces', expected perhaps 'process'"* ]]
    [[ $output == *"/linux/maskedPath: "*": found the unknown key 'maskedPath', expected perhaps 'maskedPaths'"* ]]
    [[ $output == *"/process/user/gdi: "*": found the unknown key 'gdi', expected perhaps 'gid'"* ]]
    [[ $output == *"/zzz: "*": found the unknown key 'zzz', expected one of this object's properties"* ]]
    [[ ${#lines[@]} == 4 ]]
}

@test "--strict points at the unknown key itself" {
    run -1 oci-spec check --strict <<<'{"ociVersion": "1.0.0",
   "hostnam": "x"}'

    [[ $output == "oci-spec: /hostnam: 2:4: found the unknown key 'hostnam', expected perhaps 'hostname'" ]]
}

@test "--strict finds properties that are newer than the document's version" {
    jq '.ociVersion = "1.0.2" | .domainname = "example.org"' config.json >bad.json

    run -0 oci-spec check bad.json
    run -1 oci-spec check --strict bad.json

    [[ $output == *"/domainname: "*": found a property of runtime-spec 1.1.0, expected 'ociVersion' to be at least that" ]]
}

@test "--strict warns of sections for other systems, which are ignored" {
    jq '.windows = {a: 1} | .vm = {}' config.json >other.json

    run -0 oci-spec check other.json
    [[ $output == "" ]]

    run -0 oci-spec check --strict other.json
    [[ $output == *"oci-spec: warning: /windows: is ignored: it is for Windows"* ]]
    [[ $output == *"oci-spec: warning: /vm: is ignored: it is for containers in virtual machines"* ]]
}

@test "null counts as absent, except in an array" {
    accepts '.linux.seccomp = null | .process.rlimits = null | .hooks = null | .linux.sysctl = {"a": null}'
    refuses '.ociVersion = null' /ociVersion "found nothing, expected a string"
    refuses '.mounts[1] = null' /mounts/1 "found null, expected an object"
}

@test "ociVersion is a version 1" {
    accepts '.ociVersion = "1.0.2-dev"'
    accepts '.ociVersion = "1.9.0"'
    refuses '.ociVersion = "2.0.0"' /ociVersion "found '2.0.0', expected a version of the runtime-spec from 1.0.0 to below 2.0.0, such as 1.3.0"
    refuses '.ociVersion = "0.9.0"' /ociVersion "found '0.9.0', expected a version of the runtime-spec from 1.0.0 to below 2.0.0, such as 1.3.0"
    refuses '.ociVersion = "1.0"' /ociVersion "found '1.0', expected a version of the runtime-spec from 1.0.0 to below 2.0.0, such as 1.3.0"
}

@test "what create can do without may be absent: process, root, linux, mounts" {
    run -0 oci-spec check <<<'{"ociVersion": "1.0.0"}'
    run -0 oci-spec check <<<'{"ociVersion": "1.0.0", "linux": {}, "mounts": []}'
}

@test "process: args, cwd, env, user" {
    refuses 'del(.process.args)' /process/args "found nothing, expected an array"
    refuses '.process.args = []' /process/args "found an empty array, expected the program and its arguments"
    refuses 'del(.process.cwd)' /process/cwd "found nothing, expected a string"
    refuses '.process.cwd = "work"' /process/cwd "found 'work', expected an absolute path"
    refuses '.process.env = ["=x"]' /process/env/0 "found '=x', expected NAME=VALUE"
    refuses '.process.user.umask = 512' /process/user/umask "found 512, expected a whole number from 0 to 511"
    refuses '.process.consoleSize = {height: 70000, width: 1}' /process/consoleSize/height "found 70000, expected a whole number from 0 to 65535"
    refuses '.process.oomScoreAdj = 1001' /process/oomScoreAdj "found 1001, expected a whole number from -1000 to 1000"
    accepts '.process.env = ["A=1", "A=2", "B="]'
}

@test "capabilities: unknown names give a warning, malformed ones an error" {
    jq '.process.capabilities.bounding += ["CAP_FUTURE"]' config.json >changed.json
    run -0 --separate-stderr oci-spec check changed.json
    [[ $stderr == "oci-spec: warning: /process/capabilities/bounding/3: 'CAP_FUTURE' is not known; it is left out" ]]

    refuses '.process.capabilities.bounding += ["KILL"]' /process/capabilities/bounding/3 "found 'KILL', expected the name of a capability, such as CAP_KILL"
    refuses '.process.capabilities.bounding += ["CAP_kill"]' /process/capabilities/bounding/3 "found 'CAP_kill', expected the name of a capability, such as CAP_KILL"
}

@test "rlimits: known, once, soft at most hard" {
    refuses '.process.rlimits += [{type: "RLIMIT_NOFILE", soft: 1, hard: 1}]' /process/rlimits/1/type "found 'RLIMIT_NOFILE', expected each limit once"
    refuses '.process.rlimits[0].soft = 1025' /process/rlimits/0/soft "found 1025, expected at most 'hard', which is 1024"
    jq '.process.rlimits[0].type = "RLIMIT_X"' config.json >changed.json
    run -1 oci-spec check changed.json
    [[ $output == *"/process/rlimits/0/type: "*": found 'RLIMIT_X', expected one of RLIMIT_AS, RLIMIT_CORE, "* ]]
}

@test "scheduler and ioPriority: what the kernel would refuse" {
    refuses '.process.scheduler = {policy: "SCHED_FIFO"}' /process/scheduler/priority "found nothing, expected a whole number from 1 to 99"
    refuses '.process.scheduler = {policy: "SCHED_FIFO", priority: 1, nice: 1}' /process/scheduler/nice "found 1, expected 0 unless the policy is SCHED_OTHER or SCHED_BATCH"
    refuses '.process.scheduler = {policy: "SCHED_OTHER", nice: 20}' /process/scheduler/nice "found 20, expected a whole number from -20 to 19"
    refuses '.process.scheduler = {policy: "SCHED_OTHER", period: 5}' /process/scheduler/period "found 5, expected 0 unless the policy is SCHED_DEADLINE"
    refuses '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}' /process/ioPriority/priority "found 8, expected a whole number from 0 to 7"
    accepts '.process.scheduler = {policy: "SCHED_BATCH", nice: -5} | .process.ioPriority = {class: "IOPRIO_CLASS_IDLE"}'
}

@test "namespaces: known kinds, once, absolute paths" {
    refuses '.linux.namespaces += [{type: "pid"}]' /linux/namespaces/6/type "found 'pid', expected each kind of namespace once"
    refuses '.linux.namespaces[0].type = "net"' /linux/namespaces/0/type "found 'net', expected one of pid, network, mount, ipc, uts, user, cgroup, time"
    refuses '.linux.namespaces[0].path = "ns"' /linux/namespaces/0/path "found 'ns', expected an absolute path"
    accepts '.linux.namespaces[0].path = ""'
}

@test "id mappings: only with a user namespace, and a new one needs them" {
    refuses '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]' /linux/uidMappings "found id mappings, expected none, as linux.namespaces has no 'user'"
    refuses '.linux.namespaces += [{type: "user"}]' /linux/namespaces/6 "found a new user namespace, expected linux.uidMappings and linux.gidMappings"
    refuses '.linux.namespaces += [{type: "user", path: "/proc/1/ns/user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 0}]' \
        /linux/uidMappings/0/size "found 0, expected at least 1"
    refuses '.linux.namespaces += [{type: "user", path: "/x"}] | .linux.uidMappings = [{containerID: 0, hostID: 10, size: 5}, {containerID: 5, hostID: 14, size: 1}]' \
        /linux/uidMappings/1/hostID "found 14, expected a range that does not overlap that of mapping 0"
    refuses '.linux.namespaces += [{type: "user", path: "/x"}] | .linux.uidMappings = [{containerID: 0, hostID: 4294967295, size: 2}]' \
        /linux/uidMappings/0/hostID "found 4294967295, expected a range of 2 ids that ends below 4294967295"
}

@test "id mappings of users alone, or of groups alone: the other id stays the caller's, with a warning" {
    local with='.linux.namespaces += [{type: "user"}]'
    warns "$with | .linux.gidMappings = [{containerID: 0, hostID: 5, size: 9}] | .process.user.additionalGids = [8]" /linux/namespaces/6 \
        "there are no linux.uidMappings: the process keeps the caller's user, which has no id in the new user namespace"
    warns "$with | .linux.uidMappings = [{containerID: 0, hostID: 5, size: 9}] | .process.user.uid = 3" /linux/namespaces/6 \
        "there are no linux.gidMappings: the process keeps the caller's group, which has no id in the new user namespace"
    refuses "$with | .linux.gidMappings = [{containerID: 0, hostID: 5, size: 9}] | .process.user.uid = 3" /process/user/uid \
        "found 3, expected 0, which stands for the caller's here, as linux has no uidMappings"
    refuses "$with | .linux.uidMappings = [{containerID: 0, hostID: 5, size: 9}] | .process.user.gid = 3" /process/user/gid \
        "found 3, expected 0, which stands for the caller's here, as linux has no gidMappings"
    refuses "$with | .linux.uidMappings = [{containerID: 0, hostID: 5, size: 9}] | .process.user.additionalGids = [3]" /process/user/additionalGids \
        "found additional groups, expected none, as linux has no gidMappings"
}

@test "no user or group is 4294967295, which would leave the process what it is" {
    refuses '.process.user.uid = 4294967295' /process/user/uid "found 4294967295, expected a whole number from 0 to 4294967294"
    refuses '.process.user.gid = 4294967295' /process/user/gid "found 4294967295, expected a whole number from 0 to 4294967294"
    refuses '.process.user.additionalGids = [4294967295]' /process/user/additionalGids/0 "found 4294967295, expected a whole number from 0 to 4294967294"
}

@test "names, time offsets and sysctls belong to namespaces that the container has" {
    refuses 'del(.linux.namespaces[3])' /hostname "found 'ocirun', expected none, as linux.namespaces has no 'uts'"
    refuses '.domainname = "d" | .hostname = "" | del(.linux.namespaces[3])' /domainname "found 'd', expected none, as linux.namespaces has no 'uts'"
    accepts '.linux.namespaces[3].path = "/proc/1/ns/uts"'
    refuses '.linux.timeOffsets.monotonic.secs = 1' /linux/timeOffsets/monotonic "found an offset, expected none, as linux.namespaces has no new 'time'"
    refuses '.linux.sysctl = {"net.core.somaxconn": "1"} | del(.linux.namespaces[1])' /linux/sysctl/net.core.somaxconn "found a sysctl of the host, as linux.namespaces has no 'network'"
    refuses '.linux.sysctl = {"kernel.pid_max": "1"}' /linux/sysctl/kernel.pid_max "found a sysctl of the whole host, expected one that a namespace has of its own"
    refuses '.linux.sysctl = {"kernel.hostname": "x"}' /linux/sysctl/kernel.hostname "found a second wish for the name, expected only /hostname"
}

@test "a sysctl cannot smuggle another one in (CVE-2022-0811)" {
    refuses '.linux.sysctl = {"net/../kernel/core_pattern": "x"}' '/linux/sysctl/net~1..~1kernel~1core_pattern' \
        "found the key 'net/../kernel/core_pattern', expected the name of a sysctl"
    refuses '.linux.sysctl = {"net.x=1+kernel.core_pattern": "x"}' '/linux/sysctl/net.x=1+kernel.core_pattern' \
        "found the key 'net.x=1+kernel.core_pattern', expected the name of a sysctl"
    refuses '.linux.sysctl = {"net.x": "1+kernel.core_pattern=x"}' /linux/sysctl/net.x \
        "found '1+kernel.core_pattern=x', expected a value without control characters, '+' and '='"
    refuses '.linux.sysctl = {"net.x": "1\nkernel.core_pattern"}' /linux/sysctl/net.x \
        "found '1\\u000akernel.core_pattern', expected a value without control characters, '+' and '='"
}

@test "devices: type, absolute path without .., numbers that the kernel has" {
    refuses '.linux.devices = [{type: "x", path: "/dev/x"}]' /linux/devices/0/type "found 'x', expected one of c, b, u, p"
    refuses '.linux.devices = [{type: "c", path: "dev/x", major: 1, minor: 1}]' /linux/devices/0/path "found 'dev/x', expected an absolute path"
    refuses '.linux.devices = [{type: "c", path: "/dev/../x", major: 1, minor: 1}]' /linux/devices/0/path "found '/dev/../x', expected a path without '..' that ends in a name"
    refuses '.linux.devices = [{type: "c", path: "/dev/x", minor: 1}]' /linux/devices/0/major "found nothing, expected the number of the device"
    refuses '.linux.devices = [{type: "c", path: "/dev/x", major: 4096, minor: 1}]' /linux/devices/0/major "found 4096, expected a whole number from 0 to 4095"
    accepts '.linux.devices = [{type: "p", path: "/dev/x"}]'
}

@test "devices: a path twice is an error, but for the same device again" {
    local x='{type: "c", path: "/dev/x", major: 1, minor: 3}'
    for change in '.minor = 5' '.type = "b"' '.fileMode = 384' '.uid = 7' '.gid = 8'; do
        refuses ".linux.devices = [$x, ($x | $change)]" /linux/devices/1/path "found '/dev/x', expected each path once, or the same device again"
    done
    accepts ".linux.devices = [$x, ($x | .fileMode = 438 | .uid = 0), ($x | .path = \"/dev/y\")]"
    [[ $(jq ".linux.devices = [$x, $x]" config.json | oci-spec plan | grep -c '^init.device.*/dev/x') == 1 ]]
}

@test "resources: bounds, and names that cannot lead out of the cgroup" {
    refuses '.linux.resources.memory.limit = -2' /linux/resources/memory/limit "found -2, expected a number of bytes, or -1 for unlimited"
    refuses '.linux.resources.memory.swappiness = 101' /linux/resources/memory/swappiness "found 101, expected a whole number from 0 to 100"
    refuses '.linux.resources.cpu.cpus = "3-1"' /linux/resources/cpu/cpus "found '3-1', expected a list of numbers and ranges from 0 to 8191, such as 0-3,7"
    refuses '.linux.resources.cpu.cpus = "all"' /linux/resources/cpu/cpus "found 'all', expected a list of numbers and ranges from 0 to 8191, such as 0-3,7"
    refuses '.linux.resources.pids.limit = -7' /linux/resources/pids/limit "found -7, expected a number of processes, or -1 for unlimited"
    refuses '.linux.resources.blockIO.weight = 5' /linux/resources/blockIO/weight "found 5, expected a whole number from 10 to 1000"
    refuses '.linux.resources.hugepageLimits = [{pageSize: "../../x", limit: 1}]' /linux/resources/hugepageLimits/0/pageSize \
        "found '../../x', expected a size of pages such as 64KB, 2MB or 1GB"
    refuses '.linux.resources.unified = {"../cgroup.procs": "1"}' '/linux/resources/unified/..~1cgroup.procs' \
        "found the key '../cgroup.procs', expected the name of a file in a cgroup, without '/'"
    refuses '.linux.resources.devices[0].access = "rx"' /linux/resources/devices/0/access "found 'rx', expected some of the letters r, w and m"
    refuses '.linux.resources.devices[0].type = "p"' /linux/resources/devices/0/type "found 'p', expected one of a, b, c"
    refuses '.linux.cgroupsPath = "/a/../../b"' /linux/cgroupsPath "found '/a/../../b', expected a path without '..'"
    accepts '.linux.cgroupsPath = "system.slice:ocirun:name"'
}

@test "seccomp: known words, and NOTIFY only where it cannot wait for itself" {
    refuses '.linux.seccomp = {}' /linux/seccomp/defaultAction "found nothing, expected a string"
    refuses '.linux.seccomp = {defaultAction: "SCMP_ACT_NOTIFY"}' /linux/seccomp/defaultAction \
        "found 'SCMP_ACT_NOTIFY', expected another action: SCMP_ACT_NOTIFY cannot be the default"
    refuses '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/s", syscalls: [{names: ["read", "write"], action: "SCMP_ACT_NOTIFY"}]}' \
        /linux/seccomp/syscalls/0/names/1 "found 'write', expected another system call: SCMP_ACT_NOTIFY cannot be used for the write syscall"
    refuses '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["read"], action: "SCMP_ACT_NOTIFY"}]}' \
        /linux/seccomp/syscalls/0/action "found 'SCMP_ACT_NOTIFY', expected another action, as there is no 'listenerPath' to notify"
    refuses '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: [], action: "SCMP_ACT_LOG"}]}' \
        /linux/seccomp/syscalls/0/names "found an empty array, expected the names of system calls"
    refuses '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["a,b"], action: "SCMP_ACT_LOG"}]}' \
        /linux/seccomp/syscalls/0/names/0 "found 'a,b', expected the name of a system call"
    refuses '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 4096}' /linux/seccomp/defaultErrnoRet "found 4096, expected a whole number from 0 to 4095"
    refuses '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 1}' /linux/seccomp/defaultErrnoRet "found 1, expected none, as SCMP_ACT_ALLOW takes no errno"
    refuses '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["read"], action: "SCMP_ACT_KILL", errnoRet: 1}]}' \
        /linux/seccomp/syscalls/0/errnoRet "found 1, expected none, as SCMP_ACT_KILL takes no errno"
    refuses '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["read"], action: "SCMP_ACT_LOG", args: [{index: 6, value: 0, op: "SCMP_CMP_EQ"}]}]}' \
        /linux/seccomp/syscalls/0/args/0/index "found 6, expected a whole number from 0 to 5"
    refuses '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["LOG"]}' /linux/seccomp/flags/0 \
        "found 'LOG', expected one of SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
}

@test "hooks: absolute path, timeout above 0" {
    refuses '.hooks.prestart = [{path: "hook"}]' /hooks/prestart/0/path "found 'hook', expected an absolute path"
    refuses '.hooks.poststop = [{path: "/hook", timeout: 0}]' /hooks/poststop/0/timeout "found 0, expected a whole number from 1 to 2147483647"
    refuses '.hooks.poststart = [{path: "/hook", env: ["A=", "B"]}]' /hooks/poststart/0/env/1 "found 'B', expected NAME=VALUE"
    refuses '.hooks.createContainer = [{}]' /hooks/createContainer/0/path "found nothing, expected a string"
}

@test "mounts and paths: a destination, a source for a bind mount, absolute masks" {
    refuses '.mounts[0].destination = ""' /mounts/0/destination "found an empty string, expected a path in the container"
    refuses '.mounts += [{destination: "/x", options: ["rbind"]}]' /mounts/7/source "found nothing, expected the path that is bind-mounted"
    refuses '.linux.maskedPaths[0] = "proc"' /linux/maskedPaths/0 "found 'proc', expected an absolute path"
    refuses '.linux.readonlyPaths[0] = ""' /linux/readonlyPaths/0 "found an empty string, expected an absolute path"
    refuses '.linux.rootfsPropagation = "public"' /linux/rootfsPropagation \
        "found 'public', expected one of private, rprivate, slave, rslave, shared, rshared, unbindable, runbindable"
    refuses '.linux.personality = {domain: "LINUX64"}' /linux/personality/domain "found 'LINUX64', expected one of LINUX, LINUX32"
}

@test "what has no meaning on Linux is an error when it is there, and fine when it is empty" {
    refuses '.linux.personality = {domain: "LINUX", flags: ["X"]}' /linux/personality/flags "found flags of a personality, expected none: the runtime-spec has none"
    refuses '.process.commandLine = "x"' /process/commandLine "found a value for 'commandLine', expected none: it is for Windows; 'args' has the program here"
    accepts '.linux.netDevices = {} | .linux.intelRdt = {} | .linux.memoryPolicy = {} | .mounts[0].uidMappings = []'
}

@test "what goes to resctrl is a name of one directory, and lines" {
    refuses '.linux.intelRdt.closID = "a/b"' /linux/intelRdt/closID "found 'a/b', expected the name of one directory, or '/'"
    refuses '.linux.intelRdt.closID = ".."' /linux/intelRdt/closID "found '..', expected the name of one directory, or '/'"
    refuses '.linux.intelRdt.l3CacheSchema = "0=f"' /linux/intelRdt/l3CacheSchema "found '0=f', expected lines such as 'L3:0=f;1=f'"
    refuses '.linux.intelRdt.memBwSchema = "L3:0=f"' /linux/intelRdt/memBwSchema "found 'L3:0=f', expected one line that begins with 'MB:'"
    refuses '.linux.intelRdt.schemata = ["MB:0=1\nL3:0=1"]' /linux/intelRdt/schemata/0 "found 'MB:0=1\u000aL3:0=1', expected one line"
    accepts '.linux.intelRdt = {} | .linux.intelRdt.closID = "/"'
}

@test "network devices: names that interfaces can have, each once, and a namespace to move them to" {
    accepts '.linux.netDevices = {eth0: {name: "eth%d"}, eth1: {name: "eth%d"}, eth2: {}}'
    refuses '.linux.netDevices.eth0 = {} | .linux.namespaces |= map(select(.type != "network"))' /linux/netDevices/eth0 \
        "found a network device to move, expected none, as linux.namespaces has no 'network'"
    refuses '.linux.netDevices["a/b"] = {}' /linux/netDevices/a~1b "found the key 'a/b', expected the name of a network interface"
    refuses '.linux.netDevices.sixteen_letters_ = {}' /linux/netDevices/sixteen_letters_ "found the key 'sixteen_letters_', expected the name of a network interface"
    refuses '.linux.netDevices.eth0.name = "%d%d"' /linux/netDevices/eth0/name "found '%d%d', expected the name of a network interface, which may end in '%d'"
    refuses '.linux.netDevices = {eth0: {name: "eth1"}, eth1: {}}' /linux/netDevices/eth1 "found the name 'eth1' for a second device, expected each name once"
}

@test "a memory policy: a mode, its flags, and nodes where it takes them" {
    accepts '.linux.memoryPolicy = {mode: "MPOL_PREFERRED"}'
    refuses '.linux.memoryPolicy = {nodes: "0"}' /linux/memoryPolicy/mode "found nothing, expected a memory policy, such as MPOL_BIND"
    refuses '.linux.memoryPolicy = {mode: "MPOL_X"}' /linux/memoryPolicy/mode \
        "found 'MPOL_X', expected one of MPOL_DEFAULT, MPOL_BIND, MPOL_INTERLEAVE, MPOL_WEIGHTED_INTERLEAVE, MPOL_PREFERRED, MPOL_PREFERRED_MANY, MPOL_LOCAL"
    refuses '.linux.memoryPolicy = {mode: "MPOL_BIND"}' /linux/memoryPolicy/nodes "found nothing, expected a list of memory nodes, such as 0-3,7, as MPOL_BIND needs them"
    refuses '.linux.memoryPolicy = {mode: "MPOL_LOCAL", nodes: "0"}' /linux/memoryPolicy/nodes "found '0', expected none, as MPOL_LOCAL takes no nodes"
    refuses '.linux.memoryPolicy = {mode: "MPOL_DEFAULT", flags: ["MPOL_F_STATIC_NODES"]}' /linux/memoryPolicy/flags \
        "found flags, expected none, as MPOL_DEFAULT takes no nodes"
    refuses '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "a"}' /linux/memoryPolicy/nodes "found 'a', expected a list of numbers and ranges from 0 to 8191, such as 0-3,7"
    refuses '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["X"]}' /linux/memoryPolicy/flags/0 \
        "found 'X', expected one of MPOL_F_NUMA_BALANCING, MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES"
}

@test "id-mapped mounts: binds, with both mappings or those of the user namespace" {
    local map='[{containerID: 0, hostID: 5, size: 9}]' user
    user='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = .linux.uidMappings'
    refuses ".mounts[0].uidMappings = $map | .mounts[0].gidMappings = $map" /mounts/0/uidMappings \
        "found id mappings for a new file system, expected them on a bind mount only"
    refuses ".mounts += [{destination: \"/x\", source: \"/\", options: [\"bind\"], uidMappings: $map}]" /mounts/7/gidMappings \
        "found nothing, expected both 'uidMappings' and 'gidMappings'"
    refuses '.mounts += [{destination: "/x", source: "/", options: ["bind", "idmap"]}]' /mounts/7/options/1 \
        "found 'idmap', expected 'uidMappings' and 'gidMappings' with it, as linux.namespaces has no 'user' whose mapping it could take"
    accepts ".mounts += [{destination: \"/x\", source: \"/\", options: [\"bind\", \"ridmap\"]}] | $user"
    accepts '.mounts += [{destination: "/x", source: "/", options: ["bind", "idmap=uids=0-1-10#10-11-10;gids=0-100-10"]}]'
    accepts ".mounts += [{destination: \"/x\", source: \"/\", options: [\"bind\", \"idmap=uids=@0-1-10;gids=@0-990-10\"]}] | $user"
    refuses ".mounts += [{destination: \"/x\", source: \"/\", options: [\"bind\", \"idmap=uids=@0-1-10;gids=@0-991-10\"]}] | $user" /mounts/7/options/1 \
        "found 'idmap=uids=@0-1-10;gids=@0-991-10', expected idmap=uids=FROM-TO-SIZE#...;gids=FROM-TO-SIZE#..., where @ before FROM needs TO in the container's own mapping"
}

@test "capability sets nest: permitted and inheritable in bounding, effective in permitted; --strict: ambient in permitted and inheritable" {
    refuses '.process.capabilities |= (.effective = [] | .permitted += ["CAP_CHOWN"])' /process/capabilities/permitted/3 \
        "found 'CAP_CHOWN', expected a capability that is also in 'bounding'"
    refuses '.process.capabilities.effective += ["CAP_CHOWN"]' /process/capabilities/effective/3 "found 'CAP_CHOWN', expected a capability that is also in 'permitted'"
    refuses '.process.capabilities.inheritable = ["CAP_CHOWN"]' /process/capabilities/inheritable/0 "found 'CAP_CHOWN', expected a capability that is also in 'bounding'"
    warns '.process.capabilities.ambient = ["CAP_KILL"]' /process/capabilities/ambient/0 "'CAP_KILL' is not also in 'permitted' and 'inheritable'; it is left out"
    [[ $(oci-spec plan changed.json 2>&1) == *$'\tambient\n'* ]]
    accepts '.process.capabilities.ambient = ["CAP_KILL"] | .process.capabilities.inheritable = ["CAP_KILL"]'

    jq '.process.capabilities.ambient = ["CAP_KILL"]' config.json >changed.json
    run -1 oci-spec check --strict changed.json
    [[ $output == "oci-spec: /process/capabilities/ambient/0: "*": found 'CAP_KILL', expected a capability that is also in 'permitted' and 'inheritable'" ]]
}

@test "an error cannot play tricks on the terminal" {
    jq -n '{ociVersion: "\u001b[31m1", annotations: {"\u001b]0;x\u0007": 1}}' >bad.json

    run -1 oci-spec check bad.json

    [[ $output != *$'\e'* && $output != *$'\a'* ]]
    [[ $output == *'found '\''\u001b[31m1'\'* ]]
}

@test "annotations of crun that ask for another program, or for another filter, are errors; those of virtual machines a warning" {
    refuses '.annotations["run.oci.handler"] = "wasm"' /annotations/run.oci.handler "found 'wasm', expected none: there are no handlers here, a program is executed as it is"
    refuses '.annotations["module.wasm.image/variant"] = "compat"' /annotations/module.wasm.image~1variant \
        "found 'compat', expected none: there are no handlers here, a program is executed as it is"
    refuses '.annotations["run.oci.seccomp_bpf_data"] = "AAAA"' /annotations/run.oci.seccomp_bpf_data \
        "found 'AAAA', expected none: this annotation is not supported; linux.seccomp has the filter"
    refuses '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "1"' /annotations/run.oci.seccomp_fail_unknown_syscall \
        "found '1', expected none: this annotation is not supported; linux.seccomp has the filter"
    refuses '.annotations["run.oci.seccomp.plugins"] = "a.so"' /annotations/run.oci.seccomp.plugins \
        "found 'a.so', expected none: there are no plugins here; linux.seccomp.listenerPath names who is asked"
    refuses '.annotations["run.oci.pidfd_receiver"] = "socket"' /annotations/run.oci.pidfd_receiver "found 'socket', expected an absolute path"
    refuses '.annotations["run.oci.hooks.stdout"] = "log"' /annotations/run.oci.hooks.stdout "found 'log', expected an absolute path"
    refuses '.linux.mountLabel = "a:b:c:d" | .annotations["run.oci.mount_context_type"] = "x"' /annotations/run.oci.mount_context_type \
        "found 'x', expected one of context, fscontext, defcontext, rootcontext"
    warns '.annotations["krun.cpus"] = "2"' /annotations/krun.cpus "is ignored: there are no handlers here, a program is executed as it is"
    warns '.annotations["module.wasm.image/variant"] = "compat-smart"' /annotations/module.wasm.image~1variant \
        "is ignored: there are no handlers here, a program is executed as it is"
    warns '.annotations["run.oci.hooks.stdout"] = "/log" | .hooks.startContainer = [{path: "/x"}]' /annotations/run.oci.hooks.stdout \
        "is not for hooks of startContainer, which run in the container's namespaces"
    accepts '.annotations["run.oci.handler"] = ""'
}
