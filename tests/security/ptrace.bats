#!/usr/bin/env bats
# CVE-2016-9962 and its kin: a process of the container looks for a stage that enters, to take over its privileges.

load ../helpers

setup()
{
    ocirun_setup
    requires root plain_build  # a static helper
    make_bundle
    own_rootfs
    cp "$OCIRUN_BUILD/tests/helpers/catch-stages" rootfs/bin/
    cfg '.process.args = ["sleep", "1000"] | .linux.namespaces += [{"type": "user"}] | .process.oomScoreAdj = 123
         | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings
         | .process.capabilities |= with_entries(.value += ["CAP_SYS_PTRACE"])'
    chown -R 100000:100000 rootfs
    # The container's root has to get to its bundle.
    chmod o+x "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR/.." "$BATS_TEST_TMPDIR" "$BUNDLE"
    rt run --detach "$TEST_ID" </dev/null >/dev/null
    mkfifo stop
}

teardown()
{
    if [[ -p stop ]]; then
        rt delete --force "$TEST_ID"
    fi
    ocirun_teardown
}

@test "CVE-2016-9962: nobody in a user namespace, not even with CAP_SYS_PTRACE, can trace a stage that enters it" {
    rt exec "$TEST_ID" catch-stages <stop >caught 3>&- &
    local prober=$!
    exec 8>stop
    wait_until grep -q ready caught

    for i in {1..40}; do
        run -0 rt exec "$TEST_ID" cat /proc/self/oom_score_adj
        [[ $output == 123 ]]
    done

    exec 8>&-
    wait "$prober"
    run -1 grep caught caught
    # It had tried, and was refused.
    grep -q tried caught
}
