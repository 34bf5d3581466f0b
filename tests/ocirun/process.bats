#!/usr/bin/env bats
# The process: what the program finds itself with.

load ../helpers
load box

# status_line NAME: a line of /proc/self/status, from $output.
status_line() { sed -n "s/^$1:[[:space:]]*//p" <<<"$output"; }

@test "user: ids, additional groups and umask are those of config.json and no others" {
    requires root
    cfg '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 77], umask: 63}'
    box sh -c 'cat /proc/self/status; umask'
    [[ $(status_line Uid) == $'1000\t1000\t1000\t1000' && $(status_line Gid) == $'1001\t1001\t1001\t1001' ]]
    [[ $(status_line Groups) == "5 77"* && ${lines[-1]} == 0077 ]]
    cfg '.process.user = {uid: 0, gid: 0}'
    box sh -c 'cat /proc/self/status; umask'
    [[ $(status_line Groups | tr -d ' ') == "" && ${lines[-1]} == 0022 ]]
    cfg '.process.user.umask = 512'
    refused /process/user/umask "expected a whole number from 0 to 511"
}

@test "args: the program is looked up in the container's PATH, and all words arrive as they are" {
    requires root
    box printf '[%s]' '' 'a b' $'x\ny' '$HOME'
    [[ $output == $'[][a b][x\ny][$HOME]' ]]
    cfg '.process.args = []'
    run -1 rt run "$TEST_ID"
    [[ $output == *"/process/args: "*"found an empty array, expected the program and its arguments"* ]]
}

@test "commandLine is for Windows, and an error" {
    requires root
    cfg '.process.commandLine = "cmd /c dir"'
    refused /process/commandLine "expected none: it is for Windows; 'args' has the program here"
}

@test "env: nothing of the caller's; the last of a name wins; HOME is the user's when it is not set" {
    requires root
    cfg '.process.env = ["PATH=/bin", "A=1", "EMPTY=", "A=2"] | .process.user = {uid: 1000, gid: 1000}'
    SECRET=1 box env
    [[ $(sort <<<"$output") == $'A=2\nEMPTY=\nHOME=/home/user\nPATH=/bin' ]]
    cfg '.process.env = ["NOVALUE"]'
    refused /process/env/0 "found 'NOVALUE', expected NAME=VALUE"
}

@test "cwd: made when it is missing, entered as the user or before, and refused when it is not absolute" {
    requires root
    cfg '.root.readonly = false | .process.cwd = "/made/for/it" | .process.user = {uid: 1000, gid: 1000}'
    box sh -c 'pwd; stat -c "%a %u" .'
    [[ $output == $'/made/for/it\n755 0' ]]
    mkdir -m 700 rootfs/only-user && chown 1000 rootfs/only-user
    cfg '.process.cwd = "/only-user"'
    box pwd
    [[ $output == /only-user ]]
    cfg '.process.cwd = "relative"'
    refused /process/cwd "found 'relative', expected an absolute path"
}

@test "capabilities: each set is exactly the listed one" {
    requires root
    cfg '.process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW"], permitted: ["CAP_KILL", "CAP_CHOWN"], effective: ["CAP_KILL"],
                                  inheritable: ["CAP_CHOWN"], ambient: ["CAP_CHOWN"]} | .process.user = {uid: 1000, gid: 1000}'
    box cat /proc/self/status
    [[ $(status_line CapBnd) == 0000000000002021 && $(status_line CapInh) == 0000000000000001 ]]
    [[ $(status_line CapPrm) == 0000000000000001 && $(status_line CapEff) == 0000000000000001 && $(status_line CapAmb) == 0000000000000001 ]]
    cfg 'del(.process.capabilities)'
    box cat /proc/self/status
    [[ $(status_line CapBnd) == 0000000000000000 && $(status_line CapEff) == 0000000000000000 ]]
}

@test "capabilities: one that nobody knows is left out with a warning, what is no name is an error" {
    requires root
    cfg '.process.capabilities |= map_values(. + ["CAP_TEA_POT"])'
    box cat /proc/self/status
    [[ $(status_line CapBnd) == 0000000020000420 && $stderr == *"/process/capabilities/bounding/3: 'CAP_TEA_POT' is not known; it is left out"* ]]
    cfg '.process.capabilities.bounding = ["kill"]'
    refused /process/capabilities/bounding/0 "found 'kill', expected the name of a capability, such as CAP_KILL"
}

@test "capabilities: sets that do not nest are errors" {
    requires root
    cfg '.process.capabilities.effective += ["CAP_CHOWN"]'
    refused /process/capabilities/effective/3 "found 'CAP_CHOWN', expected a capability that is also in 'permitted'"
    cfg 'del(.process.capabilities.effective[3]) | .process.capabilities.inheritable = ["CAP_CHOWN"]'
    refused /process/capabilities/inheritable/0 "found 'CAP_CHOWN', expected a capability that is also in 'bounding'"
    cfg 'del(.process.capabilities.inheritable) | .process.capabilities.permitted += ["CAP_CHOWN"]'
    refused /process/capabilities/permitted/3 "found 'CAP_CHOWN', expected a capability that is also in 'bounding'"
    # What runc 1.1 writes as its default.
    cfg 'del(.process.capabilities.permitted[3]) | .process.capabilities.ambient = ["CAP_KILL"]'
    args grep CapAmb /proc/self/status
    run -0 --separate-stderr rt run "$TEST_ID"
    [[ $output == *0000000000000000 && $stderr == "ocirun: warning: oci-spec: /process/capabilities/ambient/0: 'CAP_KILL' is not also in"* ]]
}

@test "rlimits: all sixteen have their values; twice, unknown or soft above hard is an error" {
    requires plain_build  # the address sanitizer reserves more addresses than RLIMIT_AS leaves
    requires root
    args cat /proc/self/limits
    cfg '.process.rlimits = []'
    local -A names=([AS]="Max address space" [CORE]="Max core file size" [CPU]="Max cpu time" [DATA]="Max data size" [FSIZE]="Max file size"
        [LOCKS]="Max file locks" [MEMLOCK]="Max locked memory" [MSGQUEUE]="Max msgqueue size" [NICE]="Max nice priority" [NOFILE]="Max open files"
        [NPROC]="Max processes" [RSS]="Max resident set" [RTPRIO]="Max realtime priority" [RTTIME]="Max realtime timeout"
        [SIGPENDING]="Max pending signals" [STACK]="Max stack size")
    local name hard
    for name in "${!names[@]}"; do
        # At most what we have ourselves: raising needs a capability.
        hard=$(sed -n "s/^${names[$name]}  *[^ ]*  *\([^ ]*\) .*/\1/p" /proc/self/limits)
        [[ $hard != unlimited ]] || hard=18446744073709551615
        cfg --arg n "RLIMIT_$name" --arg h "$hard" '.process.rlimits += [{type: $n, soft: 0, hard: ($h | tonumber)}]'
        if [[ $name == @(AS|DATA|CPU|STACK|FSIZE|NPROC|RTTIME|SIGPENDING|NOFILE) ]]; then
            # With none of these nothing could run; a number that is seen again.
            cfg '.process.rlimits[-1].soft = (if .process.rlimits[-1].hard > 1000000000 then 1000000000 else .process.rlimits[-1].hard end)'
        fi
    done
    jq -r '.process.rlimits[] | [.type, .soft] | @tsv' config.json >wanted
    # jq rounds the largest number.
    sed -i 's/1844674407370955[0-9]*/18446744073709551615/' config.json
    run -0 rt run "$TEST_ID"
    while read -r type soft; do
        # 18446744073709551615 is "unlimited".
        [[ $(sed -n "s/^${names[${type#RLIMIT_}]}  *\([^ ]*\) .*/\1/p" <<<"$output") == "$soft" ]] || { echo "$type $soft: $output"; return 1; }
    done <wanted
    cfg '.process.rlimits = [{type: "RLIMIT_CORE", soft: 1, hard: 1}, {type: "RLIMIT_CORE", soft: 1, hard: 1}]'
    refused /process/rlimits/1/type "expected each limit once"
    cfg '.process.rlimits = [{type: "RLIMIT_TEA", soft: 1, hard: 1}]'
    refused /process/rlimits/0/type "found 'RLIMIT_TEA', expected one of RLIMIT_AS, "
    cfg '.process.rlimits = [{type: "RLIMIT_CORE", soft: 2, hard: 1}]'
    refused /process/rlimits/0/soft "expected at most 'hard', which is 1"
}

@test "noNewPrivileges, and oomScoreAdj, which is the caller's when it is not set" {
    requires root
    cfg '.process.oomScoreAdj = 321'
    box sh -c 'cat /proc/self/status /proc/self/oom_score_adj'
    [[ $(status_line NoNewPrivs) == 1 && ${lines[-1]} == 321 ]]
    cfg 'del(.process.oomScoreAdj) | .process.noNewPrivileges = false'
    box sh -c 'cat /proc/self/status /proc/self/oom_score_adj'
    [[ $(status_line NoNewPrivs) == 0 && ${lines[-1]} == "$(cat /proc/self/oom_score_adj)" ]]
    cfg '.process.oomScoreAdj = 1001'
    refused /process/oomScoreAdj "expected a whole number from -1000 to 1000"
}

@test "scheduler: every policy, with its nice value, priority, and times" {
    requires root
    # Fields 18, 19, 40 and 41 of /proc/PID/stat: priority, nice, real-time priority, policy.
    local policy expected
    while read -r policy expected; do
        cfg --argjson s "$policy" '.process.scheduler = $s'
        args cat /proc/self/stat
        run rt --cgroup-manager disabled run "$TEST_ID" </dev/null
        [[ $(cut -d ' ' -f 18,19,40,41 <<<"$output") == "$expected" ]] || { echo "$policy: $output"; return 1; }
    done <<'T'
{"policy":"SCHED_OTHER","nice":5} 25 5 0 0
{"policy":"SCHED_BATCH","nice":-3} 17 -3 0 3
{"policy":"SCHED_IDLE"} 20 0 0 5
{"policy":"SCHED_FIFO","priority":7} -8 0 7 1
{"policy":"SCHED_RR","priority":99} -100 0 99 2
{"policy":"SCHED_DEADLINE","runtime":10000000,"deadline":20000000,"period":30000000} -101 0 0 6
T
    cfg '.process.scheduler = {policy: "SCHED_ISO"}'
    refused /process/scheduler "cannot set the scheduler SCHED_ISO: Invalid argument"
}

@test "scheduler: flags, and what does not go together" {
    requires root chrt
    cfg '.process.scheduler = {policy: "SCHED_RR", priority: 3, flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
    args sleep 1000
    # A cgroup v1 has no time for real-time processes that was not given to it.
    rt --cgroup-manager disabled run --detach "$TEST_ID" 3>&- >out 2>&1
    # The program is the process that was set; its children are as others.
    run chrt -p "$(first_process "$TEST_ID")"
    rt delete --force "$TEST_ID"
    [[ $output == *"SCHED_RR|SCHED_RESET_ON_FORK"*"priority: 3"* ]]
    cfg '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 10000000, deadline: 20000000, period: 30000000, flags: ["SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN"]}'
    args true
    rt --cgroup-manager disabled run "$TEST_ID"
    # The kernel knows what may be kept, and clamps of use only with values, which config.json has no words for.
    cfg '.process.scheduler = {policy: "SCHED_OTHER", flags: ["SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS"]}'
    box true
    cfg '.process.scheduler = {policy: "SCHED_OTHER", flags: ["SCHED_FLAG_TEA"]}'
    refused /process/scheduler/flags/0 "expected one of SCHED_FLAG_RESET_ON_FORK, "
    cfg '.process.scheduler = {policy: "SCHED_OTHER", priority: 3}'
    refused /process/scheduler/priority "expected 0 unless the policy is SCHED_FIFO or SCHED_RR"
    cfg '.process.scheduler = {policy: "SCHED_FIFO"}'
    refused /process/scheduler/priority "expected a whole number from 1 to 99"
    cfg '.process.scheduler = {policy: "SCHED_FIFO", priority: 1, runtime: 5}'
    refused /process/scheduler/runtime "expected 0 unless the policy is SCHED_DEADLINE"
}

@test "ioPriority: every class and level" {
    requires root
    local entry
    for entry in 'IOPRIO_CLASS_RT 0 realtime:.prio.0' 'IOPRIO_CLASS_BE 7 best-effort:.prio.7' 'IOPRIO_CLASS_IDLE 0 idle'; do
        # shellcheck disable=SC2086
        set -- $entry
        cfg --arg c "$1" --argjson p "$2" '.process.ioPriority = {class: $c, priority: $p}'
        box sh -c 'ionice -p $$'
        [[ $output =~ $3 ]]
    done
    cfg '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}'
    refused /process/ioPriority/priority "expected a whole number from 0 to 7"
    cfg '.process.ioPriority = {class: "IOPRIO_CLASS_NONE", priority: 1}'
    refused /process/ioPriority/class "expected one of IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE"
}

@test "the CPUs that the caller is bound to are not the container's: it has those of its cgroup" {
    requires root taskset two_cpus
    local all
    all=$(sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)
    args sh -c 'sed -n "s/^Cpus_allowed_list:.//p" /proc/self/status; sleep 1000'
    [[ $(taskset -c 0 "$OCIRUN" --root "$STATE_ROOT" run --detach "$TEST_ID" 3>&- >out 2>&1; wait_until test -s out; cat out) == "$all" ]]
    [[ $(taskset -c 0 "$OCIRUN" --root "$STATE_ROOT" exec "$TEST_ID" sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status) == "$all" ]]
    rt delete --force "$TEST_ID"
}

@test "execCPUAffinity: exec starts on the initial CPUs and runs on the final ones; the first process is not touched" {
    requires root strace two_cpus
    cfg '.process.execCPUAffinity = {initial: "0", final: "1"}'
    args sh -c 'sed -n "s/^Cpus_allowed_list:.//p" /proc/self/status; sleep 1000'
    rt run --detach "$TEST_ID" 3>&- >out 2>&1
    wait_until test -s out
    [[ $(cat out) == "$(sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)" ]]

    [[ $(rt exec "$TEST_ID" sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status) == 1 ]]
    strace -f -o trace -e trace=sched_setaffinity,execve,clone3 "$OCIRUN" --root "$STATE_ROOT" exec "$TEST_ID" true

    # By oci-ns before its child, by that child before the program.
    grep -qzE 'sched_setaffinity\(0, [0-9]+, \[0\]\).*clone3\([^\n]*CLONE_PARENT.*sched_setaffinity\(0, [0-9]+, \[1\]\).*execve\("[a-z/]*/true"' trace

    jq '.process | .args = ["sed", "-n", "s/^Cpus_allowed_list:.//p", "/proc/self/status"] | .execCPUAffinity = {initial: "1", final: "0"}' config.json >process.json
    [[ $(rt exec --process process.json "$TEST_ID") == 0 ]]
    jq '.execCPUAffinity = {initial: "0"}' process.json >only-initial.json
    [[ $(rt exec --process only-initial.json "$TEST_ID") == "$(cat out)" ]]
    jq '.execCPUAffinity.final = "7000"' process.json >bad.json
    run -255 rt exec --process bad.json "$TEST_ID"
    [[ $output == *"/process/execCPUAffinity/final: cannot run on the CPUs '7000': Invalid argument"* ]]
    rt delete --force "$TEST_ID"
}

@test "apparmorProfile on a host without AppArmor is an error, but for unconfined" {
    requires root no_apparmor
    cfg '.process.apparmorProfile = "docker-default"'
    refused /process/apparmorProfile "AppArmor is not enabled on this host"
    cfg '.process.apparmorProfile = "unconfined"'
    box true
}

@test "run.oci.keep_original_groups: the caller's groups stay, in exec and in a user namespace, too" {
    requires root python3
    cfg '.annotations["run.oci.keep_original_groups"] = "1" | .process.user.additionalGids = [7]'
    args sh -c 'grep Groups /proc/self/status; sleep 100'
    with_groups() { python3 -c 'import os, sys; os.setgroups([4242, 4343]); os.execv(sys.argv[1], sys.argv[1:])' "$OCIRUN" --root "$STATE_ROOT" "$@"; }

    with_groups run --detach "$TEST_ID" >output 2>&1 3>&-
    wait_until grep -q Groups output
    grep -Eq '^Groups:.4242 4343 *$' output
    grep -q "warning: oci-spec: /annotations/run.oci.keep_original_groups: keeps the caller's groups: process.user.additionalGids are left out" output
    run -0 with_groups exec "$TEST_ID" grep Groups /proc/self/status
    [[ $output =~ ^Groups:.4242\ 4343\ *$ ]]
    rt delete --force "$TEST_ID"

    own_rootfs
    chown -R --no-dereference 100000:100000 rootfs
    cfg 'del(.process.user.additionalGids, .linux.resources) | .linux.namespaces += [{type: "user"}]
        | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 1000}, {containerID: 2000, hostID: 4242, size: 1}]'
    args grep Groups /proc/self/status
    run -0 with_groups run "$TEST_ID"
    [[ $output =~ ^Groups:.2000\ 65534\ *$ ]]
}
