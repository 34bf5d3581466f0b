#!/usr/bin/env bats
# Network interfaces that oci-ns moves, and mount sources that it opens, without ocirun.

load ../helpers

# with_device COMMAND...: in a network namespace with the interface `dev0`.
with_device()
{
    # shellcheck disable=SC2016
    run unshare --net sh -c 'ip link add dev0 type veth peer name peer0 && ip addr add 10.9.8.7/24 dev dev0 && exec "$@"' sh "$@"
}

@test "--net-device moves an interface into the new network namespace, with another name and its addresses, and brings it up" {
    requires root ip

    with_device oci-ns new --net --net-device dev0=inside0 --net-device peer0 -- ip addr show
    ((status == 0))
    [[ $output == *" inside0@"*"UP"*"10.9.8.7/24 scope global inside0"* && $output == *" peer0@"* ]]
    with_device oci-ns new --net --net-device dev0=net%d -- ip addr show net0
    ((status == 0))
}

@test "--net-device without a network namespace, of no interface, or with a name that none can have, is an error" {
    requires root ip

    with_device oci-ns new --uts --net-device dev0 -- true
    ((status == 125))
    [[ $output == "oci-ns: a network device is to be moved, but there is no network namespace to move it to" ]]
    with_device oci-ns new --net --net-device nothere -- true
    ((status == 125))
    [[ $output == "oci-ns: cannot move the network device 'nothere': there is none of that name: No such device" ]]
    run -2 oci-ns new --net --net-device a/b -- true
    [[ $output == "oci-ns: --net-device: 'a/b' is not the name of a network interface" ]]
}

@test "a plan's mount source is id-mapped and handed on by oci-ns, and bound by oci-init" {
    requires root kernel-5.12
    make_bundle
    mkdir source && touch source/file && chown 7:8 source/file
    cfg '.mounts += [{destination: "/x", source: "source", options: ["bind", "idmap"],
        uidMappings: [{containerID: 0, hostID: 1000, size: 10}], gidMappings: [{containerID: 0, hostID: 2000, size: 10}]}]'
    args stat -c '%u %g' /x/file
    make_plan

    run -0 oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<"$PLAN"
    [[ $output == "1007 2008" ]]
    # Without oci-ns nobody has mapped them.
    grep -v '^ns.mount-source' "$PLAN" >plan
    run -125 oci-ns new --plan-fd 5 -- oci-init run --plan-fd 5 5<plan
    [[ $output == "oci-init: /mounts/7: cannot map the ids of 'source' from here; 'oci-ns new' does it, by the plan's 'ns.mount-source' line" ]]
}

@test "--bundle starts the program in that directory" {
    run -0 oci-ns new --bundle /usr -- pwd
    [[ $output == /usr ]]
    run -125 oci-ns new --bundle /nowhere -- pwd
    [[ $output == "oci-ns: cannot enter the bundle '/nowhere': No such file or directory" ]]
}
