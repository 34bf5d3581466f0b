#!/usr/bin/env bats
# linux.intelRdt: groups of resctrl. No machine of ours has a processor with RDT: `fake-resctrl` serves what one would show.

load ../helpers

setup()
{
    ocirun_setup
    requires root
    [[ -c /dev/fuse ]] || skip "needs FUSE, for a resctrl that is like the kernel's"
    make_bundle
    args sleep 1000
    RESCTRL=$BATS_TEST_TMPDIR/resctrl
    mkdir "$RESCTRL"
    fake-resctrl "$RESCTRL" 3>&- 5>&- &
    wait_until test -e "$RESCTRL/schemata"
}

teardown()
{
    umount "$RESCTRL" 2>/dev/null || true
    ocirun_teardown
}

# ocirun, told where resctrl is.
rdt() { "$OCIRUN" --root "$STATE_ROOT" --resctrl "$RESCTRL" "$@"; }
# Directories that are no part of an empty resctrl, monitoring groups too.
groups() { find "$RESCTRL" -mindepth 1 \( -name "*$TEST_ID*" -o -name 'gold*' \); }

@test "without closID a group named as the container is made, filled, joined before the program runs, and removed" {
    cfg '.linux.intelRdt = {l3CacheSchema: "L3:0=3;1=c", memBwSchema: "MB:0=50;1=70"}'

    rdt create "$TEST_ID"

    pid=$(first_process "$TEST_ID")
    [[ $(<"$RESCTRL/$TEST_ID/tasks") == "$pid" ]]
    grep -qxF '    L3:0=3;1=c' "$RESCTRL/$TEST_ID/schemata"
    grep -qxF '    MB:0=50;1=70' "$RESCTRL/$TEST_ID/schemata"
    rdt start "$TEST_ID"
    [[ $(<"$RESCTRL/$TEST_ID/tasks") == "$pid" ]]
    rdt kill "$TEST_ID" KILL
    rdt delete --force "$TEST_ID"
    [[ $(groups) == "" ]]
}

@test "an empty intelRdt is a group with what the root has" {
    cfg '.linux.intelRdt = {}'

    rdt run --detach "$TEST_ID"

    [[ $(<"$RESCTRL/$TEST_ID/tasks") == "$(first_process "$TEST_ID")" ]]
    grep -qxF '    L3:0=f;1=f' "$RESCTRL/$TEST_ID/schemata"
    rdt delete --force "$TEST_ID"
    [[ $(groups) == "" ]]
}

@test "without intelRdt resctrl is not touched" {
    rdt run --detach "$TEST_ID"

    [[ $(groups) == "" && $(<"$RESCTRL/tasks") == "" ]]
    rdt delete --force "$TEST_ID"
}

@test "exec joins the group, too" {
    cfg '.linux.intelRdt = {}'
    rdt run --detach "$TEST_ID"

    rdt exec --detach --pid-file pid "$TEST_ID" sleep 1000

    grep -qx "$(<pid)" "$RESCTRL/$TEST_ID/tasks"
    rdt delete --force "$TEST_ID"
}

@test "a line for bandwidth in l3CacheSchema gives way to memBwSchema; schemata come last" {
    cfg '.linux.intelRdt = {l3CacheSchema: "MB:0=10\nL3:0=1", memBwSchema: "MB:1=30", schemata: ["L3:0=7"]}'

    rdt run --detach "$TEST_ID"

    grep -qxF '    L3:0=7;1=f' "$RESCTRL/$TEST_ID/schemata"
    grep -qxF '    MB:0=100;1=30' "$RESCTRL/$TEST_ID/schemata"
    rdt delete --force "$TEST_ID"
}

@test "closID with schemata makes that group, or needs what is there to be the same" {
    cfg '.linux.intelRdt = {closID: "gold", schemata: ["L3:0=3"]}'
    rdt run --detach "$TEST_ID.a"
    grep -qxF '    L3:0=3;1=f' "$RESCTRL/gold/schemata"

    cfg '.linux.intelRdt.schemata = ["L3:0=03;1=F"]'
    rdt run --detach "$TEST_ID.b"
    (($(wc -l <"$RESCTRL/gold/tasks") == 2))
    cfg '.linux.intelRdt.schemata = ["L3:0=1"]'
    run -1 --separate-stderr rdt run --detach "$TEST_ID.c"
    [[ $stderr == *"/linux/intelRdt/schemata/0: the group '$RESCTRL/gold' exists with other schemata than 'L3:0=1'"* ]]

    # The one that made it does not take it from the other.
    rdt delete --force "$TEST_ID.a"
    grep -qx "$(first_process "$TEST_ID.b")" "$RESCTRL/gold/tasks"
    rdt delete --force "$TEST_ID.b"
    [[ -e $RESCTRL/gold ]]
    rmdir "$RESCTRL/gold"
}

@test "a group that closID made goes with the container that made it" {
    cfg '.linux.intelRdt = {closID: "gold", schemata: ["L3:0=3"]}'

    rdt run --detach "$TEST_ID"
    rdt delete --force "$TEST_ID"

    [[ $(groups) == "" ]]
}

@test "closID without schemata joins a group that must be there, and leaves it" {
    cfg '.linux.intelRdt = {closID: "gold"}'
    run -1 --separate-stderr rdt run --detach "$TEST_ID"
    [[ $stderr == *"/linux/intelRdt/closID: the group '$RESCTRL/gold' does not exist, and without schemata it is not made: No such file or directory"* ]]
    mkdir "$RESCTRL/gold"

    rdt run --detach "$TEST_ID"

    [[ $(<"$RESCTRL/gold/tasks") == "$(first_process "$TEST_ID")" ]]
    rdt delete --force "$TEST_ID"
    [[ -e $RESCTRL/gold ]]
    rmdir "$RESCTRL/gold"
}

@test "closID / is the root's group, which stays" {
    cfg '.linux.intelRdt = {closID: "/", enableMonitoring: true}'

    rdt run --detach "$TEST_ID"

    [[ $(<"$RESCTRL/tasks") == "$(first_process "$TEST_ID")" ]]
    [[ $(<"$RESCTRL/mon_groups/$TEST_ID/tasks") == "$(first_process "$TEST_ID")" ]]
    rdt delete --force "$TEST_ID"
    [[ $(groups) == "" && -e $RESCTRL/schemata ]]
}

@test "enableMonitoring makes a monitoring group of the container's own, in a group of others, too" {
    mkdir "$RESCTRL/gold"
    cfg '.linux.intelRdt = {closID: "gold", enableMonitoring: true}'

    rdt run --detach "$TEST_ID"

    pid=$(first_process "$TEST_ID")
    [[ $(<"$RESCTRL/gold/tasks") == "$pid" && $(<"$RESCTRL/gold/mon_groups/$TEST_ID/tasks") == "$pid" ]]
    rdt events --stats "$TEST_ID" | jq -e '.data.intel_rdt ==
        {l3_cache_info: {cbm_mask: "f", min_cbm_bits: 1, num_closids: 4}, l3_cache_schema_root: "L3:0=f;1=f", l3_cache_schema: "L3:0=f;1=f",
         mem_bw_info: {bandwidth_gran: 10, delay_linear: 1, min_bandwidth: 10, num_closids: 4}, mem_bw_schema_root: "MB:0=100;1=100",
         mem_bw_schema: "MB:0=100;1=100", mbm_stats: [range(2) | {mbm_total_bytes: 2000, mbm_local_bytes: 1000}],
         cmt_stats: [range(2) | {llc_occupancy: 65536}]}'
    rdt delete --force "$TEST_ID"
    [[ -e $RESCTRL/gold && $(find "$RESCTRL" -name "*$TEST_ID*") == "" ]]
    rmdir "$RESCTRL/gold"
}

@test "events works for a container without a group though the host has resctrl" {
    rdt run --detach "$TEST_ID"

    rdt events --stats "$TEST_ID" | jq -e '.data.intel_rdt == {}'

    rdt delete --force "$TEST_ID"
}

@test "schemata that the kernel refuses are an error with its reason, and leave nothing" {
    cfg '.linux.intelRdt = {l3CacheSchema: "L3:0=5"}'

    run -1 --separate-stderr rdt run "$TEST_ID"

    [[ $stderr == *"/linux/intelRdt/l3CacheSchema: cannot write 'L3:0=5' to '$RESCTRL/$TEST_ID/schemata' (resctrl: Mask 0x5 out of range or with a hole): Invalid argument"* ]]
    [[ $(groups) == "" ]]
    run -1 rt state "$TEST_ID"
}

@test "when there are no classes of service left it is an error, and leaves nothing" {
    mkdir "$RESCTRL"/gold{1,2,3}
    cfg '.linux.intelRdt = {}'

    run -1 --separate-stderr rdt run "$TEST_ID"

    [[ $stderr == *"/linux/intelRdt: cannot make the group '$RESCTRL/$TEST_ID' (resctrl: Out of CLOSIDs): No space left on device"* ]]
    rmdir "$RESCTRL"/gold{1,2,3}
}

@test "a group of the container's name that somebody else made is not taken, and stays" {
    mkdir "$RESCTRL/$TEST_ID"
    cfg '.linux.intelRdt = {}'

    run -1 --separate-stderr rdt run "$TEST_ID"

    [[ $stderr == *"/linux/intelRdt: the group '$RESCTRL/$TEST_ID' exists already and is not this container's; name it by closID to join it"* ]]
    [[ -e $RESCTRL/$TEST_ID ]]
    rmdir "$RESCTRL/$TEST_ID"
}

@test "a failure of what comes later leaves no group" {
    cfg '.linux.intelRdt = {enableMonitoring: true} | .process.args = ["/no/such/program"]'

    run -1 rdt run "$TEST_ID"

    [[ $(groups) == "" ]]
}

@test "after a death at any step of oci-cgroup, delete --force removes the group" {
    cfg '.linux.intelRdt = {enableMonitoring: true, l3CacheSchema: "L3:0=3"}'
    for step in 1 2 3 4 5 6 7; do
        run -1 rdt --test-step "oci-cgroup:$step:9" create "$TEST_ID"
        [[ $output == *"oci-cgroup was killed by signal 9"* ]] || { echo "step $step: $output"; false; }

        rdt delete --force "$TEST_ID"
        [[ $(groups) == "" ]] || { echo "left by a death at step $step"; groups; false; }
    done
}

@test "after a death of ocirun itself delete --force removes the group" {
    cfg '.linux.intelRdt = {enableMonitoring: true}'
    for step in 7 8 9 10; do
        run -137 rdt --test-step "ocirun:$step:9" create "$TEST_ID"

        rdt delete --force "$TEST_ID"
        [[ $(groups) == "" ]] || { echo "left by a death at step $step"; groups; false; }
    done
}

@test "on a host without resctrl intelRdt is an error that says where it was asked for" {
    [[ ! -e /sys/fs/resctrl/schemata ]] || skip "needs a host without resctrl"
    cfg '.linux.intelRdt = {closID: "gold"}'

    run -1 --separate-stderr rt run "$TEST_ID"

    [[ $stderr == *"/linux/intelRdt: this host has no resctrl file system: it needs a processor with RDT, a kernel with resctrl, and 'mount -t resctrl resctrl /sys/fs/resctrl'"* ]]
    run -1 --separate-stderr "$OCIRUN" --root "$STATE_ROOT" --cgroup-manager disabled run "$TEST_ID"
    [[ $stderr == *"/linux/intelRdt: without cgroups (--cgroup-manager disabled) there is nobody to join a group of resctrl"* ]]
}

@test "update changes the schemata of the container's own group, and the plan; refused, all is as before" {
    cfg '.linux.intelRdt = {l3CacheSchema: "L3:0=3;1=c", memBwSchema: "MB:0=50;1=70"}'
    rdt run --detach "$TEST_ID" >/dev/null 2>&1

    rdt update --l3-cache-schema 'L3:0=1;1=8' "$TEST_ID"
    grep -qxF '    L3:0=1;1=8' "$RESCTRL/$TEST_ID/schemata"
    grep -qxF '    MB:0=50;1=70' "$RESCTRL/$TEST_ID/schemata"
    rdt update --mem-bw-schema 'MB:0=20;1=70' --pids-limit 33 "$TEST_ID"
    grep -qxF '    MB:0=20;1=70' "$RESCTRL/$TEST_ID/schemata"
    [[ $(grep -c '^cgroup.rdt.schema' "$BUNDLE/.ocirun-$TEST_ID/plan") == 2 ]]
    grep -q 'L3:0=1;1=8' "$BUNDLE/.ocirun-$TEST_ID/plan"

    run -1 rdt update --pids-limit 34 --l3-cache-schema 'L3:0=2;1=8'$'\n''L3:0=zz' "$TEST_ID"
    [[ $output == *"/linux/intelRdt/l3CacheSchema: cannot write 'L3:0=zz' to "* ]]
    grep -qxF '    L3:0=1;1=8' "$RESCTRL/$TEST_ID/schemata"
    grep -q 'cgroup.pids.limit.*33$' "$BUNDLE/.ocirun-$TEST_ID/plan"
    run -1 rdt update --mem-bw-schema 'L3:0=1' "$TEST_ID"
    rdt delete --force "$TEST_ID"
}

@test "update of a container without a group, or in one that was there before it, changes none" {
    rdt run --detach "$TEST_ID" >/dev/null 2>&1
    run -1 rdt update --l3-cache-schema 'L3:0=1' "$TEST_ID"
    [[ $output == *"has no group of resctrl"* ]]
    rdt delete --force "$TEST_ID"

    mkdir "$RESCTRL/gold-$TEST_ID"
    cfg --arg id "gold-$TEST_ID" '.linux.intelRdt = {closID: $id}'
    rdt run --detach "$TEST_ID" >/dev/null 2>&1
    run -1 rdt update --l3-cache-schema 'L3:0=1' "$TEST_ID"
    [[ $output == *"is not its own to change" ]]
    rdt delete --force "$TEST_ID"
    rmdir "$RESCTRL/gold-$TEST_ID"
}
