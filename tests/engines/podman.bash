# Podman with a state and a storage of its own, and ocirun as its runtime: ENGINE; PODMAN manages the cgroups by itself.

setup()
{
    ocirun_setup
    requires root podman
    make_bundle
    ENGINE=(podman --root "$BATS_TEST_TMPDIR/root" --runroot "$BATS_TEST_TMPDIR/run" --tmpdir "$BATS_TEST_TMPDIR/tmp" --storage-driver vfs
        --events-backend none --runtime "$OCIRUN")
    PODMAN=("${ENGINE[@]}" --cgroup-manager cgroupfs)
    # The engine's own wish of a million files needs CAP_SYS_RESOURCE.
    RUN=(run --network none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 --cgroup-parent "/$TEST_ID")
    tar -C rootfs -c . | "${PODMAN[@]}" import - box >/dev/null 2>&1
}

teardown()
{
    if [[ ${PODMAN[*]} ]]; then
        "${PODMAN[@]}" rm --force --all --time 0 >/dev/null 2>&1 || true
        wait_until rmdir_test_cgroups || true
    fi
    ocirun_teardown
}
