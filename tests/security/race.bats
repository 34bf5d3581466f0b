#!/usr/bin/env bats
# Somebody changes the root file system while containers are made in it: a volume that several share, or the rootfs itself.
# OCIRUN_ATTACKS=N: starts for each kind of attack (25; several hundred prove more, and take minutes).

load ../helpers
load ../oci-init/init

ATTACKS=${OCIRUN_ATTACKS:-25}
BATS_TEST_TIMEOUT=$((BATS_TEST_TIMEOUT + ATTACKS * 2))

setup()
{
    ocirun_setup
    racers=()
}

teardown()
{
    end_racers
    ocirun_teardown
}

# race A B [C]: exchanges them all the time.
race()
{
    exchange "$@" 3>&- >/dev/null 2>&1 &
    racers+=($!)
}

end_racers()
{
    local racer
    for racer in ${racers[@]+"${racers[@]}"}; do
        kill "$racer" 2>/dev/null || true
        wait "$racer" 2>/dev/null || true
    done
    racers=()
}

# attack [COMMAND...]: starts the container ATTACKS times, or until one is made; each is made or refused, none hangs or leaves
# something. After each of them COMMAND holds.
attack()
{
    local try status made=0
    for ((try = 0; try < ATTACKS || (made == 0 && try < 10 * ATTACKS); try++)); do
        status=0
        timeout 30 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null >out 2>err || status=$?
        ((status <= 1)) || { echo "status $status: $(cat err out)"; return 1; }
        ((status == 1)) || made=$((made + 1))
        "$@" || { echo "start $try, status $status: $(cat err out)"; return 1; }
        [[ $(ls -A "$STATE_ROOT") == "" ]]
    done
    # One that has ended before has attacked nothing since.
    local racer
    for racer in "${racers[@]}"; do
        is_running "$racer" || { echo "a racer has ended"; return 1; }
    done
    echo "# ${BATS_TEST_DESCRIPTION%%:*}: $made of $try were made" >&3
    ((made > 0))
}

@test "CVE-2021-30465, CVE-2024-45310: a folder of mount points that becomes a link: nothing outside is mounted on, made or changed" {
    requires root
    decoy
    make_bundle
    mkdir -p rootfs/volume/real source && ln -s "$DECOY" rootfs/volume/evil
    ln -s ../../../../../../../../../../../"$DECOY" rootfs/volume/evil2
    cfg '.mounts += [{destination: "/volume/real/a/b", type: "tmpfs", source: "tmpfs"},
                     {destination: "/volume/real/file", type: "bind", source: "config.json", options: ["bind"]},
                     {destination: "/volume/real/a/c/d", type: "bind", source: "source", options: ["bind"]}]
         | .process.cwd = "/volume/real/cwd" | .linux.devices = [{path: "/volume/real/node", type: "c", major: 1, minor: 3}]
         | .linux.maskedPaths += ["/volume/real/a"] | .linux.readonlyPaths += ["/volume/real"]'
    race rootfs/volume/real rootfs/volume/evil rootfs/volume/evil2
    attack decoy_is_untouched
}

@test "CVE-2019-19921, CVE-2025-52881: /proc that becomes a link or a folder with false files: what is said to be procfs is one, and settings reach no other file" {
    requires root
    decoy
    make_bundle
    own_rootfs
    mkdir -p rootfs/false/self/attr rootfs/false/sys/net/ipv4 rootfs/false/sys/kernel
    touch rootfs/false/self/attr/exec rootfs/false/self/oom_score_adj rootfs/false/sys/net/ipv4/ip_unprivileged_port_start
    ln -s "$DECOY" rootfs/evil
    cfg '.linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "77"} | .process.oomScoreAdj = 77'
    # The procfs of the container stays the one on which its masks are, also when its name has become another folder's.
    args sh -c 'grep -q "^proc /[a-z]* proc" /proc/mounts || exit 0; [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/self/oom_score_adj | tr "\n" " ")" = "77 77 " ] && ! cat /proc/kcore | grep -q . && ! (echo x >/proc/sysrq-trigger) 2>/dev/null'
    race rootfs/proc rootfs/evil rootfs/false
    nothing_written() { decoy_is_untouched && [[ $(find rootfs/false rootfs/proc -type f -size +0 2>/dev/null) == "" ]]; }
    before=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/core_pattern)
    attack nothing_written
    [[ $before == "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/core_pattern)" ]]
}

@test "CVE-2026-41579, CVE-2025-31133: /dev and its null device that become links: no node is made outside, and masks are the host's null device" {
    requires root
    decoy
    make_bundle
    own_rootfs
    cfg '.mounts |= map(select(.destination | startswith("/dev") | not)) | .root.readonly = false
         | .linux.maskedPaths += ["/etc/passwd"]'
    mkdir rootfs/dev2 && ln -s /proc/sys/kernel/core_pattern rootfs/dev2/null && ln -s "$DECOY" rootfs/evil
    args sh -c '[ "$(stat -c %t:%T /etc/passwd)" = 1:3 ]'
    before=$(cat /proc/sys/kernel/core_pattern)
    race rootfs/dev rootfs/evil rootfs/dev2
    attack decoy_is_untouched
    [[ $before == "$(cat /proc/sys/kernel/core_pattern)" && $(stat -c '%t:%T %a %u' /dev/null) == "1:3 666 0" ]]
}

@test "CVE-2015-3627: passwd, working directory and /sys that become links, fifos or files of the host: nothing hangs and nothing outside is entered" {
    requires root
    decoy
    make_bundle
    own_rootfs
    mkdir rootfs/work && ln -s "$DECOY/sub" rootfs/evil && ln -s /proc/1/cwd rootfs/magic
    mkfifo rootfs/etc/fifo && ln -s "$DECOY/file" rootfs/etc/evil && ln -s "$DECOY" rootfs/sys2
    cfg '.process.cwd = "/work" | .root.readonly = false'
    args sh -c 'case $(pwd) in /*) ;; *) echo "outside: $(pwd)"; exit 3 ;; esac; [ ! -e file ] && [ ! -e ../file ]'
    race rootfs/work rootfs/evil rootfs/magic
    race rootfs/etc/passwd rootfs/etc/fifo rootfs/etc/evil
    race rootfs/sys rootfs/sys2
    attack decoy_is_untouched
}

@test "CVE-2025-52565: /dev/pts and /dev/console that become links: the terminal is a devpts' or there is none" {
    requires root python3
    decoy
    make_bundle
    own_rootfs
    cfg '.mounts |= map(select(.destination != "/dev" and .destination != "/dev/shm" and .destination != "/dev/mqueue")) | .process.terminal = true | .root.readonly = false'
    mkdir -p rootfs/dev/pts rootfs/dev/pts2 && ln -s "$DECOY" rootfs/dev/evil && ln -s /proc/sys/kernel/core_pattern rootfs/dev/pattern
    touch rootfs/dev/console rootfs/dev/pts2/ptmx
    args sh -c '[ "$(stat -c %t /dev/console 2>/dev/null)" = 88 ] || [ ! -c /dev/console ]; case $(tty) in /dev/*) ;; *) exit 0 ;; esac'
    before=$(cat /proc/sys/kernel/core_pattern)
    race rootfs/dev/pts rootfs/dev/evil rootfs/dev/pts2
    race rootfs/dev/console rootfs/dev/pattern
    attack decoy_is_untouched
    [[ $before == "$(cat /proc/sys/kernel/core_pattern)" ]]
}

@test "CVE-2024-45310: with the lookup by hand, as on kernels without openat2, nothing outside is touched either" {
    requires root
    decoy
    make_bundle
    mkdir -p rootfs/volume/real source && ln -s "$DECOY" rootfs/volume/evil
    cfg '.mounts += [{destination: "/volume/real/a/b", type: "tmpfs", source: "tmpfs"},
                     {destination: "/volume/real/file", type: "bind", source: "config.json", options: ["bind"]}] | .process.cwd = "/volume/real/cwd"'
    race rootfs/volume/real rootfs/volume/evil
    local real=$OCIRUN
    printf '#!/bin/sh\nexec deny-syscall openat2 -- %s "$@"\n' "$real" >without && chmod 755 without
    OCIRUN=$PWD/without
    attack decoy_is_untouched
    OCIRUN=$real
}

@test "the races above would be lost by a lookup that follows links" {
    requires root
    decoy
    make_bundle
    mkdir -p rootfs/volume/real && ln -s "$DECOY" rootfs/volume/evil
    race rootfs/volume/real rootfs/volume/evil
    local lost=0 try
    for ((try = 0; try < 200 && !lost; try++)); do
        mkdir -p rootfs/volume/real/a/b 2>/dev/null || true
        decoy_is_untouched >/dev/null || lost=1
    done
    ((lost))
}
