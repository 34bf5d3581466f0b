#!/usr/bin/env bats
# A hostile root file system, through the whole of `ocirun run`, `create` and `exec`.

load ../helpers
load ../oci-init/init

# fails PATTERN: `run` fails with an error like PATTERN, and nothing is left.
fails()
{
    run --separate-stderr rt run "$TEST_ID" </dev/null
    # shellcheck disable=SC2154,SC2053  # set by run; a pattern
    if ((status == 0)) || [[ $stderr != $1 ]]; then
        echo "status $status, or the error is not '$1': $stderr $output"
        return 1
    fi
    [[ $(ls -A "$STATE_ROOT") == "" && $(ls -d .ocirun-* 2>/dev/null) == "" ]]
}

@test "a masked or read-only path that is the root, or leads there, is not passed over in silence" {
    requires root
    make_bundle
    ln -s / rootfs/link
    cfg '.root.readonly = false'
    local path
    for path in / /link /proc/.. /etc/..; do
        cfg --arg p "$path" '.linux.maskedPaths = [$p]'
        fails "*oci-init: /linux/maskedPaths/0: cannot mask '$path': it is the root of the container"
    done
    cfg '.linux.maskedPaths = []'
    args sh -c 'touch /x && echo written'
    for path in / /link /proc/..; do
        cfg --arg p "$path" '.linux.readonlyPaths = [$p]'
        fails "*Read-only file system"
        [[ ! -e rootfs/x ]]
    done
}

@test "a passwd file that is one of procfs is not read: it would take the host's kernel messages away" {
    requires root strace plain_build
    make_bundle
    rm rootfs/etc/passwd && ln -s /proc/kmsg rootfs/etc/passwd
    # shellcheck disable=SC2016  # the inner shell
    args sh -c 'echo $HOME'
    run -0 strace -f -yy -e trace=read,pread64 -o trace "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID"
    [[ $output == / ]]
    refute grep kmsg trace
}

@test "what comes out of the image cannot speak to the terminal in an error, nor begin a line of its own" {
    requires root
    make_bundle
    printf '#!/x\033[31m\007\177\302\233m\n' >rootfs/script && chmod 755 rootfs/script
    args /script
    fails "*its interpreter '/x?x1b?31m?x07?x7f?xc2?x9bm' is missing"
    cfg '.hooks.createContainer = [{"path": "/bin/sh", "args": ["sh", "-c", "printf \"a\\nocirun: all is well\\033c\"; exit 1"]}]'
    fails "*status 1: a?x0aocirun: all is well?x1bc"
    [[ ${#stderr_lines[@]} == 1 ]]
}

@test "CVE-2019-5736: what the image makes the runtime execute cannot write the runtime's programs" {
    requires root
    make_bundle
    own_rootfs
    (cd "$OCIRUN_BUILD" && sha256sum ocirun oci-*) >before
    printf '#!/proc/self/exe\n' >rootfs/script && chmod 755 rootfs/script
    cp "$OCIRUN_BUILD/tests/helpers/open-exe" rootfs/bin/
    # The program waits for processes that are not the image's, and tries to open their executables for writing.
    args open-exe 30
    cfg '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN"])'
    rt run --detach "$TEST_ID" </dev/null >tried 2>&1
    local i
    # Another container that shares its pid namespace is seen there, too.
    local pid
    pid=$(first_process "$TEST_ID")
    mkdir ../second && cp -r rootfs ../second/
    jq --arg p "/proc/$pid/ns/pid" '(.linux.namespaces[] | select(.type == "pid")).path = $p | .process.args = ["true"]' config.json >../second/config.json
    for ((i = 0; i < 20; i++)); do
        rt run --bundle ../second "$TEST_ID-second" </dev/null
        rt exec "$TEST_ID" /script </dev/null >/dev/null 2>&1 || true
        rt exec "$TEST_ID" /proc/self/exe </dev/null >/dev/null 2>&1 || true
    done
    rt kill "$TEST_ID" KILL
    rt delete --force "$TEST_ID"

    cat tried
    refute grep opened tried
    # It had the executables in sight.
    grep -q '^saw .*oci-ns' tried
    grep -q '^saw .*oci-init' tried
    (cd "$OCIRUN_BUILD" && sha256sum ocirun oci-*) | diff before -
}

@test "CVE-2024-21626: a descriptor of the caller is no way out as working directory, for run and exec" {
    requires root
    make_bundle
    args sleep 100
    local n
    for n in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        cfg --arg d "/proc/self/fd/$n" '.process.cwd = $d'
        run -1 --separate-stderr rt run "$TEST_ID" 9</ 10</etc </dev/null
        [[ $stderr == *"/process/cwd: "* ]]
    done
    cfg '.process.cwd = "/"'
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    for n in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        run -255 --separate-stderr rt exec --cwd "/proc/self/fd/$n" "$TEST_ID" pwd 9</ 10</etc
    done
    run -255 rt exec --cwd /proc/1/cwd/../../../.. "$TEST_ID" pwd
    [[ $(rt exec "$TEST_ID" ls /proc/self/fd 9</ 10</etc | tr '\n' ' ') == "0 1 2 3 " ]]
    rt delete --force "$TEST_ID"
}

@test "CVE-2016-9962: nobody in the container sees a descriptor of the host in a process that joins it, nor traces it" {
    requires root
    make_bundle
    own_rootfs
    cp "$OCIRUN_BUILD/tests/helpers/watch-processes" rootfs/bin/
    args watch-processes
    rt run --detach "$TEST_ID" </dev/null >seen 2>&1
    local i
    for ((i = 0; i < ${OCIRUN_ATTACKS:-40}; i++)); do
        rt exec "$TEST_ID" true </dev/null
    done
    rt kill "$TEST_ID" KILL
    rt delete --force "$TEST_ID"

    cat seen
    refute grep -E 'traced|outside' seen
    # It did look.
    grep -q 'refused' seen
}

@test "CVE-2015-3627, CVE-2026-41579: links in the place of all that is made before the start lead nowhere outside" {
    requires root
    decoy
    local name target
    for name in dev proc sys etc tmp root dev/console dev/pts dev/shm dev/mqueue sys/fs; do
        for target in "$DECOY" ../../../../../../../../../../../"$DECOY"; do
            rm -rf "$BATS_TEST_TMPDIR/bundle"
            make_bundle
            own_rootfs
            rm -rf "rootfs/$name"
            mkdir -p "rootfs/$(dirname "$name")"
            ln -s "$target" "rootfs/$name"
            cfg '.root.readonly = false | .process.cwd = "/tmp/new" | .linux.maskedPaths += ["/etc/shadow", "/tmp"] | .linux.readonlyPaths += ["/etc", "/root"]
                 | .mounts += [{destination: "/etc/resolv.conf", type: "bind", source: "config.json", options: ["bind"]},
                               {destination: "/tmp/a/b", type: "tmpfs", source: "tmpfs"}]'
            timeout 30 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null >out 2>&1 || true
            decoy_is_untouched
            # Without a mount there, what is made goes into the image's own /dev.
            cfg '.mounts |= map(select(.destination | startswith("/dev") | not))'
            timeout 30 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null >out 2>&1 || true
            decoy_is_untouched
        done
    done
    [[ $(ls -A "$STATE_ROOT") == "" ]]
}

@test "CVE-2019-14271: exec loads nothing from the container, and has no environment of its" {
    requires root strace plain_build
    make_bundle
    mkdir -p rootfs/lib rootfs/lib64 rootfs/usr/lib
    touch rootfs/lib/libnss_files.so.2 rootfs/lib/libc.so.6
    cfg '.process.env += ["LD_PRELOAD=/lib/evil.so"]'
    args sleep 100
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
    strace -f -e trace=openat,openat2,open,execve,execveat -v -s 200 -o trace "$OCIRUN" --root "$STATE_ROOT" exec "$TEST_ID" true </dev/null
    rt delete --force "$TEST_ID"
    sed -i -n '/oci-init.*exec/,$p' trace
    refute grep -E '"[^"]*(\.so[.0-9]*|nsswitch.conf|locale[^"]*|gconv[^"]*)", O_' trace
    # Only the program gets the variable.
    [[ $(grep -c 'LD_PRELOAD' trace) == 1 && $(grep -c 'bin/true".*LD_PRELOAD' trace) == 1 ]]
}

@test "CVE-2022-0492, core_pattern and others: the doors to the host that a default container has are shut" {
    requires root
    make_bundle
    before=$(cat /proc/sys/kernel/core_pattern)
    args sh -c 'for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/sys/kernel/modprobe /proc/irq/default_smp_affinity /sys/kernel/uevent_helper $(find /sys/fs/cgroup -name release_agent -o -name cgroup.procs 2>/dev/null); do
        [ -e $f ] || continue; echo "tried $f"; (echo x >$f) 2>/dev/null && echo "wrote $f"; done; true'
    cfg '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"])'
    run -0 rt run "$TEST_ID" </dev/null
    [[ $output != *wrote* && $output == *"tried /proc/sys/kernel/core_pattern"*"tried "*/cgroup.procs* ]]
    [[ $before == "$(cat /proc/sys/kernel/core_pattern)" ]]
}

@test "CVE-2016-8659: no program of ours runs with the rights of its owner" {
    requires root
    as_user true
    local program
    for program in "$OCIRUN_BUILD"/ocirun "$OCIRUN_BUILD"/oci-*; do
        cp "$program" "$USER_DIR/set-id" && chown 0:0 "$USER_DIR/set-id" && chmod 4755 "$USER_DIR/set-id"
        run --separate-stderr as_user "$USER_DIR/set-id" --version
        ((status != 0)) || { echo "$program works set-user-ID"; false; }
        [[ $stderr == *"refused: not made to be a set-user-ID or set-group-ID program" ]]
        rm "$USER_DIR/set-id"
    done
}
