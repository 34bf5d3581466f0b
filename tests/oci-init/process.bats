#!/usr/bin/env bats
# What the program finds itself with: user, capabilities, limits, environment, directory, descriptors.
load ../helpers
load init

setup() { ocirun_setup; make_bundle; }

# status_line NAME: a line of /proc/self/status, from $output.
status_line() { sed -n "s/^$1:[[:space:]]*//p" <<<"$output"; }

@test "user, group and additional groups are the plan's and no others" {
    requires root
    cfg '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 77]}'
    inside cat /proc/self/status
    [[ $(status_line Uid) == $'1000\t1000\t1000\t1000' && $(status_line Gid) == $'1001\t1001\t1001\t1001' ]]
    [[ $(status_line Groups) == "5 77" || $(status_line Groups) == "5 77 " ]]
    cfg '.process.user = {uid: 0, gid: 0}'
    inside cat /proc/self/status
    [[ -z $(status_line Groups | tr -d ' ') ]]
}

@test "all five capability sets are exactly those of config.json" {
    requires root
    cfg '.process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW"], permitted: ["CAP_KILL", "CAP_CHOWN"], effective: ["CAP_KILL"],
                                  inheritable: ["CAP_CHOWN"], ambient: ["CAP_CHOWN"]} | .process.user = {uid: 1000, gid: 1000}'
    inside cat /proc/self/status
    [[ $(status_line CapBnd) == 0000000000002021 && $(status_line CapInh) == 0000000000000001 ]]
    [[ $(status_line CapPrm) == 0000000000000001 && $(status_line CapEff) == 0000000000000001 && $(status_line CapAmb) == 0000000000000001 ]]
}

@test "CVE-2016-8867, CVE-2022-29162: nothing is inheritable or ambient that config.json does not list" {
    requires root
    inside cat /proc/self/status
    [[ $(status_line CapInh) == 0000000000000000 && $(status_line CapAmb) == 0000000000000000 ]]
    [[ $(status_line CapPrm) == 0000000020000420 && $(status_line CapEff) == 0000000020000420 && $(status_line CapBnd) == 0000000020000420 ]]
    cfg '.process.user = {uid: 1000, gid: 1000}'
    inside cat /proc/self/status
    [[ $(status_line CapPrm) == 0000000000000000 && $(status_line CapAmb) == 0000000000000000 && $(status_line CapBnd) == 0000000020000420 ]]
}

@test "without capabilities in config.json there are none" {
    requires root
    cfg 'del(.process.capabilities)'
    inside cat /proc/self/status
    [[ $(status_line CapPrm) == 0000000000000000 && $(status_line CapBnd) == 0000000000000000 ]]
}

@test "an ambient capability that cannot be raised and one that nobody knows are warnings" {
    requires root
    # oci-spec refuses such sets; a plan by hand may have them.
    args cat /proc/self/status
    oci-spec plan <config.json | sed 's/ambient$/ambient\tCAP_KILL/' >plan
    run -0 --separate-stderr oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<plan
    [[ $(status_line CapAmb) == 0000000000000000 ]]
    [[ $stderr == *"warning: capability 'cap_kill' cannot be ambient: it is not permitted and inheritable"* ]]
    oci-spec plan <config.json | sed 's/CAP_AUDIT_WRITE/CAP_TEA_POT/g; /ambient/d' >plan
    run -0 --separate-stderr oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<plan
    [[ $(status_line CapBnd) == 0000000000000420 ]]
    [[ $stderr == *"capability 'CAP_TEA_POT' is not known here and is left out"* ]]
}

@test "noNewPrivileges is set only when asked for" {
    requires root
    inside cat /proc/self/status
    [[ $(status_line NoNewPrivs) == 1 ]]
    cfg '.process.noNewPrivileges = false'
    inside cat /proc/self/status
    [[ $(status_line NoNewPrivs) == 0 ]]
}

@test "limits, umask, out-of-memory score, scheduler, I/O priority and personality are the plan's" {
    requires root
    cfg '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 10, hard: 20}, {type: "RLIMIT_CORE", soft: 0, hard: 123456}]
         | .process.user.umask = 31 | .process.oomScoreAdj = 321 | .process.scheduler = {policy: "SCHED_BATCH", nice: 7}
         | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6} | .linux.personality = {domain: "LINUX32"}'
    inside sh -c 'umask; cat /proc/self/oom_score_adj; grep -E "open files|core file" /proc/self/limits; cut -d " " -f 19 /proc/self/stat; uname -m; ionice -p $$'
    [[ ${lines[0]} == 0037 && ${lines[1]} == 321 && ${lines[2]} == *"core file size"*" 0 "*" 123456 "* && ${lines[3]} == *"open files"*" 10 "*" 20 "* ]]
    [[ ${lines[4]} == 7 && ${lines[5]} == i686 && ${lines[6]} == "best-effort: prio 6" ]]
    cfg 'del(.process.user.umask)'
    inside sh -c umask
    [[ $output == 0022 ]]
}

@test "a limit that is refused names itself" {
    requires root
    cfg '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 9000000000, hard: 9000000000}]'
    refused "oci-init: /process/rlimits/0: cannot set RLIMIT_NOFILE to 9000000000 and 9000000000: Operation not permitted"
}

@test "hostname and domainname are set, kernel settings with dots or slashes are written" {
    requires root
    cfg '.hostname = "box" | .domainname = "example.org" | .linux.sysctl = {"kernel.msgmax": "4321", "net/ipv4/ip_forward": "1"}'
    inside sh -c 'hostname; cat /proc/sys/kernel/domainname /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward'
    [[ $output == $'box\nexample.org\n4321\n1' ]]
}

@test "CVE-2022-0811: a kernel setting's name or value leads to no other setting" {
    requires root
    local key before
    before=$(cat /proc/sys/kernel/core_pattern)
    make_plan
    for key in net/../kernel/core_pattern net..kernel.core_pattern 'net.x+kernel.core_pattern' /kernel/core_pattern 'net.x y' net/ '..' 'net.ipv4/../../kernel/core_pattern'; do
        sed "s|^end\$|init.sysctl\t/linux/sysctl\t$key\tx\nend|" "$PLAN" >plan
        run -125 --separate-stderr oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<plan
        [[ $stderr == "oci-init: /linux/sysctl: "* ]]
    done
    sed "s|^end\$|init.sysctl\t/linux/sysctl\tkernel.msgmax\t1\\\\n2\nend|" "$PLAN" >plan
    run -125 --separate-stderr oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<plan
    [[ $stderr == *"the value of 'kernel.msgmax' has more than one line" ]]
    [[ $before == "$(cat /proc/sys/kernel/core_pattern)" ]]
}

@test "the environment is the plan's alone; the last of a name wins" {
    requires root
    cfg '.process.env = ["A=1", "PATH=/bin", "B=x y", "A=2", "HOME=/h"]'
    export SECRET_OF_THE_CALLER=1
    inside env
    [[ $(sort <<<"$output" | grep -v '^SHLVL\|^PWD\|^OLDPWD') == $'A=2\nB=x y\nHOME=/h\nPATH=/bin' ]]
}

@test "HOME comes from the container's passwd by number alone, and is / for a stranger" {
    requires root
    # shellcheck disable=SC2016
    home() { cfg --argjson u "$1" '.process.user = {uid: $u, gid: 0}'; inside sh -c 'echo $HOME'; }
    home 0; [[ $output == /root ]]
    home 1000; [[ $output == /home/user ]]
    home 4242; [[ $output == / ]]
    # CVE-2016-3697: a user whose name is a number.
    printf '1000:x:0:0::/wrong:/bin/sh\nroot:x:0:0::/root:/bin/sh\n' >rootfs/etc/passwd
    home 1000; [[ $output == / ]]
    cfg '.process.env += ["HOME="]'
    home 0; [[ $output == /wrong ]]
}

@test "the working directory is made when missing, and entered as the user or before" {
    requires root
    cfg '.process.cwd = "/new/dir" | .root.readonly = false'
    inside sh -c 'pwd; stat -c %a:%u /new /new/dir'
    [[ $output == $'/new/dir\n755:0\n755:0' ]]
    # Only its user can enter this one (a user namespace's root could not, on network file systems) ...
    mkdir -m 700 rootfs/own && chown 1000 rootfs/own
    cfg '.process.cwd = "/own" | .process.user = {uid: 1000, gid: 1000}'
    inside pwd
    # ... and this one only root.
    mkdir -m 700 rootfs/roots
    cfg '.process.cwd = "/roots"'
    inside sh -c 'readlink /proc/self/cwd || true'
    cfg '.process.cwd = "/etc/passwd"'
    refused "oci-init: /process/cwd: working directory: *Not a directory"
}

@test "descriptors 0 to 2 and the kept ones reach the program, no others" {
    requires root
    args sh -c 'ls /proc/self/fd; cat <&3; cat <&4'
    make_plan
    echo three >three; echo four >four
    run -0 oci-ns new --plan-fd 15 --preserve-fds 2 -- oci-init run --plan-fd 15 --preserve-fds 2 15<"$PLAN" 3<three 4<four 5<three 20</ || \
        run -0 unshare -fpmuin --propagation private oci-init run --plan-fd 15 --preserve-fds 2 15<"$PLAN" 3<three 4<four 5<three 20</
    [[ $output == $'0\n1\n2\n3\n4\n5\nthree\nfour' ]]
}

@test "LISTEN_PID goes with LISTEN_FDS" {
    requires root
    cfg '.process.env += ["LISTEN_FDS=1", "LISTEN_PID=77"]'
    # shellcheck disable=SC2016
    inside sh -c 'echo $LISTEN_PID $$'
    [[ $output == "1 1" ]]
}

@test "arguments behind -- take the place of the plan's" {
    requires root
    make_plan
    run -0 oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN" -- sh -c 'echo "$0 $1"' one 'two three'
    [[ $output == "one two three" ]]
}

@test "signals that the caller ignores or blocks are not the program's" {
    requires root
    args grep -E 'Sig(Blk|Ign)' /proc/self/status
    make_plan
    (trap '' TERM HUP INT; oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN" >out)
    [[ $(cat out) == $'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000' ]]
}

@test "a session and a session keyring of its own, unless the caller's is to be kept" {
    requires root
    args cat /proc/self/stat
    make_plan
    run -0 oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN"
    # shellcheck disable=SC2086
    set -- $output
    [[ $1 == "$6" ]]
    cfg 'del(.linux.maskedPaths)'
    inside sh -c 'grep -c _ses /proc/keys'
    [[ $output -ge 1 ]]
}

@test "a filter is loaded before the program starts, with and without noNewPrivileges" {
    requires root
    cfg '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 99}]}'
    args sh -c 'grep Seccomp: /proc/self/status; mkdir /dev/x'
    local privileges
    for privileges in true false; do
        cfg --argjson n $privileges '.process.noNewPrivileges = $n'
        make_plan
        oci-seccomp compile <"$PLAN" >filter
        run -1 --separate-stderr oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 --seccomp-fd 6 5<"$PLAN" 6<filter
        [[ $output == $'Seccomp:\t2' && $stderr == *"Cannot assign requested address"* ]]
    done
    : >filter
    run -125 --separate-stderr oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 --seccomp-fd 6 5<"$PLAN" 6<filter
    [[ $stderr == "oci-init: /linux/seccomp"* ]]
}

@test "a filter that notifies hands its listener to the agent, with the container's state" {
    requires root
    cfg --arg s "$PWD/agent" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $s, listenerMetadata: "meta \"data\"",
                                              syscalls: [{names: ["mkdir"], action: "SCMP_ACT_NOTIFY"}]}'
    args echo hello
    make_plan
    oci-seccomp compile <"$PLAN" >filter
    run -125 --separate-stderr oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 --seccomp-fd 6 5<"$PLAN" 6<filter
    [[ $stderr == "oci-init: /linux/seccomp/listener"*": failed to connect with seccomp agent at '$PWD/agent': No such file or directory" ]]

    receive-terminal --name agent >message 3>&- &
    local agent=$!
    wait_until test -S agent
    run -0 oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 --seccomp-fd 6 5<"$PLAN" 6<filter
    wait_until test -s message
    kill "$agent"
    [[ $output == hello ]]
    [[ $(cat message) == *'"fds":["seccompFd"]'*'"metadata":"meta \"data\""'*'"state":{'* ]]
}

@test "CVE-2019-5736: what runs in the container is a sealed copy that cannot be written" {
    requires root plain_build  # the sanitizers' oci-init does not start from its copy without its libraries
    before=$(sha256sum "$OCIRUN_BUILD/oci-init")
    args /proc/self/exe --version
    make_plan
    run -0 oci-ns new --seal --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN"
    [[ $output == "oci-init version "* ]]
    printf '#!/proc/self/exe\n' >rootfs/entry && chmod 755 rootfs/entry
    args /entry
    make_plan
    run oci-ns new --seal --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN"
    [[ $before == "$(sha256sum "$OCIRUN_BUILD/oci-init")" ]]
}

@test "an AppArmor profile where AppArmor is off is refused; no profile at all is not" {
    requires root no_apparmor
    cfg '.process.apparmorProfile = "docker-default"'
    refused "oci-init: /process/apparmorProfile: cannot apply the AppArmor profile 'docker-default': AppArmor is not enabled on this host"
    cfg '.process.apparmorProfile = "unconfined"'
    inside true
    cfg '.process.apparmorProfile = "" | .process.selinuxLabel = "system_u:system_r:container_t:s0"'
    inside true
}

@test "an AppArmor profile that is not loaded is refused; one that is loaded is in force, also where /proc lies" {
    requires root apparmor
    cfg '.process.apparmorProfile = "nosuch-profile"'
    refused "oci-init: /process/apparmorProfile: cannot apply the AppArmor profile 'nosuch-profile': none of that name is loaded; 'apparmor_parser FILE' loads one"
    requires apparmor_parser
    printf 'profile ocirun-test-%s flags=(attach_disconnected,mediate_deleted) { file, capability, deny /etc/shadow-of-test r, }\n' "$TEST_ID" >profile
    apparmor_parser -r profile
    touch rootfs/etc/shadow-of-test
    cfg --arg p "ocirun-test-$TEST_ID" '.process.apparmorProfile = $p'
    args sh -c 'cat /proc/self/attr/current; cat /etc/shadow-of-test'
    make_plan
    run --separate-stderr oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN"
    apparmor_parser -R profile
    [[ $output == "ocirun-test-$TEST_ID (enforce)" && $stderr == *"Permission denied"* ]]
}

@test "/dev/null as standard input and output keeps its owner" {
    requires root
    cfg '.process.user = {uid: 1000, gid: 1000}'
    make_plan
    oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN" </dev/null >/dev/null
    [[ $(stat -c '%u:%g %a' /dev/null) == "0:0 666" ]]
}
