#!/usr/bin/env bats
# The conversation with ocirun, hooks and terminals. `drive` (tests/helpers) plays ocirun.
load ../helpers
load init

setup() { ocirun_setup; make_bundle; }

# driven [-STATUS] STEP... : oci-init run, driven by these steps.
driven()
{
    local wanted=-0
    if [[ $1 =~ ^-[0-9]+$ ]]; then
        wanted=$1
        shift
    fi
    make_plan
    [[ -z ${EXTRA:-} ]] || sed -i "s|^end\$|$EXTRA\nend|" "$PLAN"
    run --separate-stderr "$wanted" drive "$@" -- \
        oci-ns new --plan-fd 5 --control-fd 6 -- oci-init --error-fd 8 run --plan-fd 5 --control-fd 6 --start-fd 7 5<"$PLAN" 8>errors
}

@test "created, start: the program is executed and the conversation ends" {
    requires root
    args echo hello
    driven hear:created say:start eof
    [[ $output == $'created\n'*hello* && $output == *eof* ]]
    [[ ! -s errors ]]
}

@test "the program is not executed before start" {
    requires root
    args echo hello
    driven hear:created alive say:start eof
    [[ $output == $'created\n'* ]]
}

@test "a control socket that closes before start ends everything without a word" {
    requires root
    args echo hello
    driven -125 hear:created hang-up
    [[ $output == created && ! -s errors && $stderr == "" ]]
}

@test "with init.wait it says namespaces, and waits before it touches the root file system" {
    requires root
    args echo hello
    EXTRA='init.wait\t-\tnamespaces'
    driven -125 hear:namespaces alive hang-up
    driven hear:namespaces say:continue hear:created say:start eof
    [[ $output == $'namespaces\ncreated\n'* ]]
}

@test "commit: start is awaited on the start socket, answered, and the program executed" {
    requires root
    args echo hello
    driven hear:created say:commit eof start:start
    [[ $output == *"starter: starting"* && $output == *hello* ]]
}

@test "only the word start starts: other words and empty calls change nothing" {
    requires root
    args echo hello
    driven hear:created say:commit eof knock start:stop alive knock start:start
    [[ $(grep -c starter <<<"$output") == 1 && $output == *hello* ]]
}

@test "an error after start goes to whoever started" {
    requires root
    printf 'text\n' >rootfs/bad && chmod 755 rootfs/bad
    args /bad
    driven -126 hear:created say:commit eof start:start
    [[ $output == *$'starter: error\toci-init\t0\t126\t\texec /bad: exec format error'* ]]
    driven -126 hear:created say:start eof
    [[ $(cat errors) == $'oci-init\t0\t126\t\texec /bad: exec format error'* ]]
}

@test "an unexpected message is an error" {
    requires root
    driven -125 hear:created say:dance eof
    [[ $(cat errors) == *"expected 'start' on the control socket, got 'dance'" ]]
}

@test "createContainer hooks run before the root changes, with the state, their arguments and their environment only" {
    requires root
    cat >hook <<'END'
#!/bin/sh
{ cat; echo; echo "$0 $*"; env | grep -v '^PWD\|^SHLVL\|^_='; ls -d "$1"; readlink /proc/self/ns/mnt; } >"$1/out"
END
    chmod 755 hook
    cfg --arg d "$PWD" '.hooks.createContainer = [{path: "\($d)/hook", args: ["zero", $d, "two"], env: ["ONLY=this"]}]'
    driven 'say:state\t{"id":"x"}' hear:created say:start eof
    [[ $(sed -n 1p out) == '{"id":"x"}' && $(sed -n 2p out) == *"$PWD two" && $(sed -n 3p out) == ONLY=this ]]
    [[ $(tail -1 out) == mnt:* && $(tail -1 out) != "$(readlink /proc/self/ns/mnt)" ]]
}

@test "startContainer hooks run inside after start, without privileges, with the program's environment when they have none" {
    requires root
    cat >rootfs/hook <<'END'
#!/bin/sh
{ cat; echo; env | grep MARK; grep CapEff /proc/self/status; } >/tmp/out
END
    chmod 755 rootfs/hook
    cfg '.hooks.startContainer = [{path: "/hook"}] | .process.env += ["MARK=er"] | .root.readonly = false'
    driven hear:created 'say:state\t{"id":"y"}' say:start eof
    [[ $(cat rootfs/tmp/out) == $'{"id":"y"}\nMARK=er\nCapEff:\t0000000020000420' ]]
}

@test "a hook that fails is named with its number, status and output, and nothing is started" {
    requires root
    printf '#!/bin/sh\necho oops >&2\nexit 3\n' >bad && chmod 755 bad
    cfg --arg d "$PWD" '.hooks.createContainer = [{path: "/bin/true"}, {path: "\($d)/bad"}]'
    driven -125 'say:state\t{}' eof
    [[ $(cat errors) == *$'\t/hooks/createContainer/1\terror running createContainer hook #1: '"'$PWD/bad': exited with status 3: oops" ]]
    cfg --arg d "$PWD" '.hooks.createContainer = [{path: "/no/such"}]'
    driven -125 'say:state\t{}' eof
    [[ $(cat errors) == *"error running createContainer hook #0: '/no/such': cannot execute '/no/such'" ]]
}

@test "a hook that outlives its timeout is killed; a child of it that holds its output stops nobody" {
    requires root
    printf '#!/bin/sh\nexec sleep 20\n' >slow && printf '#!/bin/sh\nsleep 3 &\n' >leaves && chmod 755 slow leaves
    cfg --arg d "$PWD" '.hooks.createContainer = [{path: "\($d)/slow", timeout: 1}]'
    local start=$SECONDS
    driven -125 'say:state\t{}' eof
    [[ $(cat errors) == *"error running createContainer hook #0: '$PWD/slow': timed out after 1 s and was killed" ]]
    cfg --arg d "$PWD" '.hooks.createContainer = [{path: "\($d)/leaves"}]'
    driven 'say:state\t{}' hear:created say:start eof
    ((SECONDS - start < 15))
}

@test "a terminal is opened inside, sized, owned by the user, on /dev/console, and its master comes over the socket" {
    requires root
    cfg '.process.terminal = true | .process.consoleSize = {height: 33, width: 99} | .process.user = {uid: 1000, gid: 1000}'
    args sh -c 'tty; stty size; stat -c "%u:%g" /dev/pts/0; stat -c "%F %t" /dev/console; stat -f -c %T /dev/console 2>/dev/null || stat -f /dev/console | head -2; echo in >/dev/console; cat /proc/self/stat | cut -d " " -f 6,7; ls /proc/self/fd'
    driven hear:terminal hear:created say:start
    [[ $output == *$'/dev/pts/0\r\n33 99\r\n1000:5\r\ncharacter special file 88\r\n'* ]]
    [[ $output == *$'in\r\n1 34816\r\n'* && $output != *not* ]]
}

@test "what is typed reaches the program" {
    requires root
    cfg '.process.terminal = true'
    args sh -c 'read x; echo "got $x"'
    driven hear:terminal hear:created say:start 'type:word\n'
    [[ $output == *"got word"* ]]
}

@test "CVE-2025-52565: a container without a devpts of its own gets no terminal" {
    requires root
    cfg '.process.terminal = true | .mounts |= map(select(.destination != "/dev/pts"))'
    driven -125 eof
    [[ $(cat errors) == *"cannot open a terminal: the container has no devpts on /dev/pts: cannot open '/dev/pts/ptmx'" ]]
    cfg '.mounts |= map(select(.destination | startswith("/dev") | not))'
    mkdir rootfs/dev/pts && ln -s /proc/sysrq-trigger rootfs/dev/pts/ptmx
    driven -125 eof
    [[ $(cat errors) == *"cannot open a terminal"* ]]
    rm rootfs/dev/pts/ptmx && mknod rootfs/dev/pts/ptmx c 5 2
    driven -125 eof
    [[ $(cat errors) == *"'/dev/pts/ptmx' is not that of a devpts" ]]
}

@test "alone, without ocirun, a terminal is refused with the way out" {
    requires root
    cfg '.process.terminal = true'
    refused "oci-init: /process/terminal: nobody is there to take the terminal; set /process/terminal to false, or use ocirun"
}

@test "nothing of the host but what was given is open while start is awaited" {
    requires root
    args true
    make_plan
    drive hear:created say:commit eof alive alive alive alive alive start:start -- \
        oci-ns new --plan-fd 5 --control-fd 6 -- oci-init run --plan-fd 5 --control-fd 6 --start-fd 7 5<"$PLAN" >log 3>&- &
    local driver=$!
    wait_until grep -q eof log
    local child init="" fd
    for child in $(cat /proc/$driver/task/*/children); do
        [[ $(readlink "/proc/$child/ns/mnt") == "$(readlink /proc/self/ns/mnt)" ]] || init=$child
    done
    [[ -n $init ]]
    # Directories: of the container's own file systems only. Files: the plan's and the standard ones.
    for fd in /proc/"$init"/fd/*; do
        if [[ -d $fd ]]; then
            [[ $(readlink "$fd") != *"$BATS_TEST_TMPDIR"* && $(stat -L -c '%d:%i' "$fd") != "$(stat -c '%d:%i' /)" ]]
        fi
    done
    [[ $(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$init/status") != 0000000000000000 ]]
    wait "$driver"
}

@test "CVE-2016-9962: with the user's ids already, nobody of the same ids may look at it before it is the program" {
    requires root
    # Without a pid namespace, since the first process of one cannot be stopped from inside.
    cfg '.process.user = {uid: 1000, gid: 1000} | .process.capabilities = {} | .linux.namespaces |= map(select(.type != "pid"))'
    args sleep 20
    make_plan
    local last init
    for ((last = 15; last < 100; last++)); do
        run oci-ns new --plan-fd 5 -- oci-init --test-step $((last + 1)):9 run --plan-fd 5 5<"$PLAN" -- true
        ((status != 0)) || break
    done
    oci-ns new --plan-fd 5 -- oci-init --test-step $last:19 run --plan-fd 5 5<"$PLAN" 3>&- &
    find_stopped() { init=$(ps -eo pid=,stat=,args= | awk -v a="test-step $last:19" '$2 ~ /^T/ && index($0, a) {print $1}'); [[ -n $init ]]; }
    wait_until find_stopped
    [[ $(sed -n 's/^Uid:[[:space:]]*//p' "/proc/$init/status") == 1000* ]]
    run setpriv --reuid=1000 --regid=1000 --clear-groups --bounding-set=-all sh -c "ls /proc/$init/fd/ || readlink /proc/$init/exe || cat /proc/$init/environ"
    kill -KILL "$init"
    echo "$output"
    ((status != 0))
}
