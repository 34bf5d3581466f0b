#!/usr/bin/env bats
# The mounts that oci-init makes.
load ../helpers
load init

setup() { ocirun_setup; make_bundle; }

# mount_line DESTINATION: the line of /proc/self/mounts inside, from $output; the last one wins.
mount_line() { grep " $1 " <<<"$output" | tail -1; }

# add_mount JSON: one more mount in config.json.
add_mount() { cfg --argjson m "$1" '.mounts += [$m]'; }

@test "the default mounts are there, with their types and options" {
    requires root
    inside cat /proc/self/mounts
    [[ $(mount_line /) == *" ro,"* ]]
    [[ $(mount_line /proc) == "proc /proc proc rw,relatime "* ]]
    [[ $(mount_line /dev) == "tmpfs /dev tmpfs rw,nosuid,size=65536k,mode=755"* ]]
    [[ $(mount_line /dev/pts) == "devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666"* ]]
    [[ $(mount_line /dev/shm) == "shm /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k"* ]]
    [[ $(mount_line /dev/mqueue) == "mqueue /dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime"* ]]
    [[ $(mount_line /sys) == "sysfs /sys sysfs ro,nosuid,nodev,noexec,relatime"* ]]
    [[ $(mount_line /sys/fs/cgroup) == *" ro,nosuid,nodev,noexec"* ]]
}

@test "nothing of the host's mounts is left, and none of ours reaches the host" {
    requires root
    local before
    before=$(wc -l </proc/self/mountinfo)
    inside cut -d ' ' -f 5 /proc/self/mountinfo
    [[ ${lines[0]} == / && $output != *"$BATS_TEST_TMPDIR"* && $output != *$'\n/\n'* ]]
    refute grep -q "$BUNDLE" /proc/self/mountinfo
    ((before == $(wc -l </proc/self/mountinfo)))
}

@test "each cgroup hierarchy is mounted read-only, with links for controllers that share one" {
    requires root cgroup_v1
    inside -1 sh -c 'cat /proc/self/mounts; mkdir /sys/fs/cgroup/memory/x; touch /sys/fs/cgroup/x'
    [[ $(mount_line /sys/fs/cgroup/memory) == "cgroup /sys/fs/cgroup/memory cgroup ro,nosuid,nodev,noexec"*memory* ]]
    [[ $stderr == *"/sys/fs/cgroup/memory/x"*"Read-only file system"* && $stderr == *"/sys/fs/cgroup/x"*"Read-only file system"* ]]
}

@test "a bind shows its source; missing destinations are made as directory or file" {
    requires root
    mkdir source && echo content >source/file
    add_mount '{"destination": "/new/dir", "type": "bind", "source": "source", "options": ["bind"]}'
    add_mount '{"destination": "/new/file", "type": "none", "source": "'"$BUNDLE/source/file"'", "options": ["bind"]}'
    add_mount '{"destination": "relative/dir", "type": "bind", "source": "source", "options": ["rbind"]}'
    inside cat /new/dir/file /new/file /relative/dir/file
    [[ $output == $'content\ncontent\ncontent' ]]
}

@test "mounts are made in order, and a source may lie on an earlier one" {
    requires root
    mkdir source rootfs/one && touch source/marker
    add_mount '{"destination": "/one", "type": "bind", "source": "source", "options": ["bind"]}'
    add_mount '{"destination": "/two", "type": "bind", "source": "rootfs/one", "options": ["bind"]}'
    inside ls /two
    [[ $output == marker ]]
}

@test "the flags of a bind are applied, cleared ones too; those not mentioned stay" {
    requires root
    mkdir source
    add_mount '{"destination": "/a", "type": "bind", "source": "source", "options": ["bind", "ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime"]}'
    add_mount '{"destination": "/b", "type": "bind", "source": "rootfs/a", "options": ["bind"]}'
    add_mount '{"destination": "/c", "type": "bind", "source": "rootfs/a", "options": ["bind", "rw", "suid", "dev", "exec", "atime", "diratime"]}'
    add_mount '{"destination": "/d", "type": "bind", "source": "rootfs/a", "options": ["bind", "strictatime"]}'
    add_mount '{"destination": "/e", "type": "bind", "source": "source", "options": ["bind", "ro", "nosymfollow"]}'
    inside cat /proc/self/mounts
    [[ $(mount_line /a) == *" ro,nosuid,nodev,noexec,noatime,nodiratime"* ]]
    [[ $(mount_line /b) == *" ro,nosuid,nodev,noexec,noatime,nodiratime"* ]]
    [[ $(mount_line /c) == *" rw,relatime"* ]]
    [[ $(mount_line /d) == *" ro,nosuid,nodev,noexec,nodiratime"* ]]
    [[ $(mount_line /e) == *" ro,relatime,nosymfollow"* || $(mount_line /e) == *"nosymfollow"* ]]
}

@test "recursive options reach the mounts below, plain ones do not" {
    requires root
    mkdir -p source
    add_mount '{"destination": "/src", "type": "tmpfs", "source": "tmpfs"}'
    add_mount '{"destination": "/src/sub", "type": "tmpfs", "source": "tmpfs"}'
    add_mount '{"destination": "/plain", "type": "bind", "source": "rootfs/src", "options": ["rbind", "ro"]}'
    add_mount '{"destination": "/all", "type": "bind", "source": "rootfs/src", "options": ["rbind", "rro", "rnosuid", "rnoexec"]}'
    add_mount '{"destination": "/none", "type": "bind", "source": "rootfs/all", "options": ["rbind", "rrw", "rexec"]}'
    inside cat /proc/self/mounts
    [[ $(mount_line /plain) == *" ro,"* && $(mount_line /plain/sub) == *" rw,"* ]]
    [[ $(mount_line /all) == *" ro,nosuid,noexec"* && $(mount_line /all/sub) == *" ro,nosuid,noexec"* ]]
    [[ $(mount_line /none/sub) == *" rw,nosuid,relatime"* ]]
}

@test "propagation words are applied to the mount" {
    requires root
    mkdir source
    add_mount '{"destination": "/shared", "type": "bind", "source": "source", "options": ["bind", "rshared"]}'
    add_mount '{"destination": "/private", "type": "bind", "source": "source", "options": ["bind", "rprivate"]}'
    add_mount '{"destination": "/unbindable", "type": "bind", "source": "source", "options": ["unbindable", "bind"]}'
    inside cat /proc/self/mountinfo
    [[ $(grep ' /shared ' <<<"$output") == *" shared:"* ]]
    [[ $(grep ' /private ' <<<"$output") != *"shared:"* ]]
    [[ $(grep ' /unbindable ' <<<"$output") == *" unbindable "* ]]
}

@test "linux.rootfsPropagation is that of the container's root" {
    requires root
    local word pattern
    for word in shared slave private unbindable rshared runbindable; do
        case $word in
            *shared) pattern='*" shared:"*' ;;
            *unbindable) pattern='*" unbindable "*' ;;
            *) pattern='*' ;;
        esac
        cfg --arg w $word '.linux.rootfsPropagation = $w'
        inside grep ' / / ' /proc/self/mountinfo || inside cat /proc/self/mountinfo
        line=$(grep -E '^[0-9]+ [0-9]+ [0-9:]+ [^ ]+ / ' <<<"$output")
        # shellcheck disable=SC2053
        eval "[[ \$line == $pattern ]]"
        [[ $word == *shared || $line != *" shared:"* ]]
    done
    refute grep -q "$BUNDLE" /proc/self/mountinfo
}

@test "a tmpfs takes the mode of the directory that it covers, unless told another" {
    requires root
    mkdir -m 1701 rootfs/kept && mkdir -m 750 rootfs/given
    add_mount '{"destination": "/kept", "type": "tmpfs", "source": "tmpfs"}'
    add_mount '{"destination": "/given", "type": "tmpfs", "source": "tmpfs", "options": ["mode=0711"]}'
    add_mount '{"destination": "/created", "type": "tmpfs", "source": "tmpfs"}'
    inside stat -c '%a' /kept /given /created
    [[ $output == $'1701\n711\n1777' ]]
}

@test "tmpcopyup starts the tmpfs with the directory's content, links as links" {
    requires root
    mkdir -p rootfs/data/sub && echo deep >rootfs/data/sub/file && ln -s /etc/passwd rootfs/data/link
    chown 1000:1001 rootfs/data/sub/file && chmod 4751 rootfs/data/sub/file && mkfifo rootfs/data/fifo
    add_mount '{"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", "ro"]}'
    inside -1 sh -c 'stat -c "%a %u %g %s" /data/sub/file; readlink /data/link; test -p /data/fifo && echo fifo; grep " /data " /proc/self/mounts; touch /data/x'
    [[ ${lines[0]} == "4751 1000 1001 5" && ${lines[1]} == /etc/passwd && ${lines[2]} == fifo && ${lines[3]} == *" tmpfs ro,"* ]]
    [[ $stderr == *"Read-only file system"* ]]
}

@test "options for a file system are refused on a bind, and by the file system in its own words" {
    requires root
    add_mount '{"destination": "/x", "type": "bind", "source": "rootfs", "options": ["bind", "size=1k"]}'
    refused "oci-init: /mounts/7: cannot mount on '/x': a bind mount takes no option 'size=1k' for a file system"
    cfg '.mounts[7] = {destination: "/x", type: "tmpfs", source: "tmpfs", options: ["size=lots"]}'
    refused "oci-init: /mounts/7: cannot mount a 'tmpfs' on '/x': tmpfs: Bad value for 'size': Invalid argument"
    cfg '.mounts[7].options = ["colour=red"]'
    refused "oci-init: /mounts/7: cannot mount a 'tmpfs' on '/x': tmpfs: Unknown parameter 'colour': Invalid argument"
}

@test "options that mean nothing for a kind of mount are refused: tmpcopyup but on a tmpfs, links of a source that there is not" {
    requires root
    add_mount '{"destination": "/x", "type": "bind", "source": "rootfs", "options": ["bind", "tmpcopyup"]}'
    refused "oci-init: /mounts/7: cannot mount on '/x': only a tmpfs can begin with a copy of what it covers (tmpcopyup)"
    cfg '.mounts[7] = {destination: "/x", type: "mqueue", source: "mqueue", options: ["tmpcopyup"]}'
    refused "oci-init: /mounts/7: cannot mount on '/x': only a tmpfs can begin with a copy of what it covers (tmpcopyup)"
    for word in src-nofollow copy-symlink; do
        cfg --arg word "$word" '.mounts[7] = {destination: "/x", type: "tmpfs", source: "tmpfs", options: [$word]}'
        refused "oci-init: /mounts/7: cannot mount on '/x': only the source of a bind mount can be a link that is copied or not followed"
    done
}

@test "a source that is missing is named, with the mount" {
    requires root
    add_mount '{"destination": "/x", "type": "bind", "source": "/no/such", "options": ["bind"]}'
    refused "oci-init: /mounts/7: cannot bind '/no/such': No such file or directory"
}

@test "a file on a directory, and a directory on a file, are refused" {
    requires root
    touch file
    add_mount '{"destination": "/etc", "type": "bind", "source": "file", "options": ["bind"]}'
    refused "oci-init: /mounts/7: cannot mount on '/etc': it is a directory, the source a file: Not a directory"
    cfg '.mounts[7] = {destination: "/etc/passwd", type: "bind", source: "rootfs", options: ["bind"]}'
    refused "oci-init: /mounts/7: *'/etc/passwd': Not a directory"
}

@test "copy-symlink makes the link itself; src-nofollow binds it" {
    requires root
    ln -s /etc/passwd link
    add_mount '{"destination": "/copied", "type": "bind", "source": "link", "options": ["bind", "copy-symlink"]}'
    inside readlink /copied
    [[ $output == /etc/passwd ]]
    cfg 'del(.mounts[7])'
    ln -s nowhere rootfs/target
    add_mount '{"destination": "/target", "type": "bind", "source": "link", "options": ["bind", "src-nofollow", "dest-nofollow"]}'
    inside readlink /target
    [[ $output == /etc/passwd ]]
}

@test "an overlay is mounted, with paths longer than the kernel's limit for one option" {
    requires root
    local long
    long=$BATS_TEST_TMPDIR/$(printf 'x%.0s' {1..200})
    mkdir -p "$long"/{lower1,lower2,upper,work}
    echo 1 >"$long/lower1/one" && echo 2 >"$long/lower2/two"
    add_mount '{"destination": "/merged", "type": "overlay", "source": "overlay", "options": ["lowerdir='"$long/lower1:$long/lower2"'", "upperdir='"$long/upper"'", "workdir='"$long/work"'"]}'
    inside sh -c 'cat /merged/one /merged/two; echo 3 >/merged/three'
    [[ $output == $'1\n2' && $(cat "$long/upper/three") == 3 ]]
}

@test "a remount changes the options of a mount made before" {
    requires root
    add_mount '{"destination": "/x", "type": "tmpfs", "source": "tmpfs", "options": ["noexec"]}'
    add_mount '{"destination": "/x", "type": "tmpfs", "source": "tmpfs", "options": ["remount", "ro", "exec"]}'
    inside grep ' /x ' /proc/self/mounts
    [[ $output == "tmpfs /x tmpfs ro,relatime"* ]]
}

@test "the working directory and all mounts are made the same way when system calls are missing" {
    requires root
    mkdir -p source rootfs/etc/deep && ln -s /etc rootfs/link && echo content >source/file
    cfg '.linux.sysctl = {"kernel.msgmax": "4242"} | .process.oomScoreAdj = 77 | .process.cwd = "/made/for/it"'
    add_mount '{"destination": "/link/deep/dir", "type": "bind", "source": "source", "options": ["bind", "ro", "noexec"]}'
    inside sh -c 'pwd; cat /etc/deep/dir/file /proc/sys/kernel/msgmax /proc/self/oom_score_adj; cat /proc/self/mounts; ls -la /dev /proc/self/fd; stat -c "%t %T %s" /proc/keys'
    expected=$(sed 's/ [A-Z][a-z][a-z] [0-9 ]* [0-9:]* / /; /\/proc\/self\/fd\|pipe:\|-> \//d' <<<"$output")
    [[ $expected == *$'/made/for/it\ncontent\n4242\n77\n'* ]]
    local calls
    for calls in openat2 fsopen mount_setattr open_tree "open_tree move_mount fsopen fsconfig fsmount mount_setattr openat2 close_range" close_range keyctl; do
        make_plan
        # shellcheck disable=SC2086
        run --separate-stderr oci-ns new --plan-fd 5 -- deny-syscall $calls -- oci-init run --plan-fd 5 5<"$PLAN"
        echo "without $calls: $stderr"
        ((status == 0))
        diff <(echo "$expected") <(sed 's/ [A-Z][a-z][a-z] [0-9 ]* [0-9:]* / /; /\/proc\/self\/fd\|pipe:\|-> \//d' <<<"$output")
    done
}
