#!/usr/bin/env bats
# Devices, links, hidden paths, and a root file system that fights back.
load ../helpers
load init

setup() { ocirun_setup; make_bundle; }

@test "the default devices and links are there, with exact modes whatever the umask" {
    requires root
    umask 077
    inside stat -c '%n %F %a %t:%T %u:%g' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
    [[ $output == "/dev/null character special file 666 1:3 0:0
/dev/zero character special file 666 1:5 0:0
/dev/full character special file 666 1:7 0:0
/dev/random character special file 666 1:8 0:0
/dev/urandom character special file 666 1:9 0:0
/dev/tty character special file 666 5:0 0:0" ]]
    inside sh -c 'for n in fd stdin stdout stderr core ptmx; do readlink /dev/$n; done'
    [[ $output == $'/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n/proc/kcore\npts/ptmx' ]]
}

@test "devices of the plan get their numbers, mode and owner; a fifo too; directories are made" {
    requires root
    cfg '.linux.devices = [{path: "/dev/net/tun", type: "c", major: 10, minor: 200, fileMode: 432, uid: 3, gid: 4},
                           {path: "/run/pipe", type: "p", fileMode: 384}, {path: "/dev/blk", type: "b", major: 7, minor: 300, fileMode: 438}]'
    inside stat -c '%n %F %a %t:%T %u:%g' /dev/net/tun /run/pipe /dev/blk
    [[ $output == "/dev/net/tun character special file 660 a:c8 3:4
/run/pipe fifo 600 0:0 0:0
/dev/blk block special file 666 7:12c 0:0" ]]
}

@test "a node that is there already is taken when it is the right one, and refused when it is another" {
    requires root
    cfg '.mounts |= map(select(.destination != "/dev" and (.destination | startswith("/dev/") | not)))'
    mknod rootfs/dev/null c 1 3
    inside stat -c '%t:%T' /dev/null
    [[ $output == 1:3 ]]
    rm rootfs/dev/null && mknod rootfs/dev/null c 1 5
    refused "oci-init: cannot make the device '/dev/null': something else has its name: File exists"
    rm rootfs/dev/null && ln -s zero rootfs/dev/null
    refused "oci-init: cannot make the device '/dev/null': something else has its name: File exists"
}

@test "masked files read as empty and are the null device, masked directories are empty and refuse writes" {
    requires root
    mkdir rootfs/secret && echo x >rootfs/secret/file && echo y >rootfs/hidden
    cfg '.linux.maskedPaths += ["/secret", "/hidden", "/missing", "/hidden", "/etc"] | .root.readonly = false'
    inside -1 sh -c 'stat -c "%F %t:%T" /hidden /proc/keys; ls -A /secret /etc; cat /hidden; touch /secret/x; touch /etc/x'
    [[ $output == $'character special file 1:3\ncharacter special file 1:3\n/etc:\n\n/secret:' ]]
    [[ $stderr == *"/secret/x: Read-only file system"* && $stderr == *"/etc/x: Read-only file system"* ]]
    [[ $(cat rootfs/hidden) == y ]]
}

@test "no masked file leads to the owner and mode of the host's null device" {
    requires root
    mkdir rootfs/dir && echo y >rootfs/first && echo y >rootfs/second
    cfg '.linux.maskedPaths = ["/first", "/second", "/proc/keys", "/dir"]
         | .process.capabilities |= map_values(["CAP_FOWNER", "CAP_CHOWN", "CAP_DAC_OVERRIDE"])'
    local before path
    before=$(stat -c '%a %u:%g' /dev/null)
    for path in /first /second /proc/keys; do
        inside -1 chmod 667 "$path"
        [[ $stderr == *"Read-only file system"* ]]
        inside -1 chown 7 "$path"
        [[ $stderr == *"Read-only file system"* ]]
    done
    [[ $(stat -c '%a %u:%g' /dev/null) == "$before" ]]
    inside sh -c 'echo gone >/first && cat /first'
    [[ $output == "" ]]
}

@test "read-only paths refuse writes and keep the flags of their mount; the root keeps its flags too" {
    requires root
    mkdir rootfs/open rootfs/closed
    cfg '.linux.readonlyPaths += ["/closed", "/t", "/missing"] | .root.readonly = false
         | .mounts += [{destination: "/t", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec"]}]'
    inside -1 sh -c 'touch /open/x && echo written; grep " /t " /proc/self/mounts | tail -1; touch /t/x; touch /closed/x'
    [[ ${lines[0]} == written && ${lines[1]} == "tmpfs /t tmpfs ro,nosuid,noexec,relatime"* ]]
    [[ $stderr == *"/t/x: Read-only file system"* && $stderr == *"/closed/x: Read-only file system"* ]]
}

@test "a read-only root refuses writes, a writable one does not" {
    requires root
    inside -1 touch /x
    [[ $stderr == *"Read-only file system"* ]]
    cfg '.root.readonly = false'
    inside touch /x
    [[ -e rootfs/x ]]
}

@test "the default masked and read-only paths hold" {
    requires root
    cfg '.process.capabilities.bounding += ["CAP_SYS_ADMIN"]'
    local path
    for path in $(jq -r '.linux.maskedPaths[]' config.json); do
        inside sh -c "[ ! -e $path ] || [ \"\$(stat -c '%F %t:%T' $path)\" = 'character special file 1:3' ] || { [ -d $path ] && [ -z \"\$(ls -A $path)\" ] && ! touch $path/x; }"
    done
    inside -1 sh -c 'echo x >/proc/sys/kernel/core_pattern'
    inside -1 sh -c 'echo b >/proc/sysrq-trigger'
}

@test "--no-pivot moves the root and hides the host's procfs and sysfs" {
    requires root
    make_plan
    sed -i 's/^end$/init.no-pivot\t-\nend/' "$PLAN"
    args sh -c "ls /; ls /proc/1/ns/mnt"
    oci-spec plan <config.json | sed 's/^end$/init.no-pivot\t-\nend/' >plan
    run -0 oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<plan
    [[ $output == *bin*/proc/1/ns/mnt* ]]
    cfg '.linux.rootfsPropagation = "private"'
    oci-spec plan <config.json 2>/dev/null | sed 's/^end$/init.no-pivot\t-\nend/' >plan || skip "oci-spec refuses it first"
    run -125 --separate-stderr oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<plan
    [[ $stderr == *"a private root cannot be had without pivot_root"* ]]
}

@test "--bundle is where relative paths start" {
    requires root
    make_plan
    mkdir source && touch source/marker
    cfg '.mounts += [{destination: "/x", type: "bind", source: "source", options: ["bind"]}]'
    args ls /x
    make_plan
    cd /
    run -0 oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 --bundle "$BUNDLE" 5<"$PLAN"
    [[ $output == marker ]]
}

# ---------------------------------------------------------------- attacks

@test "CVE-2019-19921, CVE-2023-27561: a link at /proc or /sys is refused, with and without a volume at its target" {
    requires root
    decoy
    local name target
    for name in proc sys; do
        for target in /tmp "$DECOY" ../../decoy; do
            rmdir rootfs/$name 2>/dev/null || rm rootfs/$name
            ln -s "$target" rootfs/$name
            refused "oci-init: /mounts/*: filesystem '$name*' must be mounted on ordinary directory; '/$name' is none"
        done
        cfg '.mounts = [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}] + .mounts'
        refused "oci-init: /mounts/*: filesystem '$name*' must be mounted on ordinary directory; '/$name' is none"
        cfg '.mounts |= .[1:]'
        rm rootfs/$name && mkdir rootfs/$name
    done
    decoy_is_untouched
}

@test "CVE-2021-30465: destinations through links land inside the root" {
    requires root
    decoy
    mkdir source && touch source/marker
    ln -s "$DECOY/sub" rootfs/absolute && ln -s ../../../../../../../../"$DECOY/sub" rootfs/relative && ln -s /elsewhere/dir rootfs/dangling
    cfg '.mounts += [{destination: "/absolute", type: "bind", source: "source", options: ["bind"]},
                     {destination: "/relative/x", type: "tmpfs", source: "tmpfs"},
                     {destination: "/../../dangling/y", type: "bind", source: "source", options: ["bind"]}] | .root.readonly = false'
    inside sh -c "ls $DECOY/sub /elsewhere/dir/y; cat /proc/self/mounts"
    [[ $output == *"marker"*"marker"*" $DECOY/sub "*" $DECOY/sub/x tmpfs"*" /elsewhere/dir/y "* ]]
    decoy_is_untouched
}

@test "CVE-2015-3629: links that a former run has left are not followed on the second start" {
    requires root
    decoy
    own_rootfs
    mkdir source rootfs/volume
    cfg '.mounts += [{destination: "/volume/a", type: "bind", source: "source", options: ["bind"]}] | .root.readonly = false
         | .process.capabilities.bounding += ["CAP_DAC_OVERRIDE"]'
    inside sh -c "rm -rf /home /etc; ln -s $DECOY /home; ln -s $DECOY /etc"
    rm -rf rootfs/volume && ln -s "$DECOY" rootfs/volume
    inside true
    decoy_is_untouched
}

@test "CVE-2025-31133: the container's own /dev/null masks nothing" {
    requires root
    cfg '.mounts |= map(select(.destination != "/dev" and (.destination | startswith("/dev/") | not)))'
    ln -s /proc/sys/kernel/core_pattern rootfs/dev/null
    before=$(cat /proc/sys/kernel/core_pattern)
    refused "oci-init: cannot make the device '/dev/null': something else has its name: File exists"
    oci-spec plan <config.json | grep -v '^init.device' >plan
    args stat -c '%F %t:%T' /proc/keys
    oci-spec plan <config.json | grep -v '^init.device' >plan
    # Nor does it take the place of the caller's.
    run -125 oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<plan </dev/null
    [[ $output == *"descriptor 0 is the host's null device, and the container has none of its own"* ]]
    run -0 oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<plan <config.json
    [[ $output == "character special file 1:3" && $before == "$(cat /proc/sys/kernel/core_pattern)" ]]
}

@test "CVE-2026-41579: a /dev that is a link gets neither nodes nor links at its other end" {
    requires root
    decoy
    cfg '.mounts |= map(select(.destination != "/dev" and (.destination | startswith("/dev/") | not)))'
    local target
    for target in "$DECOY" ../../decoy; do
        rmdir rootfs/dev 2>/dev/null || rm rootfs/dev
        ln -s "$target" rootfs/dev
        refused "oci-init: '/dev' must be a directory, not a link"
    done
    decoy_is_untouched
}

@test "CVE-2015-3627: links at /dev/console, /etc/passwd and the working directory lead nowhere outside" {
    requires root
    decoy
    rm rootfs/etc/passwd && ln -s "$DECOY/file" rootfs/etc/passwd && ln -s "$DECOY/sub" rootfs/work
    cfg '.process.cwd = "/work/new" | .root.readonly = false'
    # shellcheck disable=SC2016
    inside sh -c 'pwd; echo $HOME'
    [[ $output == "$DECOY/sub/new"$'\n/' ]]
    [[ -d rootfs/$DECOY/sub/new ]]
    decoy_is_untouched
}

@test "an /etc/passwd that is a fifo or a device stops nothing" {
    requires root
    rm rootfs/etc/passwd && mkfifo rootfs/etc/passwd
    # shellcheck disable=SC2016
    inside sh -c 'echo $HOME'
    [[ $output == / ]]
}

@test "CVE-2024-21626: a working directory by way of a descriptor is refused, and no descriptor is there to use" {
    requires root
    local path
    for path in /proc/self/fd/9 /proc/1/fd/9 /proc/self/fd/9/etc /proc/self/cwd /proc/thread-self/root/etc; do
        cfg --arg p "$path" '.process.cwd = $p'
        args pwd
        make_plan
        run -125 --separate-stderr oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN" 9</
        [[ $stderr == "oci-init: /process/cwd: working directory: cannot open the directory '$path': "* ]]
    done
    local fd
    for ((fd = 6; fd < 64; fd++)); do
        cfg --arg p "/proc/self/fd/$fd" '.process.cwd = $p'
        make_plan
        run -125 --separate-stderr oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN"
    done
    ln -s /proc/self/fd/9 rootfs/w
    cfg '.process.cwd = "/w"'
    make_plan
    run -125 --separate-stderr oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN" 9</
    cfg '.process.cwd = "/"'
    args sh -c 'ls /proc/self/fd'
    make_plan
    run -0 oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN" 9</ 10</etc
    # ls has its own open directory as descriptor 3.
    [[ $output == $'0\n1\n2\n3' ]]
}

@test "CVE-2015-3630, CVE-2019-16884: only a few files of /proc may be covered, and /proc is a procfs" {
    requires root
    mkdir -p fake/self/attr && touch fake/self/attr/exec file
    local destination
    for destination in /proc/self/attr /proc/sys /proc/1 /proc/../proc/sys /proc/./acpi; do
        cfg --arg d "$destination" '.mounts[7] = {destination: $d, type: "bind", source: "fake", options: ["bind"]}'
        refused "oci-init: /mounts/7: cannot mount on '$destination': only a few files of /proc may be covered"
    done
    ln -s /proc/sys rootfs/innocent
    cfg '.mounts[7] = {destination: "/innocent", type: "bind", source: "fake", options: ["bind"]}'
    refused "oci-init: /mounts/7: cannot mount on '/innocent': it leads into /proc, of which only a few files may be covered"
    cfg '.mounts[7] = {destination: "/proc", type: "bind", source: "fake", options: ["bind"]}'
    refused "oci-init: /mounts/7: cannot bind 'fake' on '/proc': /proc must be a procfs"
    cfg '.mounts[7] = {destination: "/proc", type: "tmpfs", source: "tmpfs"}'
    refused "oci-init: /mounts/7: cannot mount on '/proc': /proc must be a procfs"
    [[ ! -s fake/self/attr/exec ]]
    echo covered >file
    cfg '.mounts[7] = {destination: "/proc/meminfo", type: "bind", source: "file", options: ["bind"]}'
    inside cat /proc/meminfo
    [[ $output == covered ]]
    cfg '.mounts[7] = {destination: "/", type: "bind", source: "fake", options: ["bind"]}'
    refused "oci-init: /mounts/7: cannot mount on '/': it is the root of the container"
}

@test "CVE-2019-14271: nothing is loaded from the container's libraries" {
    requires root strace plain_build
    mkdir -p rootfs/lib rootfs/lib64 rootfs/usr/lib
    touch rootfs/lib/libnss_files.so.2 rootfs/lib/libc.so.6
    make_plan
    strace -f -e trace=openat,openat2,open -o trace oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN"
    sed -i -n '/oci-init/,$p' trace
    refute grep -E '\.so|nsswitch|ld\.so|locale|gconv' trace
    refute grep NEEDED <(readelf -d "$OCIRUN_BUILD/oci-init")
    refute grep INTERP <(readelf -l "$OCIRUN_BUILD/oci-init")
}

@test "the link attacks fail the same way without openat2" {
    requires root
    decoy
    mkdir source
    ln -s "$DECOY/sub" rootfs/absolute && ln -s ../../../../../../../../"$DECOY" rootfs/relative
    ln -s /proc/self/cwd rootfs/magic
    cfg '.mounts += [{destination: "/absolute/new", type: "bind", source: "source", options: ["bind"]},
                     {destination: "/relative/file", type: "tmpfs", source: "tmpfs"}] | .root.readonly = false'
    make_plan
    run -0 --separate-stderr oci-ns new --plan-fd 5 -- deny-syscall openat2 -- oci-init run --plan-fd 5 5<"$PLAN"
    decoy_is_untouched
    cfg '.process.cwd = "/magic/x"'
    make_plan
    run -125 --separate-stderr oci-ns new --plan-fd 5 -- deny-syscall openat2 -- oci-init run --plan-fd 5 5<"$PLAN"
    [[ $stderr == *"Too many levels of symbolic links" ]]
    rm rootfs/proc -r && ln -s "$DECOY" rootfs/proc
    run -125 --separate-stderr oci-ns new --plan-fd 5 -- deny-syscall openat2 -- oci-init run --plan-fd 5 5<"$PLAN"
    [[ $stderr == *"must be mounted on ordinary directory"* ]]
    decoy_is_untouched
}

@test "CVE-2021-30465, CVE-2024-45310: somebody who exchanges directories for links all the time gets nothing outside" {
    requires root
    decoy
    mkdir -p rootfs/volume/real source && ln -s "$DECOY" rootfs/volume/evil
    ln -s ../../../../../../../../../../../"$DECOY" rootfs/volume/evil2
    cfg '.mounts += [{destination: "/volume/real/a/b", type: "tmpfs", source: "tmpfs"},
                     {destination: "/volume/real/file", type: "bind", source: "config.json", options: ["bind"]},
                     {destination: "/volume/real/a/c/d", type: "bind", source: "source", options: ["bind"]}]
         | .process.cwd = "/volume/real/cwd" | .linux.devices = [{path: "/volume/real/node", type: "c", major: 1, minor: 3}]'
    args true
    make_plan
    exchange rootfs/volume/real rootfs/volume/evil rootfs/volume/evil2 3>&- &
    local racer=$! try made=0 without
    for ((try = 0; try < 60; try++)); do
        without=
        ((try % 2 == 0)) || without="deny-syscall openat2 --"
        # shellcheck disable=SC2086
        run --separate-stderr oci-ns new --plan-fd 5 -- $without oci-init run --plan-fd 5 5<"$PLAN"
        if ((status == 0)); then
            made=$((made + 1))
        fi
        ((status == 0 || status == 125)) || { echo "status $status: $stderr"; break; }
    done
    kill "$racer"
    wait "$racer" || true
    echo "$made of $try were made"
    ((try == 60))
    decoy_is_untouched
}
