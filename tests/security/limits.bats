#!/usr/bin/env bats
# What is huge, where something full or silent stands at the other end, and what the kernel has no more of: a clear error, in
# time, and nothing left.

load ../helpers

BATS_TEST_TIMEOUT=$((BATS_TEST_TIMEOUT * 3))

# config PYTHON: changes `c`, the configuration.
config() { python3 -c 'import json, sys; c = json.load(open("config.json")); exec(sys.argv[1]); json.dump(c, open("config.json", "w"))' "$1"; }

@test "thousands of mounts, devices, masked and read-only paths, variables and arguments work" {
    requires root python3
    make_bundle
    config '
c["mounts"] += [{"destination": "/tmp/m%d" % i, "type": "tmpfs", "source": "t"} for i in range(1000)]
c["linux"]["devices"] = [{"path": "/dev/d%d" % i, "type": "c", "major": 1, "minor": 3} for i in range(3000)]
c["linux"]["maskedPaths"] = ["/dev/d%d" % i for i in range(1500)]
c["linux"]["readonlyPaths"] = ["/dev/d%d" % i for i in range(1500, 3000)]
c["root"]["readonly"] = False
c["process"]["env"] += ["V%d=x" % i for i in range(20000)]
c["process"]["args"] = ["sh", "-c", "ls /dev /tmp | wc -l; env | wc -l; echo $#", "sh"] + ["x"] * 50000'
    run -0 timeout 60 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null
    ((lines[0] > 4000 && lines[1] > 20000 && lines[2] == 50000))
    nothing_is_left
}

@test "strings longer than the kernel takes are errors with their place, and nothing is left" {
    requires root python3
    make_bundle
    cp config.json plain.json
    local -A tries=(
        ['c["process"]["args"] = ["echo", "x" * 1000000]']='bin/echo: argument list too long'
        ['c["process"]["cwd"] = "/" + "a/" * 3000']='/process/cwd: '
        ['c["root"]["path"] = "/" + "a/" * 3000']='/root'
        ['c["mounts"] += [{"destination": "/" + "a/" * 3000, "type": "tmpfs", "source": "t"}]']='/mounts/7: '
        ['c["mounts"] += [{"destination": "/a", "type": "bind", "source": "/" + "a/" * 3000, "options": ["bind"]}]']='/mounts/7: '
        ['c["linux"]["maskedPaths"] = ["/" + "a/" * 3000]']='/linux/maskedPaths/0: '
        ['c["linux"]["readonlyPaths"] = ["/" + "a/" * 3000]']='/linux/readonlyPaths/0: '
        ['c["linux"]["cgroupsPath"] = "/" + "d/" * 3000']='/linux/cgroupsPath: '
        ['c["hostname"] = "h" * 100']='/hostname: '
        ['c["linux"]["sysctl"] = {"net." + "a" * 5000: "1"}']='/linux/sysctl/'
        ['c["process"]["user"]["additionalGids"] = list(range(70000))']='/process/user/additionalGids/'
        ['c["linux"]["devices"] = [{"path": "/dev/" + "d" * 300, "type": "c", "major": 1, "minor": 3}]']='/linux/devices/0: '
    )
    local change
    for change in "${!tries[@]}"; do
        cp plain.json config.json
        config "$change"
        run -1 --separate-stderr timeout 60 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null
        [[ $stderr == "ocirun: run failed: "*"${tries[$change]}"* ]] || { echo "$change: ${stderr:0:500}"; false; }
        nothing_is_left
    done
    run -1 --separate-stderr rt run "$(printf 'x%.0s' {1..1024})"
    [[ $stderr == *"invalid container id "*"expected 1 to 230 letters"* ]]
}

@test "annotations of half a megabyte reach the hooks, those of the container too" {
    requires root python3
    make_bundle
    config '
c["annotations"] = {"k%d" % i: "v" * 1000 for i in range(500)}
hook = [{"path": "/bin/sh", "args": ["sh", "-c", "wc -c >>%s/sizes" % "'"$BATS_TEST_TMPDIR"'"]}]
c["hooks"] = {"createRuntime": hook, "createContainer": hook, "poststart": hook, "poststop": hook,
              "startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "[ $(wc -c) -gt 500000 ]"]}]}'
    run -0 timeout 60 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null
    [[ $(wc -l <"$BATS_TEST_TMPDIR/sizes") == 4 ]]
    local size
    while read -r size; do ((size > 500000)); done <"$BATS_TEST_TMPDIR/sizes"
}

@test "a fifo as log file: without a reader it is an error and not a hang, delete --force goes on, and a full one loses lines" {
    requires root
    mkfifo fifo
    run -1 --separate-stderr timeout 10 "$OCIRUN" --root "$STATE_ROOT" --log fifo state "$TEST_ID"
    [[ $stderr == "ocirun: nobody reads the log file 'fifo', a fifo" ]]
    timeout 10 "$OCIRUN" --root "$STATE_ROOT" --log fifo delete --force "$TEST_ID"
    exec 9<>fifo
    head -c 65536 /dev/zero >&9
    run -1 --separate-stderr timeout 10 "$OCIRUN" --root "$STATE_ROOT" --log fifo state "$TEST_ID" 9>&-
    [[ $stderr == "ocirun: container '$TEST_ID' does not exist" ]]
    exec 9>&-
    run -1 --separate-stderr rt --log /dev/null state "$TEST_ID"
    [[ $stderr == "ocirun: container '$TEST_ID' does not exist" ]]
    run -1 --separate-stderr rt --log /dev/zero state "$TEST_ID"
    [[ $stderr == "ocirun: the log file '/dev/zero' is neither a regular file nor a fifo" ]]
}

@test "a console socket whose owner accepts nobody ends the creation after ten seconds" {
    requires root python3
    make_bundle
    cfg '.process.terminal = true'
    python3 -c '
import socket, time
listener = socket.socket(socket.AF_UNIX); listener.bind("socket"); listener.listen(0)
callers = []
for i in range(3):
    caller = socket.socket(socket.AF_UNIX); caller.setblocking(False)
    try: caller.connect("socket")
    except BlockingIOError: pass
    callers.append(caller)
open("full", "w").close()
time.sleep(60)' 3>&- >/dev/null 2>&1 &
    local listener=$!
    wait_until test -e full
    run -1 --separate-stderr timeout -s KILL 40 "$OCIRUN" --root "$STATE_ROOT" create --console-socket socket "$TEST_ID" </dev/null
    kill "$listener"
    wait "$listener" || true
    [[ $stderr == *"cannot connect to the socket 'socket': whoever listens there has accepted nobody for 10 seconds" ]]
    nothing_is_left
}

@test "no more descriptors, processes, memory or room: an error in words, and nothing is left" {
    requires plain_build  # the sanitizers need descriptors of their own
    requires root
    make_bundle
    cfg 'del(.process.rlimits)'
    local n
    for ((n = 4; n < 64; n++)); do
        # shellcheck disable=SC2016  # the inner shell
        timeout 30 bash -c 'ulimit -n "$1" && exec "${@:2}"' limited "$n" "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null >out 2>&1 3>&- && break
        grep -q '^ocirun: .*[a-z]' out || { echo "limit $n: $(cat out)"; false; }
        nothing_is_left || { timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"; nothing_is_left; }
    done
    ((n > 5 && n < 64))
    local small=$BATS_TEST_TMPDIR/small
    mkdir "$small" && mount -t tmpfs -o size=4k,nr_inodes=3,mode=700 "$TEST_ID" "$small"
    for ((n = 0; n < 4; n++)); do
        run --separate-stderr timeout 30 "$OCIRUN" --root "$small" run "$TEST_ID" </dev/null
        ((status == 0)) || [[ $stderr == *"No space left on device"* ]] || { echo "$stderr"; false; }
        nothing_is_left
        : >"$small/f$n" || true
    done
    umount "$small"
}

@test "a system call that fails at any place while a container is made: an error in words, and nothing is left" {
    requires root strace plain_build
    make_bundle
    local call error n step=${OCIRUN_INJECT_STEP:-3}
    for call in openat:EMFILE mmap:ENOMEM write:ENOSPC pipe2:ENFILE memfd_create:ENOMEM socketpair:ENFILE mkdirat:ENOSPC renameat2:EIO clone3:EAGAIN \
        vfork:EAGAIN execveat:ENOMEM mount_setattr:EINVAL move_mount:ENOMEM openat2:EMFILE fsmount:ENOMEM sendmsg:ENOBUFS recvmsg:ENOMEM; do
        error=${call#*:} call=${call%:*}
        for ((n = 1; n < 60; n += step)); do
            run --separate-stderr timeout -s KILL 60 strace -f -qq -o /dev/null -e "inject=$call:error=$error:when=$n" "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID" </dev/null
            ((status != 137)) || { echo "$call, $n: hangs"; false; }
            if ((status == 0)); then
                # Not that many calls, or one that can be done without.
                [[ $n -gt 20 ]] && break
            else
                [[ $stderr == *[a-z]*:* ]] || { echo "$call, $n: status $status, no words: $stderr"; false; }
            fi
            timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"
            wait_until nothing_is_left
        done
    done
}
