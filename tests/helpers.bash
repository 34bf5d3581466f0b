# What every bats file shares: bundles, requirements, and the check that a test leaves the host as it was.
#
#     load ../helpers
#     @test "…" { requires root; make_bundle; cfg '.hostname = "box"'; rt run "$TEST_ID"; }
#
# A file with its own setup() or teardown() calls ocirun_setup first and ocirun_teardown last in them.
# `wait` needs a pid: bats's own countdown is a child of the test, and a bare `wait` waits for it. `run` waits for the
# end of all output: what stays in the background writes to a file.

bats_require_minimum_version 1.5.0

TESTS_DIR=$(dirname "${BASH_SOURCE[0]}")
TESTS_DIR=$(cd "$TESTS_DIR" && pwd)
OCIRUN_BUILD=$(realpath -m "${OCIRUN_BUILD:-$TESTS_DIR/../build}")
OCIRUN=$OCIRUN_BUILD/ocirun
PATH=$OCIRUN_BUILD:$OCIRUN_BUILD/tests/helpers:$PATH
# A test that hangs fails after this many seconds. An emulated machine needs more.
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-60}
# What is made once and shared by all tests: `tests/run` keeps it for all files. On the file system of the tests' folders.
SHARED=${OCIRUN_TEST_CACHE:-$BATS_RUN_TMPDIR}
export OCIRUN_BUILD OCIRUN PATH BATS_TEST_TIMEOUT

setup() { ocirun_setup; }
teardown() { ocirun_teardown; }

# ---------------------------------------------------------------- ocirun and bundles

# ocirun with this test's own state root. `$OCIRUN` is the bare program.
rt() { "$OCIRUN" --root "$STATE_ROOT" "$@"; }

# make_bundle [DIR]: a bundle with a busybox rootfs and the default config.json (no terminal, `true` as its
# program). Sets BUNDLE and goes there. The programs are hard links to a copy that all tests of a run share:
# a test that lets a container write into /bin makes its own copy first (`own_rootfs`).
make_bundle()
{
    BUNDLE=${1:-$BATS_TEST_TMPDIR/bundle}
    [[ -d $SHARED/rootfs ]] || make_shared_rootfs
    mkdir -p "$BUNDLE"
    cp -al "$SHARED/rootfs" "$BUNDLE/rootfs"
    cd "$BUNDLE" || return 1
    printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n' >rootfs/etc/passwd
    printf 'root:x:0:\nuser:x:1000:\n' >rootfs/etc/group
    [[ -e $SHARED/config.json ]] || make_shared_config
    cp "$SHARED/config.json" config.json
}

# Real copies instead of hard links.
own_rootfs()
{
    rm -rf "$BUNDLE/rootfs"
    cp -a "$SHARED/rootfs" "$BUNDLE/rootfs"
    printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n' >"$BUNDLE/rootfs/etc/passwd"
    printf 'root:x:0:\nuser:x:1000:\n' >"$BUNDLE/rootfs/etc/group"
}

# The sanitizers' oci-init is not static: for `exec` its libraries must be inside.
add_libraries()
{
    local library
    for library in $(ldd "$2" | grep -o '/[^ ]*'); do
        mkdir -p "$1${library%/*}"
        cp -L "$library" "$1$library"
    done
}

# Built aside and renamed, so that tests that run at the same time never see half of it.
make_shared_rootfs()
{
    local tree applet busybox
    busybox=$(command -v busybox) || { echo "these tests need busybox-static ('make deps')" >&2; return 1; }
    tree=$(mktemp -d "$SHARED/rootfs.XXXXXX")
    mkdir -p "$tree"/{bin,dev,etc,proc,sys,root,home/user,usr,var}
    mkdir -m 1777 "$tree/tmp"
    ln -s ../bin "$tree/usr/bin"
    ln -s bin "$tree/sbin"
    cp "$busybox" "$tree/bin/busybox"
    # Not all 260 applets: each costs an inode in each test.
    for applet in sh ash awk basename cat chgrp chmod chown chroot cmp cp cut date dd df dirname dmesg du echo env expr false \
        find free getopt grep head hostname id ifconfig ip kill killall less ln ls lsof mesg mkdir mkfifo mknod mktemp more mount \
        mountpoint mv nc nice nproc od pgrep pidof ping pkill printenv printf ps pwd readlink realpath renice reset rm rmdir sed \
        seq setsid sleep sort stat stty su swapon sync sysctl tail tee test timeout top touch tr true truncate tty ulimit umount \
        uname uniq unlink unshare usleep vi wc wget which whoami xargs yes '[' ionice chrt taskset nsenter setpriv unxz hexdump; do
        ln -s busybox "$tree/bin/$applet"
    done
    chmod 755 "$tree" "$tree/root"
    chown 1000:1000 "$tree/home/user" 2>/dev/null || true
    [[ $OCIRUN_BUILD != */sanitize ]] || add_libraries "$tree" "$OCIRUN_BUILD/oci-init"
    mv -T "$tree" "$SHARED/rootfs" 2>/dev/null || rm -rf "$tree"
}

make_shared_config()
{
    local new
    new=$(mktemp -d "$SHARED/config.XXXXXX")
    if [[ -x $OCIRUN ]] && (cd "$new" && "$OCIRUN" spec); then
        mv "$new/config.json" "$new/default.json"
    else
        "$OCIRUN_BUILD/oci-spec" new >"$new/default.json"
    fi
    jq '.process.terminal = false | .process.args = ["true"]' "$new/default.json" >"$new/config.json"
    mv "$new/config.json" "$SHARED/config.json"
}

# cfg [--arg NAME VALUE]... 'FILTER': changes config.json in the present directory with jq.
cfg() { jq "$@" config.json >config.json.new && mv config.json.new config.json; }

# args WORD...: the container's program.
args()
{
    # shellcheck disable=SC2016  # $ARGS is jq's
    jq '.process.args = $ARGS.positional' config.json --args -- "$@" >config.json.new && mv config.json.new config.json
}

# make_plan [FILE]: the plan of ./config.json. Sets PLAN.
make_plan()
{
    PLAN=${1:-$BATS_TEST_TMPDIR/plan}
    oci-spec plan <config.json >"$PLAN"
}

# refute COMMAND...: fails if it succeeds. A bare `! COMMAND` in a test never fails it (man bash, `set -e`).
refute()
{
    if "$@"; then
        echo "this should have failed: $*" >&2
        return 1
    fi
}

# wait_until COMMAND...: until it succeeds; fails after ten seconds (more in an emulated machine).
wait_until()
{
    local deadline=$((SECONDS + BATS_TEST_TIMEOUT / 6))
    until "$@"; do
        if ((SECONDS > deadline)); then
            echo "waited in vain for: $*" >&2
            return 1
        fi
        sleep 0.05
    done
}

# rmdir_test_cgroups: an engine makes the parent of its containers' cgroups and leaves it; it is ours by its name.
# Fails while a process that is about to end is in one.
rmdir_test_cgroups()
{
    find /sys/fs/cgroup -depth -type d -path "*/$TEST_ID*" -exec rmdir {} \; 2>/dev/null
    [[ -z $(find /sys/fs/cgroup -type d -path "*/$TEST_ID*" -print -quit) ]]
}

# container_status ID: the word that `ocirun state` gives.
container_status() { rt state "$1" | jq -r .status; }
has_status() { [[ $(container_status "$1" 2>/dev/null) == "$2" ]]; }

# first_process ID: the number of the container's first process.
first_process() { rt state "$1" | jq .pid; }

# The cgroups that have $TEST_ID in their names, in all hierarchies.
our_cgroups() { find /sys/fs/cgroup -maxdepth 7 -type d -name "*$TEST_ID*" 2>/dev/null; }

# No state, cgroup, unit or mount of this test's containers, but for the cache of filters. Says what there is.
nothing_is_left()
{
    local left
    left=$(
        find "$STATE_ROOT" -mindepth 1 -maxdepth 1 ! -name .seccomp 2>/dev/null
        compgen -G "$BUNDLE/.ocirun-*"
        our_cgroups
        compgen -G "/run/systemd/transient/*$TEST_ID*"
        grep -F "$BUNDLE" /proc/self/mountinfo
    ) || true
    [[ -z $left ]] || { printf '%s\n' "$left"; return 1; }
}

# goes_on FILE, stands_still FILE: whether somebody still writes lines to it.
goes_on() { wait_until has_more_lines "$1" "$(wc -l <"$1")"; }
stands_still()
{
    local before
    before=$(wc -l <"$1")
    sleep "$((BATS_TEST_TIMEOUT / 60)).3"
    refute has_more_lines "$1" "$before"
}
has_more_lines() { (($(wc -l <"$1") > $2)); }

# is_running PID: there is such a process, and it is no zombie.
is_running() { [[ $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) == [!ZX]* ]]; }

# as_user COMMAND...: as uid 1000 without any privilege, in a folder of its own ($USER_DIR, 0755 above it),
# with the programs copied to where that user can reach them.
as_user()
{
    # One name for all calls: what `run as_user` sets is gone with its subshell.
    USER_DIR=/tmp/ocirun-$TEST_ID
    if [[ ! -d $USER_DIR ]]; then
        mkdir "$USER_DIR" "$USER_DIR/bin" "$USER_DIR/run"
        cp "$OCIRUN_BUILD"/oci* "$USER_DIR/bin/" 2>/dev/null || true
        chmod 755 "$USER_DIR" "$USER_DIR/bin"
        chown 1000:1000 "$USER_DIR" "$USER_DIR/run"
        chmod 700 "$USER_DIR/run"
    fi
    (cd "$USER_DIR" && setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all \
        env HOME="$USER_DIR" XDG_RUNTIME_DIR="$USER_DIR/run" PATH="$USER_DIR/bin:/usr/bin:/bin:/usr/sbin:/sbin" "$@")
}

# ---------------------------------------------------------------- requirements

# requires WORD...: skips the test, with the reason, where the host lacks one of them.
requires()
{
    local word
    for word; do
        case $word in
            root) ((EUID == 0)) || skip "needs root" ;;
            cgroup_v1) [[ $(cgroup_layout) != v2 ]] || skip "needs cgroup v1 controllers" ;;
            cgroup_v2) [[ $(cgroup_layout) == v2 ]] || skip "needs unified cgroup v2" ;;
            hybrid) [[ $(cgroup_layout) == hybrid ]] || skip "needs cgroup v1 and v2 side by side" ;;
            userns) can_make_user_namespaces || skip "needs user namespaces for unprivileged users" ;;
            systemd) [[ -d /run/systemd/system ]] || skip "needs systemd as init" ;;
            no_systemd) [[ ! -d /run/systemd/system ]] || skip "needs a host without systemd" ;;
            apparmor)
                [[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) == Y && -e /sys/kernel/security/apparmor ]] ||
                    skip "needs AppArmor" ;;
            no_apparmor) [[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) != Y ]] || skip "needs a host without AppArmor" ;;
            no_selinux) [[ ! -e /sys/fs/selinux/enforce ]] || skip "needs a host without SELinux" ;;
            numa) [[ -e /proc/self/numa_maps ]] || skip "needs a kernel with NUMA" ;;
            two_cpus) (($(nproc) > 1)) || skip "needs two CPUs" ;;
            huge_pages) [[ -d /sys/kernel/mm/hugepages/hugepages-2048kB ]] || skip "needs huge pages of 2 MB" ;;
            jsonschema) python3 -c 'import jsonschema' 2>/dev/null || skip "needs python3-jsonschema" ;;
            plain_build) [[ $OCIRUN_BUILD != */sanitize ]] || skip "needs a build without sanitizers" ;;
            kernel-*) kernel_is_at_least "${word#kernel-}" || skip "needs Linux ${word#kernel-}" ;;
            *) command -v "$word" >/dev/null || skip "needs the program '$word'" ;;
        esac
    done
}

# v1, hybrid (v1 controllers beside a v2 hierarchy) or v2.
cgroup_layout()
{
    if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
        echo v2
    elif [[ -e /sys/fs/cgroup/unified/cgroup.procs ]]; then
        echo hybrid
    else
        echo v1
    fi
}

can_make_user_namespaces()
{
    if ((EUID == 0)); then
        setpriv --reuid=1000 --regid=1000 --clear-groups unshare --user --map-root-user true 2>/dev/null
    else
        unshare --user --map-root-user true 2>/dev/null
    fi
}

kernel_is_at_least()
{
    local major minor
    IFS=.- read -r major minor _ <<<"$(uname -r)"
    ((major > ${1%.*} || (major == ${1%.*} && minor >= ${1#*.})))
}

# ---------------------------------------------------------------- the host stays as it was

# Names made from $TEST_ID (container ids, cgroups, interfaces) can be told from those of other tests that run on
# the same machine at the same time. With OCIRUN_STRICT=1 nobody else does: then everything is compared.
ocirun_setup()
{
    printf -v TEST_ID 't%06x%04x' "$BASHPID" "$RANDOM"
    export TEST_ID OCIRUN_TEST_ID=$TEST_ID
    export STATE_ROOT=$BATS_TEST_TMPDIR/state
    unset BUNDLE PLAN USER_DIR
    read_children
    CHILDREN_BEFORE=" $CHILDREN "
    # Seconds since boot with two digits behind the point: the ticks of /proc/PID/stat (100 a second).
    read -r TEST_STARTED _ </proc/uptime
    TEST_STARTED=$((10#${TEST_STARTED/./}))
    if [[ ${OCIRUN_STRICT:-} ]]; then
        host_picture >"$BATS_TEST_TMPDIR/.host-before"
    fi
    cd "$BATS_TEST_TMPDIR" || return 1
}

ocirun_teardown()
{
    local dev_null
    LEAKS=()
    cd / || return 1
    clean_state
    clean_mounts
    clean_processes
    clean_units
    clean_cgroups
    dev_null=$(stat -c '%t:%T owner %u mode %a' /dev/null)
    if [[ $dev_null != "1:3 owner 0 mode 666" ]]; then
        LEAKS+=("/dev/null changed: $dev_null")
        ((EUID != 0)) || { chown 0:0 /dev/null && chmod 666 /dev/null; }
    fi
    rm -rf --one-file-system "/tmp/ocirun-$TEST_ID"
    if [[ ${OCIRUN_STRICT:-} && -e $BATS_TEST_TMPDIR/.host-before ]]; then
        mapfile -t -O ${#LEAKS[@]} LEAKS < <(host_picture | diff "$BATS_TEST_TMPDIR/.host-before" - | sed -n 's/^</gone:/p; s/^>/new:/p' | of_ours)
    fi
    if ((${#LEAKS[@]} > 0)); then
        echo "the test left behind:"
        printf '  %s\n' "${LEAKS[@]}"
        return 1
    fi
}

# Mounts, cgroups and interfaces, one a line.
host_picture()
{
    # The first two fields are ids, given anew each time.
    cut -d ' ' -f 3- /proc/self/mountinfo | LC_ALL=C sort
    find /sys/fs/cgroup -mindepth 1 -maxdepth 4 -type d 2>/dev/null | LC_ALL=C sort
    (cd /sys/class/net && printf 'interface %s\n' *)
}

# Whatever else runs on the machine (a service, whoever started the tests) has cgroups that come and go, with processes
# in them. What a test leaves is there still, and empty: its processes are ended.
of_ours()
{
    local line
    while IFS= read -r line; do
        case $line in
            "gone: /sys/fs/cgroup/"*) continue ;;
            "new: /sys/fs/cgroup/"*)
                line=${line#new: }
                [[ -d $line && -z $(find "$line" -name cgroup.procs -exec cat {} + 2>/dev/null) ]] || continue
                line="new: $line" ;;
        esac
        printf '%s\n' "$line"
    done
}

# State directories: in the root that rt uses, and beside the bundle.
clean_state()
{
    local entry
    for entry in "$STATE_ROOT"/* "$STATE_ROOT"/.[sn]*-* ${BUNDLE:+"$BUNDLE"/.ocirun-*}; do
        [[ -e $entry || -L $entry ]] || continue
        LEAKS+=("state: $entry")
        if [[ -x $OCIRUN ]]; then
            timeout 20 "$OCIRUN" --root "$STATE_ROOT" delete --force "${entry##*/}" >/dev/null 2>&1 || true
        fi
        rm -rf --one-file-system "$entry" 2>/dev/null || true
    done
}

# Children of the test's own shell, without making another one.
read_children()
{
    CHILDREN=
    read -r CHILDREN <"/proc/$$/task/$$/children" || true
} 2>/dev/null

# Sets FOUND to the processes of this test: children of the test, those that carry its id in their environment, arguments
# or cgroup, and those whose root directory is below its folder (a container started with an empty environment).
# A process that is older than the test is never ours, whatever it matches.
find_processes()
{
    local pid file files
    FOUND=()
    read_children
    for pid in $CHILDREN; do
        if [[ $CHILDREN_BEFORE != *" $pid "* ]]; then
            add_found "$pid"
        fi
    done
    # -s: processes end while we look. A process with a copy of the host's mounts is not ours by that: only its root counts.
    mapfile -t files < <(exec grep -lsaF -e "$TEST_ID" /proc/[0-9]*/{environ,cmdline,cgroup})
    local looker=$!
    mapfile -t -O ${#files[@]} files < <(exec grep -lsE "^[0-9]+ [0-9]+ [0-9:]+ [^ ]*$BATS_TEST_TMPDIR/[^ ]* / " /proc/[0-9]*/mountinfo)
    for file in "${files[@]}"; do
        pid=${file#/proc/}
        pid=${pid%%/*}
        if [[ " $$ $looker $! ${FOUND[*]} " != *" $pid "* ]]; then
            add_found "$pid"
        fi
    done
}

# Zombies are not counted: they hold nothing.
add_found()
{
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    read -ra stat <<<"${stat##*) }"
    # Fields 3 and 22 of man 5 proc: state and start time, in ticks since boot.
    if [[ ${stat[0]} != [ZX] ]] && ((stat[19] >= TEST_STARTED && $1 > 1)); then
        FOUND+=("$1")
    fi
}

# A process that is on its way out gets a second.
clean_processes()
{
    local pid try words
    [[ $TEST_ID =~ ^t[0-9a-f]{10,}$ && $BATS_TEST_TMPDIR == /*/test/* && $TEST_STARTED -gt 0 ]] || return 1
    for try in {1..10}; do
        find_processes
        ((${#FOUND[@]} > 0)) || return 0
        sleep 0.1
    done
    for pid in "${FOUND[@]}"; do
        mapfile -d '' -t words <"/proc/$pid/cmdline" || continue
        LEAKS+=("process $pid: ${words[*]}")
        disown "$pid" || true  # no word of bash about its death
        kill -KILL "$pid" || true
    done 2>/dev/null
}

# The youngest first: it may be on top of others.
clean_mounts()
{
    local line target i lines
    mapfile -t lines </proc/self/mountinfo
    for ((i = ${#lines[@]} - 1; i >= 0; i--)); do
        line=${lines[i]}
        if [[ $line == *"$TEST_ID"* || $line == *"$BATS_TEST_TMPDIR/"* ]]; then
            LEAKS+=("mount: $line")
            read -r _ _ _ _ target _ <<<"$line"
            umount -l "$(printf '%b' "$target")" 2>/dev/null || true
        fi
    done
}

# Transient units of systemd, by the files that it keeps as long as it knows them. One that is just ending gets a second.
clean_units()
{
    local units try unit
    for try in {1..10}; do
        mapfile -t units < <(compgen -G "/run/systemd/transient/*$TEST_ID*"; compgen -G "/run/user/*/systemd/transient/*$TEST_ID*")
        ((${#units[@]} > 0)) || return 0
        ((try == 10)) || sleep 0.1
    done
    LEAKS+=("${units[@]/#/unit: }")
    for unit in "${units[@]}"; do
        [[ $unit != /run/systemd/* ]] || systemctl kill --signal KILL "${unit##*/}" || true
    done
}

clean_cgroups()
{
    local cgroups try
    for try in {1..5}; do
        mapfile -t cgroups < <(find /sys/fs/cgroup -maxdepth 7 -depth -type d -name "*$TEST_ID*" 2>/dev/null)
        ((${#cgroups[@]} > 0)) || return 0
        ((try == 5)) || sleep 0.1
    done
    LEAKS+=("${cgroups[@]/#/cgroup: }")
    find "${cgroups[@]}" -depth -type d -exec rmdir {} \; 2>/dev/null || true
}
