#!/usr/bin/env bats
# oci-ns: exit statuses, signals, and that nothing is left behind.

load ../helpers
load ns

children_of() { cat "/proc/$1/task/$1/children"; }
is_gone() { [[ ! -e /proc/$1 || $(awk '/^State:/ { print $2 }' "/proc/$1/status") == Z ]]; }

@test "the exit status is the program's" {
    run -3 oci-ns new -- sh -c 'exit 3'
    requires root
    run -3 oci-ns new --pid -- sh -c 'exit 3'
    run -0 oci-ns new --pid -- true
    run -255 oci-ns new --pid -- sh -c 'exit 255'
}

@test "a program killed by signal n gives 128+n" {
    requires root

    # Not process 1, which is immune to its own signals.
    run -143 oci-ns new --time -- sh -c 'kill -TERM $$'
}

@test "enter refuses to start a program where nothing is entered" {
    run -2 --separate-stderr oci-ns enter -- true
    [[ $stderr == "oci-ns: nothing to enter is given: --target PID"* ]]
}

@test "wrong usage exits 2" {
    run -2 oci-ns new
    [[ $output == "oci-ns: 'new' needs [--] PROGRAM [ARG]...; 'oci-ns new --help' tells more" ]]
    run -2 oci-ns new --nonsense true
    [[ $output == "oci-ns: unknown option '--nonsense'; 'oci-ns new --help' tells more" ]]
    run -2 oci-ns frobnicate
    run -2 oci-ns enter --kind pid true
    [[ $output == "oci-ns: --start-time and --kind say which --target; none is given" ]]
    run -2 oci-ns new --plan-fd 99 true
    [[ $output == "oci-ns: --plan-fd: descriptor 99 is not open" ]]
}

@test "a failure of the stage itself exits 125" {
    run -125 oci-ns new --join net=/nowhere true
}

@test "a program that cannot be executed exits 126, with the reason" {
    printf '#!/nowhere/sh\n' >script
    printf 'no program' >text
    touch plain
    chmod +x script text

    run -126 oci-ns new ./plain
    [[ $output == "oci-ns: cannot execute './plain': Permission denied" ]]
    run -126 oci-ns new ./script
    [[ $output == "oci-ns: cannot execute './script': the interpreter that it names is missing: No such file or directory" ]]
    run -126 oci-ns new ./text
    [[ $output == "oci-ns: cannot execute './text': Exec format error" ]]
    run -126 oci-ns new /
    [[ $output == "oci-ns: cannot execute '/': Permission denied" ]]
}

@test "a program that is missing exits 127, and no namespace is made for it" {
    run -127 oci-ns new no-such-program
    [[ $output == "oci-ns: cannot find 'no-such-program' in PATH: No such file or directory" ]]
    run -127 oci-ns new --net --user ./no-such-program
    [[ $output == "oci-ns: cannot execute './no-such-program': No such file or directory" ]]
    run -127 oci-ns new ''
    run -127 oci-ns new --seal no-such-program
    [[ $output == "oci-ns: cannot find 'no-such-program' in PATH: No such file or directory" ]]
}

@test "the same statuses come from a child" {
    requires root
    printf '#!/nowhere/sh\n' >script
    chmod +x script

    run -126 oci-ns new --pid ./script
    [[ $output == "oci-ns: cannot execute './script': the interpreter that it names is missing: No such file or directory" ]]
    run -127 oci-ns new --pid ./no-such-program
    run -125 oci-ns new --pid --mount-proc --user -- true
    [[ $output == "oci-ns: cannot mount a new proc on '/proc': Operation not permitted" ]]
}

@test "a set-user-ID copy refuses to work" {
    requires root
    as_user true
    chmod u+s "$USER_DIR/bin/oci-ns"

    run -1 as_user oci-ns new true

    [[ $output == "oci-ns: refused: not made to be a set-user-ID or set-group-ID program" ]]
}

@test "signals from others are passed on to the program" {
    requires root
    for signal in TERM INT HUP QUIT USR1 USR2 WINCH CONT RTMIN+1; do
        rm -f ready
        # What is started in the background ignores SIGINT and SIGQUIT, for good.
        env --default-signal oci-ns new --pid -- bash -c "trap 'exit 9' $signal; touch ready; while :; do sleep 0.01; done" 3>&- &
        wait_until test -e ready

        kill -s "$signal" $!

        status=0
        wait $! || status=$?
        ((status == 9)) || { echo "SIG$signal: $status"; return 1; }
    done
}

@test "the signal mask is the caller's" {
    requires root

    run -0 oci-ns new --pid -- grep SigBlk /proc/self/status
    [[ $output == "$(grep SigBlk /proc/self/status)" ]]
}

@test "children that it inherited are reaped" {
    requires root
    sh -c 'sleep 0.1 & exec oci-ns new --pid -- sleep 30' 3>&- &
    wait_until has_child $!
    sleep 0.5

    for child in $(children_of $!); do
        [[ $(awk '/^State:/ { print $2 }' "/proc/$child/status") != Z ]]
    done

    kill_silently $!
}

@test "when oci-ns is killed nothing of the program is left" {
    requires root
    for options in --pid --time "--user --map-user=0:100000:10"; do
        : >ready
        chmod 666 ready
        # shellcheck disable=SC2086
        oci-ns new $options -- sh -c 'echo >ready; exec sleep 30' 3>&- &
        wait_until test -s ready
        child=$(only_child $!)

        kill_silently $!

        wait_until is_gone "$child"
    done
}

@test "killed at any step it leaves no process" {
    requires root
    for ((step = 1; step < 20; step++)); do
        status=0
        oci-ns --test-step "$step:9" new --pid --net --mount --user --map-user 0:100000:9 --map-group 0:100000:9 -- true 2>/dev/null || status=$?
        ((status != 0)) || break
        find_processes
        wait_until eval 'find_processes; ((${#FOUND[@]} == 0))'
    done
    ((step > 4 && step < 20))
}

@test "pipes that the program closes are closed" {
    requires root
    mkfifo pipe
    oci-ns new --pid -- sh -c 'exec 7>&-; exec sleep 30' 7>pipe 3>&- &

    # Ends only when nobody holds the other end any more.
    timeout 10 cat pipe

    kill_silently $!
}
