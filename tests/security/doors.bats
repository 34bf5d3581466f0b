#!/usr/bin/env bats
# What a program in a container could reach by a system call, a terminal, a socket or a forged file: doors of other runtimes' history.

load ../helpers

setup()
{
    ocirun_setup
    requires root
    make_bundle
}

# with_call [CAPABILITY]: a root file system with make-syscall in it; the container has the capability.
with_call()
{
    requires plain_build  # a static helper
    own_rootfs
    cp "$OCIRUN_BUILD/tests/helpers/make-syscall" rootfs/bin/
    if [[ ${1-} ]]; then
        cfg --arg c "$1" '.process.capabilities |= map_values(. + [$c])'
    fi
}

@test "CVE-2014-9357, 'shocker': a default container opens no file by its handle" {
    with_call
    args make-syscall open_by_handle_at -100 root-handle 0
    run -0 rt run "$TEST_ID"
    [[ $output == EPERM ]]

    cfg '.process.capabilities |= map_values(. + ["CAP_DAC_READ_SEARCH"])'
    run -0 rt run "$TEST_ID"
    # It opens it, or the file system knows no such handles.
    [[ $output != EPERM ]]
}

# on_terminal COMMAND: with a terminal as 0, 1 and 2; what it showed is in ./screen.
on_terminal() { script --quiet --return --flush --command "$1" screen >/dev/null 2>&1 </dev/null; }

@test "CVE-2017-5226, CVE-2016-10124: on the caller's terminal no program of run or exec can type" {
    requires script
    with_call
    # TIOCSTI with no character: whoever may type gets as far as EFAULT. EIO: dev.tty.legacy_tiocsti is 0.
    args make-syscall ioctl 0 21522 0
    on_terminal "'$OCIRUN' --root '$STATE_ROOT' run '$TEST_ID'"
    grep -qE '^(EPERM|EIO)' screen

    args sleep 1000
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    on_terminal "'$OCIRUN' --root '$STATE_ROOT' exec '$TEST_ID' make-syscall ioctl 0 21522 0"
    grep -qE '^(EPERM|EIO)' screen
    rt delete --force "$TEST_ID"

    # The capability makes up for both, so that it would have been seen.
    with_call CAP_SYS_ADMIN
    args make-syscall ioctl 0 21522 0
    on_terminal "'$OCIRUN' --root '$STATE_ROOT' run '$TEST_ID'"
    grep -q '^EFAULT' screen
}

@test "CVE-2020-15257: a waiting container has no abstract socket, which a container with the host's network could reach" {
    cfg '.linux.namespaces |= map(select(.type != "network"))'
    rt create --pid-file pid "$TEST_ID" </dev/null >/dev/null 2>&1
    local pid inodes inode
    pid=$(cat pid)
    inodes=$(find "/proc/$pid/fd" -printf '%l\n' | sed -n 's/^socket:\[\([0-9]*\)\]$/\1/p')
    [[ $inodes ]]
    for inode in $inodes; do
        refute grep -E "^([^ ]+ +){6}$inode +@" /proc/net/unix
    done
    rt delete --force "$TEST_ID"
}

@test "CVE-2022-31214: a journal that names another process makes no command enter, signal or kill it" {
    args sleep 1000
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    local other line
    # Processes are told apart by their start in hundredths of a second.
    sleep 0.05
    sleep 1000 3>&- &
    other=$!
    line=$(grep '^process' "$STATE_ROOT/$TEST_ID")
    sed -i "s/^process\t[0-9]*/process\t$other/" "$STATE_ROOT/$TEST_ID"

    run -255 rt exec "$TEST_ID" true
    [[ $output == *"is stopped" ]]
    run -1 rt kill "$TEST_ID" KILL
    run -1 rt pause "$TEST_ID"
    is_running "$other"

    # Its own process is found again by its cgroup.
    timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"
    is_running "$other"
    wait_until refute is_running "$(cut -f 2 <<<"$line")"
    kill -KILL "$other"
    wait "$other" || true
}

@test "CVE-2022-1708: what a program prints for nobody is held back, not kept in ocirun's memory" {
    cfg '.process.terminal = true | .process.args = ["yes", "a line for somebody who does not read"]'
    mkfifo output
    "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null >output 2>/dev/null 3>&- &
    local conductor=$! most
    exec 7<output
    head -c 1000000 <&7 >/dev/null
    sleep 2

    most=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$conductor/status")
    exec 7<&-
    rt kill "$TEST_ID" KILL
    wait "$conductor" || true
    # In a build with sanitizers the rest is larger.
    [[ $OCIRUN_BUILD == */sanitize ]] || ((most < 8000))
    ((most < 400000))
}

@test "runc issue 3674: the host's null device as stdin, stdout or stderr gives nobody its owner and mode" {
    requires root
    make_bundle
    cfg '.process.capabilities |= map_values(["CAP_FOWNER", "CAP_CHOWN", "CAP_DAC_OVERRIDE"]) | .root.readonly = false'
    local before change='for n in 0 1 2; do chmod 667 /proc/self/fd/$n; chown 7 /proc/self/fd/$n; done'
    before=$(stat -c '%a %u:%g' /dev/null)
    # A positive control: inside they are changed, as the container's own.
    args sh -c "$change; stat -c '%a %u' /dev/null >/result"
    rt run "$TEST_ID" </dev/null >/dev/null 2>&1
    [[ $(cat rootfs/result) == "667 7" && $(stat -c '%a %u:%g' /dev/null) == "$before" ]]

    args sleep 1000
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    rt exec "$TEST_ID" sh -c "$change; stat -c '%a %u' /dev/null >/result" </dev/null >/dev/null 2>&1
    [[ $(cat rootfs/result) == "667 7" && $(stat -c '%a %u:%g' /dev/null) == "$before" ]]
    # Who takes the container's own away gets none at all.
    rt exec "$TEST_ID" sh -c 'rm /dev/null && ln -s zero /dev/null'
    run -255 --separate-stderr rt exec "$TEST_ID" true </dev/null
    [[ $stderr == *"descriptor 0 is the host's null device, and the container has none of its own to take its place: "* ]]
    [[ $(stat -c '%a %u:%g' /dev/null) == "$before" ]]
    rt delete --force "$TEST_ID"
}
