#!/usr/bin/env bats
# oci-ns new --user: id maps, with and without privilege, and what is said when the host forbids it.

load ../helpers
load ns

@test "a normal user is root in a sandbox of its own" {
    requires root userns ip

    run -0 as_user oci-ns new --user --map-root --pid --mount --mount-proc --net -- sh -c 'id -u; id -g; echo /proc/[0-9]*; ip -br link'

    [[ ${lines[0]} == 0 && ${lines[1]} == 0 && ${lines[2]} == /proc/1 && ${lines[3]} == "lo "* ]]
}

@test "without privilege only the own ids are mapped, and setgroups is denied" {
    requires root userns

    run -0 as_user oci-ns new --map-root -- sh -c 'cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; readlink /proc/self/ns/user'

    [[ ${lines[0]} =~ ^\ +0\ +1000\ +1$ && ${lines[1]} =~ ^\ +0\ +1000\ +1$ && ${lines[2]} == deny ]]
    [[ ${lines[3]} != "$(readlink /proc/self/ns/user)" ]]
}

@test "the own ids can be mapped to other ones" {
    requires root userns

    run -0 as_user oci-ns new --map-user 5:1000:1 --map-group 6:1000:1 -- sh -c 'id -u; id -g'
    [[ $output == $'5\n6' ]]
    run -0 as_user oci-ns new --map-user 5:1000:1 --map-group 6:1000:1 --pid -- sh -c 'id -u; id -g'
    [[ $output == $'5\n6' ]]
}

@test "with privilege any range is mapped, groups stay allowed, and the caller's groups are left" {
    requires root

    run -0 setpriv --groups 7,8 oci-ns new --map-user 0:100000:65536 --map-group 0:200000:65536 -- sh -c \
        'id -u; id -g; id -G; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups'

    [[ ${lines[0]} == 0 && ${lines[1]} == 0 && ${lines[2]} == 0 ]]
    [[ ${lines[3]} =~ ^\ +0\ +100000\ +65536$ && ${lines[4]} =~ ^\ +0\ +200000\ +65536$ && ${lines[5]} == allow ]]
}

@test "several ranges are written" {
    requires root

    run -0 oci-ns new --map-user 0:100000:10 --map-user 10:5:1 --map-group 0:1:1 -- cat /proc/self/uid_map
    [[ ${lines[0]} =~ ^\ +0\ +100000\ +10$ && ${lines[1]} =~ ^\ +10\ +5\ +1$ ]]
}

@test "group maps are applied without user maps" {
    requires root

    run -0 oci-ns new --map-group 0:5:10 -- sh -c 'id -g; cat /proc/self/uid_map /proc/self/gid_map'
    [[ ${lines[0]} == 0 && ${lines[1]} =~ ^\ +0\ +5\ +10$ ]]
}

@test "the root of a user namespace has all capabilities in it" {
    requires root

    run -0 oci-ns new --map-user 0:100000:10 --map-group 0:100000:10 --net --uts --mount -- sh -c 'hostname x && mount -t tmpfs none /tmp && ip link set lo down && grep -E "Cap(Eff|Bnd)" /proc/self/status'
    [[ ${lines[0]#*:} == "${lines[1]#*:}" && ${lines[0]} == *ffffff ]]
}

@test "the other namespaces belong to the new user namespace" {
    requires root userns

    run -0 as_user oci-ns new --map-root --uts --pid -- hostname mine
}

@test "a user without privilege gets its subordinate ids from newuidmap and newgidmap" {
    requires root userns newuidmap
    with_subids 1000:700000:100

    run -0 as_user oci-ns new --map-root --map-user 1:700000:50 --map-group 1:700010:60 --pid -- sh -c \
        'id -u; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups'

    [[ ${lines[0]} == 0 && ${lines[1]} =~ ^\ +1\ +700000\ +50$ && ${lines[2]} =~ ^\ +0\ +1000\ +1$ ]]
    [[ ${lines[3]} =~ ^\ +1\ +700010\ +60$ && ${lines[4]} =~ ^\ +0\ +1000\ +1$ && ${lines[5]} == allow ]]
}

@test "--map-auto maps all subordinate ids" {
    requires root userns newuidmap
    with_subids 1000:700000:100

    run -0 as_user oci-ns new --map-auto -- cat /proc/self/uid_map
    [[ $output =~ ^\ +0\ +700000\ +100$ ]]
    run -0 as_user oci-ns new --map-root --map-auto -- cat /proc/self/gid_map
    [[ ${lines[0]} =~ ^\ +0\ +1000\ +1$ && ${lines[1]} =~ ^\ +1\ +700000\ +100$ ]]
}

@test "what newuidmap refuses is said in its words, and no process is left" {
    requires root userns newuidmap
    with_subids 1000:700000:100

    run -125 as_user oci-ns new --map-root --map-user 1:5:50 true

    [[ $output == "oci-ns: '/usr/bin/newuidmap' could not write the map, it exited with status 1 and said 'newuidmap: uid range [1-51) -> [5-55) not allowed'"* ]]
}

@test "--map-auto without subordinate ids says how to get them" {
    requires root userns
    with_subids 4242:700000:100

    run -125 as_user oci-ns new --map-auto true

    [[ $output == "oci-ns: '/etc/subuid' gives no ids to user '"*"'; 'usermod --add-subuids' and '--add-subgids' do" ]]
}

# /etc/subuid and /etc/subgid of this test alone: the rest of it runs in a mount namespace of its own.
with_subids()
{
    echo "$1" >subids
    as_user true
    as_user()
    {
        oci-ns new --mount -- sh -c 'mount --bind subids /etc/subuid && mount --bind subids /etc/subgid && cd "$1" && shift && exec "$@"' - "$USER_DIR" \
            setpriv --reuid=1000 --regid=1000 --clear-groups env PATH="$USER_DIR/bin:/usr/bin:/bin" "$@"
    }
    [[ -e /etc/subuid && -e /etc/subgid ]] || skip "needs the files /etc/subuid and /etc/subgid"
}

@test "bad maps are refused before anything is changed" {
    run -2 oci-ns new --map-user 0:1 true
    [[ $output == "oci-ns: --map-user: expected CONTAINER:HOST:SIZE, found '0:1'" ]]
    run -2 oci-ns new --map-user 0:x:1 true
    [[ $output == "oci-ns: --map-user: 'x' is not a number in range" ]]
    run -125 oci-ns new --map-user 0:1:0 true
    [[ $output == "oci-ns: range '0:1:0' of ids is empty" ]]
    run -125 oci-ns new --map-user 0:1000:10 --map-user 5:2000:1 true
    [[ $output == "oci-ns: range '5:2000:1' of ids overlaps with '0:1000:10'" ]]
    run -125 oci-ns new --map-group 0:4294967290:10 true
    [[ $output == "oci-ns: range '0:4294967290:10' goes beyond id 4294967294" ]]
}

@test "user.max_user_namespaces is named when it is what forbids" {
    requires root

    # The limit counts in the user namespace where it is set: one of this test's own.
    run -125 oci-ns new --map-root -- sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec oci-ns new --user true'

    [[ $output == "oci-ns: cannot make a new user namespace (user.max_user_namespaces is 0; 'sysctl -w user.max_user_namespaces=15000' allows them): No space left on device" ]]
}

@test "the limit of another kind is named when it is what forbids" {
    requires root

    run -125 oci-ns new --map-root -- sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && exec oci-ns new --net --pid true'

    [[ $output == "oci-ns: cannot make new pid and network namespaces (user.max_net_namespaces is 0; 'sysctl -w user.max_net_namespaces=15000' allows them): No space left on device" ]]
}

@test "a system-call filter is named when it is what forbids" {
    run -125 deny-syscall unshare:1 -- oci-ns new --user true
    [[ $output == "oci-ns: cannot make a new user namespace (a system-call filter is in force here, as in a container; the profile of that container has to allow them): Operation not permitted" ]]
}

@test "the process is not dumpable any more when it executes the program" {
    requires root userns
    as_user true
    (cd "$USER_DIR" && exec setpriv --reuid=1000 --regid=1000 --clear-groups bin/oci-ns --step-fd 7 --test-step 4:19 new --map-root true 7<>"$BATS_TEST_TMPDIR/steps" 3>&-) &
    wait_until grep -q '^State:.T' "/proc/$!/status"

    # /proc files of a process that is not dumpable belong to root (man 5 proc).
    [[ $(stat -c %u "/proc/$!/status") == 0 ]]
    [[ $(tr -d '\0' <steps) == "execute the program" ]]

    kill_silently $!
}
