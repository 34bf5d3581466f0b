#!/usr/bin/env bats
# The root file system and the mounts.

load ../helpers
load box

# mount_in DESTINATION SOURCE [OPTION]...: one more mount; SOURCE is a path, or the type of a file system after a colon.
mount_in()
{
    local destination=$1 source=$2
    shift 2
    # shellcheck disable=SC2016
    jq --arg d "$destination" --arg s "$source" '.mounts += [{destination: $d, options: $ARGS.positional}
        + if $s | startswith(":") then {type: $s[1:], source: $s[1:]} else {type: "bind", source: $s} end]' config.json --args -- "$@" >config.json.new &&
        mv config.json.new config.json
}

# options_of DESTINATION: those of its mount in $output, which is a /proc/self/mountinfo: of the mount, then of the file system.
options_of() { sed -nE "s|^[0-9]+ [0-9]+ [0-9:]+ [^ ]+ $1 ([^ ]+) .*- [^ ]+ [^ ]+ ([^ ]+)\$|\1 \2|p" <<<"$output" | tail -1; }
has_option() { [[ ,$(options_of "$1" | tr ' ' ,), == *",$2,"* ]] || { echo "$1: no $2 in '$(options_of "$1")'"; return 1; }; }
has_no_option() { [[ ,$(options_of "$1" | tr ' ' ,), != *",$2,"* ]] || { echo "$1: $2 in '$(options_of "$1")'"; return 1; }; }

user_namespace='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
    | .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | del(.linux.resources)'
map_rootfs() { own_rootfs && chown -R --no-dereference 100000:200000 rootfs; }

# ---------------------------------------------------------------- root

@test "root: a path from the bundle, an absolute one, and the bundle itself" {
    requires root
    cfg '.root.path = "./rootfs/../rootfs"'
    box ls /bin/busybox
    cfg --arg p "$PWD/rootfs" '.root.path = $p'
    box ls /bin/busybox
    cp config.json rootfs/ && cd rootfs
    cfg '.root = {path: "."}'
    box ls /bin/busybox
}

@test "root: one that is missing is named by its whole path, with its place" {
    requires root
    cfg '.root.path = "nowhere"'
    refused "oci-init: /root/path: cannot open the root file system '$PWD/nowhere': No such file or directory"
    cfg '.root.path = "config.json"'
    refused "oci-init: /root/path: cannot open the root file system '$PWD/config.json': Not a directory"
    cfg 'del(.root)'
    refused "oci-init: /root: there is no root file system: the plan has no 'init.root' line"
}

@test "root: readonly refuses writes, also in a user namespace, and leaves /dev as config.json says" {
    requires root
    box sh -c 'touch /x; touch /dev/x; true'
    [[ $stderr == "touch: /x: Read-only file system" ]]
    cfg '.root.readonly = false'
    box touch /x && rm rootfs/x
    map_rootfs
    cfg "$user_namespace"' | .root.readonly = true | .mounts |= map(if .destination == "/dev" then .options += ["ro"] else . end)'
    box sh -c 'touch /x; touch /dev/x; cat /proc/self/mountinfo'
    [[ $stderr == $'touch: /x: Read-only file system\ntouch: /dev/x: Read-only file system' ]]
    has_option /dev nosuid
}

@test "no mount is left on the host, and none of the host's is in the container" {
    requires root
    mkdir volume
    mount_in /volume volume rbind rshared
    mount_in /volume/inner :tmpfs
    box cut -d ' ' -f 5 /proc/self/mountinfo
    [[ $output == *$'\n/volume/inner'* && $output != *"$BATS_TEST_TMPDIR"* ]]
    refute grep -q "$BUNDLE" /proc/self/mountinfo
}

@test "--no-pivot: the root is moved, the host's proc and sys are out of reach" {
    requires root
    args sh -c 'ls /bin/busybox; cut -d " " -f 5 /proc/self/mountinfo'
    run -0 rt run --no-pivot "$TEST_ID"
    [[ $output == /bin/busybox$'\n'* && $output != *"$BATS_TEST_TMPDIR"* ]]
    refute grep -q "$BUNDLE" /proc/self/mountinfo
}

# ---------------------------------------------------------------- kinds, destinations, sources

@test "kinds: proc, sysfs, tmpfs, devpts, mqueue, shm, cgroup, overlay and bind" {
    requires root
    mkdir -p lower upper work && touch lower/file
    cfg --arg d "$PWD" '.mounts += [{destination: "/merged", type: "overlay", source: "overlay", options: ["lowerdir=" + $d + "/lower", "upperdir=" + $d + "/upper", "workdir=" + $d + "/work"]}]'
    mount_in /bound lower bind ro
    box sh -c 'cat /proc/self/mounts; ls /merged/file /bound/file; touch /merged/new'
    for kind in "proc /proc proc" "tmpfs /dev tmpfs" "devpts /dev/pts devpts" "shm /dev/shm tmpfs" "mqueue /dev/mqueue mqueue" "sysfs /sys sysfs" "overlay /merged overlay"; do
        [[ $'\n'$output == *$'\n'"$kind "* ]]
    done
    [[ $output == *$'\n/bound/file\n/merged/file'* && -e upper/new ]]
    mount_in /x :nosuchfs
    refused /mounts/9 "cannot mount a 'nosuchfs' on '/x': this kernel has no such file system"
}

@test "cgroup: the container's own, read-only, and writable when that is asked for" {
    requires root
    box sh -c 'cat /proc/self/mountinfo; find /sys/fs/cgroup -name cgroup.procs -maxdepth 2 | head -1 | xargs head -1; mkdir "$(dirname "$(find /sys/fs/cgroup -name cgroup.procs -maxdepth 2 | head -1)")/sub"; true'
    # Process ids as the container counts: nobody else is in the cgroup that it sees.
    [[ $output == *$'\n1' && $stderr == *"Read-only file system"* ]]
    [[ $(grep -c ' /sys/fs/cgroup.* cgroup2* ' <<<"$output") -ge 1 ]]
    refute grep -qE ' /sys/fs/cgroup[^ ]* rw,' <<<"$output"
    cfg '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
    box sh -c 'cd "$(dirname "$(find /sys/fs/cgroup -name cgroup.procs -maxdepth 2 | head -1)")" && mkdir sub && rmdir sub && echo made'
    [[ $output == made ]]
}

@test "cgroup without a cgroup namespace shows the container's own, too" {
    requires root
    cfg '.linux.namespaces |= map(select(.type != "cgroup"))'
    box sh -c 'find /sys/fs/cgroup -name cgroup.procs -maxdepth 2 | head -1 | xargs head -1'
    [[ $output == 1 ]]
}

@test "destinations: made as directory or file, relative ones, through links and dangling links, on files" {
    requires root
    own_rootfs
    mkdir source && echo content >source/file
    ln -s /etc rootfs/link && ln -s ../../../../made/by/link rootfs/dangling
    mount_in /new/dir source bind
    mount_in new/file source/file bind
    mount_in /link/passwd source/file bind
    mount_in /dangling/x source bind
    box sh -c 'cat /new/dir/file /new/file /etc/passwd /made/by/link/x/file'
    [[ $output == $'content\ncontent\ncontent\ncontent' && -d rootfs/made/by/link/x && ! -e ../made ]]
}

@test "sources: from the bundle, absolute, links, files, on an earlier mount, in order" {
    requires root
    mkdir real && echo content >real/file && ln -s real link && ln -s real/file file_link
    mount_in /a "$PWD/link" bind
    mount_in /b file_link bind
    mount_in /c rootfs/a bind
    mount_in /a :tmpfs
    box sh -c 'ls -A /a | wc -l; cat /b /c/file'
    [[ $output == $'0\ncontent\ncontent' ]]
    mount_in /d nowhere bind
    refused /mounts/11 "cannot bind 'nowhere': No such file or directory"
}

@test "sources that the user namespace's root cannot reach are bound all the same" {
    requires root
    map_rootfs
    mkdir -p hidden/source && echo content | tee hidden/file >hidden/source/file && chmod 700 hidden
    cfg "$user_namespace"
    mount_in /a hidden/source rbind ro nosuid
    mount_in /b "$PWD/hidden/file" bind
    box sh -c 'cat /a/file /b /proc/self/mountinfo; ls /proc/self/fd; touch /a/x; true'
    [[ $output == $'content\ncontent\n'*$'\n0\n1\n2\n3' ]]
    has_option /a ro && has_option /a nosuid && has_no_option /b ro
    [[ $(grep ' /a ' <<<"$output") != *" shared:"* && $stderr == *"Read-only file system"* ]]
}

@test "dest-nofollow, src-nofollow and copy-symlink" {
    requires root
    own_rootfs
    mkdir source && echo content >source/file && ln -s source/file link && ln -s nowhere rootfs/place && ln -s /tmp rootfs/dir_link
    mount_in /place link bind src-nofollow dest-nofollow
    mount_in /copied link bind copy-symlink
    box sh -c 'readlink /place; readlink /copied'
    [[ $output == $'source/file\nsource/file' ]]
    cfg 'del(.mounts[7, 8])'
    mount_in /dir_link/x source bind dest-nofollow
    box cat /tmp/x/file
    cfg 'del(.mounts[7])'
    mount_in /dir_link source bind dest-nofollow
    refused /mounts/7 "/dir_link"
}

# ---------------------------------------------------------------- options

@test "options: each flag of a mount is set and cleared, on a new file system and on a bind" {
    requires root
    local pair on off
    mkdir source
    for pair in ro:rw nosuid:suid nodev:dev noexec:exec noatime:atime nodiratime:diratime nosymfollow:symfollow; do
        on=${pair%:*} off=${pair#*:}
        mount_in "/new-$on" :tmpfs "$on"
        mount_in "/new-$off" :tmpfs "$on" "$off"
        mount_in "/bind-$on" source bind "$on"
        mount_in "/bind-$off" "rootfs/bind-$on" bind "$off"
        mount_in "/kept-$on" "rootfs/bind-$on" bind
    done
    box cat /proc/self/mountinfo
    for pair in ro:rw nosuid:suid nodev:dev noexec:exec noatime:atime nodiratime:diratime nosymfollow:symfollow; do
        on=${pair%:*} off=${pair#*:}
        has_option "/new-$on" "$on" && has_option "/bind-$on" "$on" && has_option "/kept-$on" "$on"
        has_no_option "/new-$off" "$on" && has_no_option "/bind-$off" "$on"
    done
}

@test "options: times of access: relatime, norelatime, strictatime, nostrictatime, noatime; the last word wins" {
    requires root
    mkdir source
    mount_in /strict source bind strictatime
    mount_in /relative rootfs/strict bind relatime
    mount_in /not-strict rootfs/strict bind nostrictatime
    mount_in /not-relative source bind norelatime
    mount_in /none rootfs/strict bind relatime noatime
    mount_in /last rootfs/none bind noatime strictatime
    mount_in /new :tmpfs strictatime
    box cat /proc/self/mountinfo
    has_option /relative relatime && has_option /not-strict relatime && has_option /none noatime
    for place in /strict /not-relative /last /new; do
        has_no_option "$place" relatime && has_no_option "$place" noatime
    done
}

@test "options: those of a whole file system: sync, dirsync, lazytime, and their opposites; silent, loud, mand, iversion, defaults" {
    requires root
    mount_in /sync :tmpfs sync dirsync lazytime
    mount_in /async :tmpfs sync async lazytime nolazytime
    mount_in /words :tmpfs defaults silent loud nomand noiversion size=4k
    mount_in /silent :tmpfs silent
    box cat /proc/self/mountinfo
    has_option /sync sync && has_option /sync dirsync && has_option /sync lazytime
    has_no_option /async sync && has_no_option /async lazytime
    has_option /words size=4k && has_option /silent rw
}

@test "options: silent and iversion reach the kernel, which has no other word for them" {
    requires root strace
    mount_in /flags :tmpfs silent iversion
    args true
    strace -f -o trace -e trace=mount "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID"
    grep -E 'mount\("tmpfs", "self/fd/[0-9]+", "tmpfs", [^)]*(MS_SILENT|0x8000)[^)]*' trace
    grep -E 'mount\("tmpfs", "self/fd/[0-9]+", "tmpfs", [^)]*MS_I_VERSION' trace
}

@test "options: the words for a file system are passed to it, and are errors on a bind" {
    requires root
    mount_in /data :tmpfs size=8k,nr_inodes=7 mode=0711 uid=3
    box sh -c 'cat /proc/self/mountinfo; stat -c "%a %u" /data'
    has_option /data size=8k && has_option /data nr_inodes=7
    [[ ${lines[-1]} == "711 3" ]]
    mount_in /x rootfs bind size=8k
    refused /mounts/8 "a bind mount takes no option 'size=8k' for a file system"
    cfg '.mounts[8].options = ["bind", "acl"]'
    refused /mounts/8 "a bind mount takes no option 'acl' for a file system"
    cfg '.mounts[8] = {destination: "/x", type: "tmpfs", source: "tmpfs", options: ["noacl"]}'
    refused /mounts/8 "cannot mount a 'tmpfs' on '/x': tmpfs: Unknown parameter 'noacl'"
}

@test "options: remount changes a mount that is there" {
    requires root
    mount_in /x :tmpfs
    mount_in /x :tmpfs remount ro noexec
    box cat /proc/self/mountinfo
    has_option /x ro && has_option /x noexec
}

@test "options: with an r in front they reach the mounts below, and bind takes only the top, rbind all" {
    requires root
    local word
    mount_in /tree :tmpfs
    mount_in /tree/sub :tmpfs
    mount_in /top rootfs/tree bind
    for word in ro nosuid nodev noexec noatime nodiratime nosymfollow; do
        mount_in "/r$word" rootfs/tree rbind "r$word"
        mount_in "/plain-$word" rootfs/tree rbind "$word"
    done
    mount_in /rstrictatime rootfs/tree rbind rstrictatime
    mount_in /off rootfs/rro rbind rrw
    mount_in /all rootfs/tree rbind rro rnosuid rnodev rnoexec rnosymfollow rnodiratime rnoatime
    mount_in /back rootfs/all rbind rrw rsuid rdev rexec rsymfollow rdiratime ratime
    mount_in /nothing rootfs/tree rbind rsync rasync rdirsync rmand rnomand rrelatime rnorelatime rnostrictatime
    box cat /proc/self/mountinfo
    [[ -z $(options_of /top/sub) && -n $(options_of /rro/sub) ]]
    for word in ro nosuid nodev noexec noatime nodiratime nosymfollow; do
        has_option "/r$word" "$word" && has_option "/r$word/sub" "$word"
        has_option "/plain-$word" "$word" && has_no_option "/plain-$word/sub" "$word"
        has_option "/all/sub" "$word" && has_no_option "/back/sub" "$word" && has_no_option /nothing/sub "$word"
    done
    has_no_option /off/sub ro && has_no_option /rstrictatime/sub relatime && has_option /nothing/sub relatime
}

@test "options: propagation words are those of the mount, the r-forms of all below" {
    requires root
    local word
    mount_in /tree :tmpfs
    mount_in /tree/sub :tmpfs
    for word in private shared slave unbindable; do
        mount_in "/$word" rootfs/tree rbind rshared "$word"
        mount_in "/r$word" rootfs/tree rbind rshared "r$word"
    done
    box cat /proc/self/mountinfo
    line() { grep " $1 " <<<"$output"; }
    [[ $(line /shared) == *" shared:"* && $(line /rshared/sub) == *" shared:"* ]]
    [[ $(line /private) != *" shared:"* && $(line /private/sub) == *" shared:"* && $(line /rprivate/sub) != *" shared:"* ]]
    [[ $(line /slave) != *" shared:"* && $(line /slave/sub) == *" shared:"* && $(line /rslave/sub) != *" shared:"* ]]
    [[ $(line /unbindable) == *" unbindable "* && $(line /unbindable/sub) != *" unbindable "* && $(line /runbindable/sub) == *" unbindable "* ]]
}

@test "options: nosymfollow keeps links from being followed" {
    requires root
    mkdir source && echo content >source/file && ln -s file source/link
    mount_in /x source bind nosymfollow
    args sh -c 'cat /x/file; cat /x/link'
    run -1 rt run "$TEST_ID"
    [[ $output == $'content\n'*"Too many levels of symbolic links"* ]]
}

@test "options: tmpcopyup, and the mode of the directory that a tmpfs covers" {
    requires root
    own_rootfs
    mkdir -p rootfs/data/sub && echo deep >rootfs/data/sub/file && ln -s sub/file rootfs/data/link && chown 7:8 rootfs/data/sub/file
    mkdir -m 1710 rootfs/sticky
    mount_in /data :tmpfs tmpcopyup
    mount_in /sticky :tmpfs
    box sh -c 'cat /data/link; stat -c "%u %g" /data/sub/file; stat -c %a /sticky; echo new >/data/new'
    [[ $output == $'deep\n7 8\n1710' && ! -e rootfs/data/new ]]
}

# ---------------------------------------------------------------- id-mapped mounts

@test "idmap: the mapping of the mount makes other owners of its files, both ways" {
    requires root kernel-5.12
    mkdir source && touch source/file && chown 7:8 source/file && chmod 777 source
    mount_in /x source bind idmap
    cfg '.mounts[7] += {uidMappings: [{containerID: 0, hostID: 1000, size: 100}], gidMappings: [{containerID: 0, hostID: 2000, size: 100}]}
        | .process.user = {uid: 1020, gid: 2030}'
    box sh -c 'stat -c "%u %g" /x/file; touch /x/new'
    [[ $output == "1007 2008" && $(stat -c '%u %g' source/new) == "20 30" ]]
    # The mapping alone means it, too.
    cfg '.mounts[7].options = ["bind"]'
    box stat -c '%u %g' /x/file
    [[ $output == "1007 2008" ]]
}

@test "idmap: without a mapping it is that of the container's user namespace" {
    requires root kernel-5.12
    map_rootfs
    mkdir source && touch source/file && chown 7:8 source/file && chmod 777 source
    cfg "$user_namespace"
    mount_in /x source bind idmap ro
    mount_in /y source bind
    box sh -c 'stat -c "%u %g" /x/file /y/file; cat /proc/self/mountinfo'
    [[ ${lines[0]} == "7 8" && ${lines[1]} == "65534 65534" ]]
    has_option /x ro
}

@test "idmap: of a user namespace that is joined" {
    requires root kernel-5.12
    map_rootfs
    mkdir source && touch source/file && chown 7:8 source/file
    oci-ns new --user --map-user 0:100000:65536 --map-group 0:200000:65536 -- sleep 1000 3>&- &
    local holder=$!
    wait_until pgrep -P "$holder" sleep >/dev/null
    cfg --arg p "/proc/$(pgrep -P "$holder")/ns/user" '.linux.namespaces += [{type: "user", path: $p}] | del(.linux.resources)'
    mount_in /x source bind idmap
    box stat -c '%u %g' /x/file
    [[ $output == "7 8" ]]
    kill "$holder"
    wait "$holder" || true
}

@test "idmap: as an option with its own mapping, also counted from the container's" {
    requires root kernel-5.12
    map_rootfs
    mkdir source && touch source/file && chown 7:8 source/file
    cfg "$user_namespace"
    mount_in /x source bind 'idmap=uids=0-100500-10;gids=0-200600-5#5-200700-10'
    mount_in /y source bind 'idmap=uids=@0-500-10;gids=@0-600-10'
    box stat -c '%u %g' /x/file /y/file
    [[ $output == $'507 703\n507 608' ]]
}

@test "idmap takes the top of an rbind alone, ridmap all below" {
    requires root kernel-6.3
    mkdir -p source/sub && touch source/file && chown 7 source/file
    mount -t tmpfs "$TEST_ID" source/sub && touch source/sub/file && chown 7 source/sub/file
    mount_in /one source rbind idmap
    mount_in /all source rbind ridmap
    cfg '.mounts[7, 8] += {uidMappings: [{containerID: 0, hostID: 1000, size: 100}], gidMappings: [{containerID: 0, hostID: 1000, size: 100}]}'
    box stat -c '%u' /one/file /one/sub/file /all/file /all/sub/file
    umount source/sub
    [[ $output == $'1007\n7\n1007\n1007' ]]
}

@test "idmap: a file system that cannot do it is an error with the place, and no process is left" {
    requires root kernel-5.12
    mount_in /x /proc bind idmap
    cfg '.mounts[7] += {uidMappings: [{containerID: 0, hostID: 1000, size: 100}], gidMappings: [{containerID: 0, hostID: 1000, size: 100}]}'
    refused /mounts/7 "cannot map the ids of '/proc'"
}
