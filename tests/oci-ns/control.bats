#!/usr/bin/env bats
# oci-ns --control-fd and --plan-fd: as ocirun drives it (spec/protocol.md). `adopt` plays ocirun.

load ../helpers
load ns

@test "with a control socket the process becomes a child of the caller, which is told its number" {
    requires root

    run -0 adopt oci-ns new --control-fd 6 --pid --net -- sh -c 'echo $$ >&6; exit 7'

    [[ $output == $'message: pid\tCHILD\nmessage: 1\ncommand: 0\nchild: 7' ]]
}

@test "the number is the first message, whatever the process does" {
    requires root
    for options in "--uts" "--pid" "--time" "--map-user 0:100000:9 --map-group 0:100000:9" "--user"; do
        # shellcheck disable=SC2086
        run -0 adopt oci-ns new --control-fd 6 $options -- sh -c 'echo hello >&6'
        [[ $output == $'message: pid\tCHILD\nmessage: hello\ncommand: 0\nchild: 0' ]] || { echo "$options: $output"; return 1; }
    done
}

@test "enter with a control socket makes a child of the caller too" {
    requires root
    oci-ns new --pid --net -- sleep 50 3>&- &
    supervisor=$!
    wait_until has_child "$supervisor"
    child=$(only_child "$supervisor")

    run -0 adopt oci-ns enter --target "$child" --control-fd 6 -- sh -c 'readlink /proc/self/ns/net >&6; exit 4'

    [[ $output == $'message: pid\tCHILD\nmessage: '"$(readlink "/proc/$child/ns/net")"$'\ncommand: 0\nchild: 4' ]]
    kill_silently "$supervisor"
}

@test "the program gets the descriptors that oci-ns was told about, and no other of its own" {
    requires root
    printf 'plan 1\nend\n' >plan
    : >errors
    : >steps

    adopt oci-ns --error-fd 7 --step-fd 8 new --control-fd 6 --plan-fd 5 --pid --seal -- \
        busybox sh -c 'ls -l /proc/self/fd | grep -o "[0-9]* ->.*" >fds' 5<plan 7>>errors 8<>steps 9</dev/null 3>&-

    # 9 passes through as it would with env(1); bats has some of its own.
    for fd in "5 -> $PWD/plan" "6 -> socket:" "7 -> $PWD/errors" "8 -> $PWD/steps" "9 -> /dev/null"; do
        grep -qF "$fd" fds
    done
    run ! grep -E "memfd|pidfd|ns:|/proc/[0-9]*/ns|/proc/[0-9]*$" <(grep -v "/fd$" fds)
}

@test "without a control socket the descriptors for errors and steps stay behind" {
    : >errors
    oci-ns --error-fd 7 new -- sh -c 'ls -l /proc/self/fd >fds' 7>>errors
    run ! grep -F "$PWD/errors" fds
}

@test "errors of the child go to the error descriptor, and the stage has done its part" {
    requires root

    run -0 adopt oci-ns --error-fd 7 new --control-fd 6 --pid --mount-proc --user -- true 7>errors

    [[ $output == $'message: pid\tCHILD\ncommand: 0\nchild: 125' ]]
    [[ $(cat errors) == $'oci-ns\t1\t125\t\tcannot mount a new proc on \'/proc\'' ]]
}

@test "errors before the clone end the stage, and there is no child" {
    run -0 adopt oci-ns --error-fd 7 new --control-fd 6 --join net=/nowhere -- true 7>errors

    [[ $output == $'command: 125' ]]
    [[ $(cat errors) == $'oci-ns\t2\t125\t\tcannot open \'/nowhere\'' ]]
}

@test "a refused id map ends the child that waits for it" {
    requires root userns newuidmap

    run -0 as_user "$(command -v adopt)" oci-ns new --control-fd 6 --map-root --map-user 1:5:50 true

    # Nobody was told about it.
    [[ $output == *"could not write the map"*$'\ncommand: 125\nanother child: 125' ]]
}

@test "steps are recorded" {
    requires root
    : >steps
    oci-ns --step-fd 8 new --pid --net -- true 8<>steps
    [[ $(tr -d '\0' <steps) == "execute the program"* ]]
}

@test "a plan says what the options say" {
    requires root
    {
        echo 'plan 1'
        for kind in pid network mount uts ipc cgroup user; do printf 'ns.new\t/linux/namespaces/0\t%s\n' $kind; done
        printf 'ns.uid-map\t/linux/uidMappings/0\t0\t100000\t1000\n'
        printf 'ns.gid-map\t/linux/gidMappings/0\t0\t200000\t1000\n'
        printf 'init.arg\t/process/args/0\tignored here\n'
        echo end
    } >plan

    run -0 oci-ns new --plan-fd 5 -- sh -c 'echo $$; id -u; cat /proc/self/uid_map /proc/self/gid_map; ip -br addr; grep " / / " /proc/self/mountinfo' 5<plan

    [[ ${lines[0]} == 1 && ${lines[1]} == 0 && ${lines[2]} =~ ^\ +0\ +100000\ +1000$ && ${lines[3]} =~ ^\ +0\ +200000\ +1000$ && ${lines[4]} == "lo "*127.0.0.1* ]]
}

@test "a plan from a file or a pipe is handed on to the program, under the same number" {
    printf 'plan 1\ninit.arg\t-\tx\nend\n' >plan

    run -0 oci-ns new --plan-fd 5 -- cat /proc/self/fd/5 5<plan
    [[ $output == "$(cat plan)" ]]
    run -0 oci-ns new --plan-fd 5 -- cat /proc/self/fd/5 5< <(cat plan)
    [[ $output == "$(cat plan)" ]]
    run -0 oci-ns new --plan-fd 0 -- sh -c 'cat /proc/self/fd/0; echo x >>/proc/self/fd/0 || echo sealed' < <(cat plan)
    [[ $output == "$(cat plan)"*sealed ]]
}

@test "chain loaders can be nested on one plan" {
    requires root
    printf 'plan 1\nns.new\t-\tuts\nend\n' >plan

    run -0 oci-ns new --plan-fd 5 -- oci-ns new --plan-fd 5 -- sh -c 'hostname x' 5< <(cat plan)
}

@test "errors of a plan carry their JSON pointer" {
    refused()
    {
        printf 'plan 1\n%bend\n' "$1" >plan
        run -125 oci-ns new --plan-fd 5 touch made 5<plan
        [[ $output == "oci-ns: $2" ]] || { echo "$output"; return 1; }
        [[ ! -e made ]]
    }
    refused 'ns.join\t/linux/namespaces/2\tnetwork\t/run/netns/blue-xyz\n' "/linux/namespaces/2: cannot open '/run/netns/blue-xyz': No such file or directory"
    refused 'ns.new\t/linux/namespaces/2\tnetwork\nns.new\t/linux/namespaces/3\tnetwork\n' "/linux/namespaces/3: a new network namespace is asked for twice"
    refused 'ns.new\t/linux/namespaces/0\tfoo\n' "/linux/namespaces/0: unknown kind of namespace 'foo'; there are user, pid, network, mount, ipc, uts, cgroup, time"
    refused 'ns.uid-map\t/linux/uidMappings/0\t0\t0\t1\n' "/linux/uidMappings/0: ids are mapped, but there is no user namespace to map them in"
    refused 'ns.time-offset\t/linux/timeOffsets/monotonic\tmonotonic\t1\t0\n' "/linux/timeOffsets/monotonic: a clock is to be offset, but there is no new time namespace"
    refused 'ns.new\t-\ttime\nns.time-offset\t/linux/timeOffsets/sun\tsun\t1\t0\n' "/linux/timeOffsets/sun: unknown clock 'sun'; expected monotonic or boottime"
    refused 'ns.cgroup\t-\t3\t\t/a\t/b\n' "ns.cgroup: unknown version '3'; expected 1 or 2"
    refused 'ns.cgroup\t-\t2\t\t/sys/fs/cgroup\t/../b\n' "ns.cgroup: expected absolute paths without '..', found '/sys/fs/cgroup' and '/../b'"
    refused 'ns.nonsense\t-\t1\n' "plan line 2: unknown directive 'ns.nonsense'"
    refused 'ns.new\t-\n' "plan line 2: 'ns.new' has 0 fields; expected KIND"
    printf 'plan 1\n' >plan
    run -125 oci-ns new --plan-fd 5 true 5<plan
    [[ $output == "oci-ns: plan: cut short (no 'end')" ]]
}

@test "clocks of a new time namespace are offset" {
    requires root
    printf 'plan 1\nns.new\t-\ttime\nns.time-offset\t-\tboottime\t1000000\t0\nns.time-offset\t-\tmonotonic\t2000000\t5\nend\n' >plan

    run -0 oci-ns new --plan-fd 5 -- sh -c 'cut -d . -f 1 /proc/uptime; cat /proc/self/timens_offsets' 5<plan

    ((lines[0] >= 1000000))
    [[ ${lines[1]} =~ ^monotonic\ +2000000\ +5$ && ${lines[2]} =~ ^boottime\ +1000000\ +0$ ]]
}

@test "clocks are offset without privilege too, in a new user namespace" {
    requires root userns kernel-6.2
    printf 'plan 1\nns.new\t-\tuser\nns.new\t-\ttime\nns.new\t-\tpid\nns.uid-map\t-\t0\t1000\t1\nns.time-offset\t-\tboottime\t1000000\t0\nend\n' >plan

    run -0 as_user oci-ns new --plan-fd 5 -- cut -d . -f 1 /proc/uptime 5<plan

    ((output >= 1000000))
}

@test "clocks are not offset without privilege where the kernel would forget it" {
    requires root userns
    ! kernel_is_at_least 6.2 || skip "needs a kernel before Linux 6.2"
    printf 'plan 1\nns.new\t-\tuser\nns.new\t-\ttime\nns.time-offset\t-\tboottime\t1000000\t0\nend\n' >plan

    run -125 as_user oci-ns new --plan-fd 5 true 5<plan

    [[ $output == "oci-ns: a new time namespace together with a new user namespace needs privilege before Linux 6.2" ]]
}

@test "a user namespace that is joined must have the map that the plan says" {
    requires root
    oci-ns new --map-user 0:100000:10 --map-group 0:100000:10 --pid -- sleep 50 3>&- &
    supervisor=$!
    wait_until has_child "$supervisor"
    child=$(only_child "$supervisor")
    wait_until grep -q sleep "/proc/$child/comm"
    plan() { printf 'plan 1\nns.join\t/linux/namespaces/0\tuser\t/proc/%s/ns/user\nns.uid-map\t/linux/uidMappings/0\t0\t%s\t10\nend\n' "$child" "$1"; }

    plan 100000 >plan
    run -0 oci-ns new --plan-fd 5 id -u 5<plan
    [[ $output == 0 ]]
    plan 200000 >plan
    run -125 oci-ns new --plan-fd 5 true 5<plan
    [[ $output == "oci-ns: /linux/uidMappings/0: the user namespace that is joined has another map" ]]
    kill_silently "$supervisor"
}

@test "a program of a plan keeps its capabilities in a user namespace where it cannot be root" {
    requires root
    printf 'plan 1\nns.new\t-\tuser\nns.new\t-\tuts\nns.uid-map\t-\t5\t0\t1\nns.gid-map\t-\t5\t0\t1\nend\n' >plan

    run -0 oci-ns new --plan-fd 5 -- sh -c 'id -u; hostname x' 5<plan
    [[ $output == 5 ]]
    run -1 oci-ns new --map-user 5:0:1 --map-group 5:0:1 --uts -- hostname x
}

@test "waiting for the plan, it ends when the plan's writer dies" {
    run -125 oci-ns new --plan-fd 5 true 5< <(printf 'plan 1\nns.new\t-\tpid\n')
    [[ $output == "oci-ns: plan: cut short (no 'end')" ]]
}
