#!/usr/bin/env bats
# oci-init in a user namespace, with and without root outside.
load ../helpers
load init

setup() { ocirun_setup; make_bundle; }

# map COUNT: a user namespace with COUNT ids from 100000 on in config.json.
map()
{
    cfg --argjson n "$1" '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: $n}]
                          | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: $n}] | del(.linux.resources)'
    chown -R --no-dereference 100000:100000 rootfs
}

@test "the default container works in a user namespace; devices are the host's, bound" {
    requires root
    own_rootfs
    map 65536
    inside sh -c 'id -u; stat -c "%F %t:%T" /dev/null /dev/tty; echo x >/dev/null && grep -c " /dev/null " /proc/self/mounts; cat /proc/self/uid_map; ls /dev/pts/ptmx; stat -c "%F %t:%T" /proc/keys'
    [[ ${lines[0]} == 0 && ${lines[1]} == "character special file 1:3" && ${lines[2]} == "character special file 5:0" && ${lines[3]} == 1 ]]
    [[ ${lines[4]} == *" 0 "*" 100000 "*" 65536" && ${lines[6]} == "character special file 1:3" ]]
}

@test "devpts without the group 5 leaves the option out" {
    requires root
    own_rootfs
    map 1
    inside grep ' /dev/pts ' /proc/self/mounts
    [[ $output == "devpts /dev/pts devpts rw,nosuid,noexec,relatime,mode=620,ptmxmode=666"* ]]
}

@test "without a network namespace the host's sysfs is bound, read-only as asked, with all below it" {
    requires root
    own_rootfs
    map 65536
    cfg '.linux.namespaces |= map(select(.type != "network")) | .mounts |= map(select(.destination != "/sys/fs/cgroup"))'
    inside -1 sh -c 'grep " /sys" /proc/self/mounts; echo x >/sys/kernel/x'
    [[ $output == "sysfs /sys sysfs ro,"* && $output != *" rw,"* ]]
}

@test "a locked flag that is asked to be cleared stays, without an error" {
    requires root
    own_rootfs
    mkdir ro-source && chown 100000 ro-source
    map 65536
    cfg '.mounts += [{destination: "/x", type: "bind", source: "ro-source", options: ["bind", "rw", "exec", "suid"]}]'
    args grep ' /x ' /proc/self/mounts
    make_plan
    # shellcheck disable=SC2016
    run -0 unshare -m --propagation private sh -c 'mount --bind "$0" "$0" && mount -o remount,bind,ro,noexec,nosuid "$0" && exec "$@"' "$PWD/ro-source" \
        oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN"
    [[ $output == *" ro,nosuid,noexec,"* ]]
}

@test "as an ordinary user, with one id of its own" {
    requires userns
    chmod 755 "$BATS_TEST_TMPDIR" "$BUNDLE"
    USER_BUNDLE=$(mktemp -d /tmp/ocirun-bundle.XXXXXX)
    cp -a rootfs config.json "$USER_BUNDLE" && cd "$USER_BUNDLE"
    cfg '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}]
         | .linux.gidMappings = [{containerID: 0, hostID: 1000, size: 1}] | del(.linux.resources) | .mounts |= map(select(.destination != "/sys/fs/cgroup"))'
    args sh -c 'id -u; touch /x; ls /dev; head -c 2 /dev/zero | wc -c; cat /proc/self/setgroups'
    oci-spec plan <config.json >plan
    chown -R 1000:1000 "$USER_BUNDLE" && chmod 755 "$USER_BUNDLE"
    # shellcheck disable=SC2016
    run as_user sh -c 'cd "$0" && oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<plan' "$USER_BUNDLE"
    cd / && rm -rf "$USER_BUNDLE"
    echo "$output"
    ((status == 0))
    [[ $output == 0$'\n'*"Read-only file system"*null*$'\n2\ndeny' ]]
}
