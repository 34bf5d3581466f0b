#!/usr/bin/env bats
# run: what the default configuration gives, and the status it ends with.

load ../helpers

@test "run gives the program's output and status and leaves nothing" {
    requires root
    make_bundle
    args sh -c 'echo to-stdout; echo to-stderr >&2; exit 7'

    run -7 --separate-stderr rt run "$TEST_ID"

    [[ $output == to-stdout ]]
    [[ $stderr == to-stderr ]]
}

@test "run reads the caller's stdin" {
    requires root
    make_bundle
    args cat
    [[ $(echo hello | rt run "$TEST_ID") == hello ]]
}

@test "a program killed by a signal ends run with 128 and the signal" {
    requires root
    make_bundle
    args sh -c 'sleep 0.1; kill -KILL $$; sleep 10'
    cfg '.linux.namespaces |= map(select(.type != "pid"))'
    run -137 rt run "$TEST_ID"
}

@test "run forwards signals to the program" {
    requires root
    make_bundle
    args sh -c 'trap "echo got TERM; exit 3" TERM; trap "echo got USR1" USR1; echo ready; while :; do sleep 0.1; done'
    "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" >out 3>&- &
    local runner=$!
    wait_until grep -q ready out

    kill -USR1 "$runner"
    wait_until grep -q 'got USR1' out
    kill -TERM "$runner"
    local status=0
    wait "$runner" || status=$?

    [[ $status == 3 ]]
    grep -q 'got TERM' out
}

@test "run --detach returns at once and the program goes on" {
    requires root
    make_bundle
    args sleep 100

    # A file: the program holds its output open, and `run` would wait for the end of a pipe.
    rt run --detach "$TEST_ID" </dev/null >out 2>&1
    [[ ! -s out ]]
    has_status "$TEST_ID" running
    rt delete --force "$TEST_ID"
}

@test "run --keep leaves a stopped container" {
    requires root
    make_bundle
    run -0 rt run --keep "$TEST_ID"
    has_status "$TEST_ID" stopped
    [[ $(first_process "$TEST_ID") == 0 ]]
    rt delete "$TEST_ID"
}

@test "the default configuration: host name, own processes, loopback up, read-only root" {
    requires root
    make_bundle
    args sh -c 'hostname; echo pid $$; ifconfig lo | grep -c UP; touch /x 2>/dev/null || echo read-only; ls /proc | grep -c "^[0-9]"'

    run -0 rt run "$TEST_ID"

    [[ ${lines[0]} == ocirun ]]
    [[ ${lines[1]} == "pid 1" ]]
    [[ ${lines[2]} == 1 ]]
    [[ ${lines[3]} == read-only ]]
    ((${lines[4]} < 5))
}

@test "the default configuration: every namespace is the container's own, except user and time" {
    requires root
    make_bundle
    args sh -c 'cd /proc/self/ns; for n in pid net ipc uts mnt cgroup user time; do readlink $n; done'

    run -0 rt run "$TEST_ID"

    local i=0 kind
    for kind in pid net ipc uts mnt cgroup; do
        [[ ${lines[i++]} != "$(readlink "/proc/self/ns/$kind")" ]]
    done
    [[ ${lines[6]} == "$(readlink /proc/self/ns/user)" ]]
    [[ ${lines[7]} == "$(readlink /proc/self/ns/time)" ]]
}

@test "the default configuration: capabilities, no_new_privs and limits" {
    requires root
    make_bundle
    args sh -c 'grep -E "^(Cap|NoNewPrivs)" /proc/self/status; ulimit -n'

    run -0 rt run "$TEST_ID"

    # AUDIT_WRITE 29, KILL 5, NET_BIND_SERVICE 10
    [[ $output == *$'CapInh:\t0000000000000000'* ]]
    [[ $output == *$'CapPrm:\t0000000020000420'* ]]
    [[ $output == *$'CapEff:\t0000000020000420'* ]]
    [[ $output == *$'CapBnd:\t0000000020000420'* ]]
    [[ $output == *$'CapAmb:\t0000000000000000'* ]]
    [[ $output == *$'NoNewPrivs:\t1'* ]]
    [[ ${lines[-1]} == 1024 ]]
}

@test "the default configuration: devices exist and others are refused" {
    requires root
    make_bundle
    args sh -c 'for d in null zero full random urandom tty; do stat -c "%n %t:%T %a" /dev/$d; done; for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done
        echo x >/dev/null && head -c 4 /dev/zero | wc -c; mknod /dev/disk b 254 0 2>/dev/null || echo no mknod'

    run -0 rt run "$TEST_ID"

    [[ ${lines[0]} == "/dev/null 1:3 666" ]]
    [[ ${lines[5]} == "/dev/tty 5:0 666" ]]
    [[ $output == *$'/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n4\nno mknod' ]]
}

@test "the device rules hold even for a program that may make nodes" {
    requires root
    make_bundle
    cfg '.process.capabilities[] += ["CAP_MKNOD"]'
    args sh -c 'mknod /dev/kmsg c 1 11; cat </dev/kmsg 2>&1 | head -1; mknod /dev/zero2 c 1 5; head -c 3 /dev/zero2 | wc -c'

    run -0 rt run "$TEST_ID"

    [[ $output == *"can't open /dev/kmsg: Operation not permitted"* ]]
    [[ ${lines[-1]} == 3 ]]
}

@test "masked paths show nothing, read-only paths refuse writes" {
    requires root
    make_bundle
    args sh -c 'for p in /proc/kcore /proc/keys /proc/timer_list; do [ -e $p ] && head -c 10 $p | wc -c; done; ls /sys/firmware /proc/scsi 2>/dev/null | grep -v : | grep -c .
        echo 1 >/proc/sys/vm/drop_caches || echo refused; echo b >/proc/sysrq-trigger || echo refused'

    run rt run "$TEST_ID"

    [[ $(grep -c '^refused$' <<<"$output") == 2 ]]
    # All that is left: nothing to read anywhere.
    ! grep -vE "^(0|refused|sh: can't create .*)$" <<<"$output"
}

@test "no descriptor above 2 reaches the program" {
    requires root
    make_bundle
    args sh -c 'ls /proc/self/fd'
    exec 7</ 8</etc 19</dev/null

    run -0 rt run "$TEST_ID"

    # 3 is the directory that ls itself has open.
    [[ $output == $'0\n1\n2\n3' ]]
    exec 7<&- 8<&- 19<&-
}

@test "--preserve-fds passes just those, and a hole among them is an error" {
    requires root
    make_bundle
    args sh -c 'ls /proc/self/fd; cat <&4'
    echo kept >file

    run -0 bash -c '"$OCIRUN" --root "$STATE_ROOT" run --preserve-fds 2 "$TEST_ID" 3</dev/null 4<file 5</etc'
    [[ $output == $'0\n1\n2\n3\n4\n5\nkept' ]]

    run -1 bash -c '"$OCIRUN" --root "$STATE_ROOT" run --preserve-fds 2 "$TEST_ID" 3</dev/null 4<&-'
    [[ $output == *"--preserve-fds 2: descriptor 4 is not open"* ]]
}

@test "stdin, stdout and stderr may be closed" {
    requires root
    make_bundle
    args sh -c 'ls /proc/self/fd >/tmp/fds; true'
    cfg '.root.readonly = false'
    "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" <&- >&- 2>&-
    [[ $(head -3 rootfs/tmp/fds) == $'0\n1\n2' ]]
}

@test "run with a container user, groups and a working directory that is made" {
    requires root
    make_bundle
    cfg '.process.user = {"uid": 1000, "gid": 1001, "umask": 63, "additionalGids": [5, 7]} | .process.cwd = "/new/place" | .root.readonly = false'
    args sh -c 'id; pwd; umask; echo $HOME'

    run -0 rt run "$TEST_ID"

    [[ ${lines[0]} == "uid=1000(user) gid=1001 groups=5,7,1001" || ${lines[0]} == "uid=1000(user) gid=1001 groups=5,7" ]]
    [[ ${lines[1]} == /new/place ]]
    [[ ${lines[2]} == 0077 ]]
    [[ ${lines[3]} == /home/user ]]
}

@test "a bundle without config.json is an error that says how to get one" {
    requires root
    mkdir empty
    run -1 rt run --bundle empty "$TEST_ID"
    [[ $output == *"cannot open '$PWD/empty/config.json'"*"'ocirun spec' writes one"*"No such file or directory"* ]]
}

@test "all errors of config.json are said at once, and nothing is left" {
    requires root
    make_bundle
    cfg '.process.cwd = 5 | .hostname = true | .mounts[0].destination = null'

    run -1 rt run "$TEST_ID"

    [[ $output == *"/process/cwd: "* ]]
    [[ $output == *"/hostname: "* ]]
    [[ $output == *"/mounts/0"* ]]
}

@test "a missing program is an error with the field's words" {
    requires root
    make_bundle
    args no-such-program
    run -1 rt run "$TEST_ID"
    [[ $output == *'exec: "no-such-program": executable file not found in $PATH'* ]]

    args /no/such
    run -1 rt create "$TEST_ID"
    [[ $output == *'exec: "/no/such": stat /no/such: no such file or directory'* ]]

    args /etc/passwd
    run -1 rt create "$TEST_ID"
    [[ $output == *'oci-init: exec: "/etc/passwd": permission denied: its mode 0644 has no x for the user' ]]

    cfg '.mounts += [{destination: "/x", type: "bind", source: "rootfs/bin", options: ["bind", "noexec"]}]'
    args /x/busybox true
    run -1 rt create "$TEST_ID"
    [[ $output == *'oci-init: exec: "/x/busybox": permission denied: it is on a mount with the option noexec' ]]
}

@test "a configuration without a program is an error of create with its place" {
    requires root
    make_bundle
    cfg 'del(.process)'
    run -1 rt create "$TEST_ID"
    [[ $output == *"oci-init: /process/args: there is no program to execute: "* ]]
}

@test "--cgroup-manager disabled runs without a cgroup of its own" {
    requires root
    make_bundle
    args sh -c 'echo fine'
    run -0 rt --cgroup-manager disabled run "$TEST_ID"
    [[ $output == fine ]]
}

@test "a limit on open files that may not be raised is an error of create" {
    requires root
    make_bundle
    # As many as the kernel knows, and one more.
    cfg --argjson n "$(($(cat /proc/sys/fs/nr_open) + 1))" '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": $n, "hard": $n}]'
    run -1 rt create "$TEST_ID"
    [[ $output == *"/process/rlimits/0: cannot set RLIMIT_NOFILE to "*": Operation not permitted" ]]
}

@test "a signal ends a run and a create that are not through yet, and nothing is left" {
    requires root
    make_bundle
    local command
    # A configuration that nobody writes, and a hook that never ends.
    mkfifo never
    exec 8<>never
    for command in run create; do
        run -124 timeout 1 "$OCIRUN" --root "$STATE_ROOT" "$command" --config never "$TEST_ID"
        [[ $output == *"$command failed: interrupted by signal 15 (Terminated)" ]]
    done
    exec 8<&-
    cfg '.hooks.createRuntime = [{"path": "/bin/sleep", "args": ["sleep", "1000"]}]'
    for command in run create; do
        run -124 timeout 1 "$OCIRUN" --root "$STATE_ROOT" "$command" "$TEST_ID"
        [[ $output == *"createRuntime hook #0: '/bin/sleep': interrupted by signal 15 (Terminated)" ]]
    done
}

@test "errors in the configuration name its file" {
    requires root
    make_bundle
    echo '{' >broken
    run -1 rt run --config broken "$TEST_ID"
    [[ $output == *"run failed: 'broken': oci-spec: "* ]]
    mkdir folder
    run -1 rt run --config folder "$TEST_ID"
    [[ $output == *"cannot read 'folder': Is a directory" ]]
}

@test "the filter is kept in one file with the lines that it was compiled from, and compiled again when that was cut short" {
    requires root
    make_bundle
    args mkdir /tmp/x
    cfg '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 99}]}'
    run -1 rt run "$TEST_ID"
    local kept=("$STATE_ROOT"/.seccomp/*)
    ((${#kept[@]} == 1))
    local size
    size=$(stat -c %s "${kept[0]}")
    grep -qa $'^seccomp.rule\t.*mkdir' "${kept[0]}"

    truncate -s "$((size - 4))" "${kept[0]}"
    run -1 rt run "$TEST_ID"

    [[ $output == *"Cannot assign requested address"* ]]
    [[ $(stat -c %s "${kept[0]}") == "$size" ]]
    cfg '.linux.seccomp.syscalls[0].errnoRet = 1'
    run -1 rt run "$TEST_ID"
    [[ $output == *"Operation not permitted"* ]]
    [[ $(ls "$STATE_ROOT/.seccomp" | wc -l) == 2 ]]
}

@test "of the compiled filters the last hundred are kept" {
    requires root
    make_bundle
    cfg '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO", errnoRet: 1}]}'
    rt run "$TEST_ID"
    local first=("$STATE_ROOT"/.seccomp/*) i
    touch -d '1 hour ago' "${first[0]}"
    for ((i = 0; i < 105; i++)); do
        : >"$STATE_ROOT/.seccomp/$i.filter"
        touch -d "$((120 - i)) minutes ago" "$STATE_ROOT/.seccomp/$i.filter"
    done
    cfg '.linux.seccomp.syscalls[0].errnoRet = 2'

    rt run "$TEST_ID"

    [[ $(ls "$STATE_ROOT/.seccomp" | wc -l) == 100 && -e ${first[0]} ]]
    [[ ! -e $STATE_ROOT/.seccomp/6.filter && -e $STATE_ROOT/.seccomp/7.filter ]]
}

@test "warnings of the stages are said, on stderr or with --debug in the log" {
    requires root
    make_bundle
    cfg '.process.capabilities.bounding += ["CAP_BOGUS"]'
    args echo ran

    run -0 --separate-stderr rt run "$TEST_ID"

    [[ $output == ran ]]
    [[ $stderr == "ocirun: warning: oci-spec: /process/capabilities/bounding/"*": 'CAP_BOGUS' is not known; it is left out" ]]
    # An engine decodes the log of a call as one error: there they are only asked for.
    run -0 --separate-stderr rt --log log run "$TEST_ID"
    [[ $stderr == "" && ! -s log ]]
    run -0 --separate-stderr rt --debug --log log run "$TEST_ID"
    [[ $stderr == "" ]]
    grep -q 'level=warning.*CAP_BOGUS' log
}

@test "--debug logs the stages that are started and each step of theirs, the cgroups and the first process" {
    requires root
    make_bundle

    rt --debug --log log run "$TEST_ID"

    for stage in oci-spec oci-cgroup oci-ns; do
        grep -q "level=debug msg=\"starting $stage " log
    done
    grep -q 'level=debug msg="the container.s cgroup is /' log
    grep -q 'level=debug msg="the container.s first process is [0-9]' log
    for step in 'oci-spec: ' 'oci-cgroup: ' 'oci-ns: make namespaces' 'oci-init: make device /dev/full' 'oci-init: execute'; do
        grep -q "level=debug msg=\"$step" log || { echo "no $step"; cat log; false; }
    done

    # What went before is said when it fails, too.
    cfg '.mounts += [{destination: "/x", type: "nosuchfs", source: "x"}]'
    run -1 rt --debug --log failed --log-format json run "$TEST_ID"
    jq -e --slurp 'any(.level == "debug" and .msg == "oci-init: mount /x")' failed
}
