#!/usr/bin/env bats
# Terminals: in the foreground, and over a console socket.

load ../helpers

# in_terminal COMMAND: runs it with a terminal as 0, 1 and 2; what the terminal showed is in ./screen.
in_terminal() { script --quiet --return --flush --command "$1" screen >/dev/null 2>&1 </dev/null; }

@test "the default sh runs on a terminal in the foreground" {
    requires root script
    make_bundle
    cfg '.process.terminal = true'
    args sh -c 'tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all three; stat -c "%t" $(tty); echo one; exit 4'

    local status=0
    in_terminal "'$OCIRUN' --root '$STATE_ROOT' run '$TEST_ID'" || status=$?

    [[ $status == 4 ]]
    grep -q '/dev/pts/0' screen
    grep -q 'all three' screen
    grep -q '^88' screen
}

@test "typed lines reach the shell, and the terminal is as before when it ends" {
    requires root script
    make_bundle
    cfg '.process.terminal = true | .process.args = ["sh"]'
    printf 'stty -g >before; %q --root %q run %q; echo status $?; stty -g >after\n' "$OCIRUN" "$STATE_ROOT" "$TEST_ID" >session

    (sleep 1; echo 'echo $((6*7)); exit 5'; sleep 1) | script --quiet --flush --command 'sh session' screen >/dev/null 2>&1

    grep -q '^42' screen
    grep -q 'status 5' screen
    cmp before after
}

@test "the terminal has the size of ours, follows it, and config.json's size wins" {
    requires root script
    make_bundle
    cfg '.process.terminal = true'
    args sh -c 'trap "stty size; exit" WINCH; stty size; echo ready; while :; do sleep 0.05; done'
    cat >session <<S
stty rows 33 cols 77
(while ! grep -q ready screen; do sleep 0.05; done; stty rows 40 cols 100 <\$(readlink /proc/\$\$/fd/0)) &
'$OCIRUN' --root '$STATE_ROOT' run '$TEST_ID'
S
    in_terminal 'sh session'
    grep -q '33 77' screen
    grep -q '40 100' screen

    cfg '.process.consoleSize = {"height": 11, "width": 22}'
    args stty size
    in_terminal "'$OCIRUN' --root '$STATE_ROOT' run '$TEST_ID'"
    grep -q '11 22' screen
}

@test "megabytes through a slow reader arrive whole" {
    requires root
    make_bundle
    cfg '.process.terminal = true'
    args sh -c 'i=0; while [ $i -lt 40000 ]; do echo "line $i of a long text that fills the buffers"; i=$((i+1)); done'

    "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null | (sleep 1; cat) | tr -d '\r' >out

    [[ $(wc -l <out) == 40000 ]]
    [[ $(tail -1 out) == "line 39999 of a long text that fills the buffers" ]]
}

@test "output is not doubled: a foreground terminal has no carriage returns of its own" {
    requires root
    make_bundle
    cfg '.process.terminal = true'
    args echo hello
    run -0 bash -c '"$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null | od -c | head -1'
    [[ $output != *'\r'* ]]
}

@test "the end of a piped stdin reaches the program as end of file" {
    requires root
    make_bundle
    cfg '.process.terminal = true'
    args cat
    run -0 bash -c 'printf "a\nb\n" | timeout 10 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID"'
    [[ $output == *a*b* ]]
}

@test "a shell on a terminal ends when stdin is at its end from the beginning, or without a last newline" {
    requires root
    make_bundle
    cfg '.process.terminal = true | .process.args = ["sh"]'
    mkfifo late

    run -0 timeout --signal=KILL 20 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null
    : | run -0 timeout --signal=KILL 20 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID"
    args sh -c 'read line; echo "<$line>"; read line || echo end'
    run -0 timeout --signal=KILL 20 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" < <(printf half)
    [[ $output == *"<half>"*end* ]]
    cfg '.process.terminal = false'
    args sleep 1000
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    run -0 timeout --signal=KILL 20 "$OCIRUN" --root "$STATE_ROOT" exec --tty "$TEST_ID" sh </dev/null
    rt delete --force "$TEST_ID"
}

@test "a shell that edits its lines executes what comes without a last newline, and ends" {
    requires root
    make_bundle
    # With a terminal busybox's shell reads key by key, and ^D behind half a line is no end to it.
    cfg '.process.terminal = true | .process.args = ["sh"]'

    run -0 timeout --signal=KILL 20 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" < <(printf 'echo $((6*7))')

    [[ $output == *42* ]]
}

@test "what comes without a last newline reaches a program that reads lines as it is" {
    requires root
    make_bundle
    cfg '.process.terminal = true'
    args sh -c 'stty -echo; cat | od -c'
    run -0 timeout --signal=KILL 20 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" < <(sleep 1; printf half)
    [[ $output == *"0000000   h   a   l   f"*"0000004"* ]]
}

@test "--console-socket receives the master, and /dev/console is the same terminal" {
    requires root
    make_bundle
    cfg '.process.terminal = true'
    args sh -c 'echo on $(tty); stat -c %t /dev/console; stat -c %u $(tty)'
    receive-terminal socket >out 3>&- &
    local receiver=$!
    wait_until test -S socket

    rt create --console-socket socket "$TEST_ID"
    rt start "$TEST_ID"
    wait "$receiver"

    grep -q 'on /dev/pts/0' out
    grep -q '^88' out
    wait_until has_status "$TEST_ID" stopped
    rt delete "$TEST_ID"
}

@test "the message with the master is its name, also over a path longer than a socket's name may be" {
    requires root
    make_bundle
    cfg '.process.terminal = true'
    local deep
    deep=$(printf 'd%.0s' {1..120})
    mkdir "$deep"
    (cd "$deep" && exec receive-terminal --name s >../out 3>&-) &
    local receiver=$!
    wait_until test -S "$deep/s"

    rt create --console-socket "$PWD/$deep/s" "$TEST_ID"
    wait_until test -s out
    kill "$receiver"

    [[ $(cat out) == "/dev/pts/ptmx "* ]]
    rt delete --force "$TEST_ID"
}

@test "a terminal without anybody to receive it is refused with both ways out" {
    requires root
    make_bundle
    cfg '.process.terminal = true'
    run -1 rt create "$TEST_ID"
    [[ $output == *"/process/terminal: cannot allocate tty if ocirun will detach without setting console socket"*"--console-socket"* ]]
    run -1 rt run --detach "$TEST_ID"
    [[ $output == *"cannot allocate tty"* ]]
    cfg '.process.terminal = false'
    run -1 rt create --console-socket x "$TEST_ID"
    [[ $output == *"cannot use console socket"* ]]
}

@test "exec --tty gives a terminal of the container, owned by the user" {
    requires root script
    make_bundle
    args sleep 100
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1

    in_terminal "'$OCIRUN' --root '$STATE_ROOT' exec -t -u 1000:1000 '$TEST_ID' sh -c 'tty; stat -c \"owner %u\" \$(tty); exit 6'" || [[ $? == 6 ]]

    grep -q /dev/pts/0 screen
    grep -q 'owner 1000' screen
    rt delete --force "$TEST_ID"
}

# sends_pidfd OPTION...: `create` with these sends a pidfd to 'socket'.
sends_pidfd()
{
    receive-terminal --name socket >out 3>&- &
    local receiver=$!
    wait_until test -S socket
    rt create "$@" "$TEST_ID"
    wait_until test -s out
    kill "$receiver"
    [[ $(cat out) == *pidfd* ]]
    rt delete --force "$TEST_ID"
}

@test "--pidfd-socket receives a pidfd of the first process" {
    requires root
    make_bundle
    sends_pidfd --pidfd-socket socket
}

@test "the annotation run.oci.pidfd_receiver names a socket that receives it, too" {
    requires root
    make_bundle
    cfg --arg socket "$PWD/socket" '.annotations["run.oci.pidfd_receiver"] = $socket'
    sends_pidfd
}
