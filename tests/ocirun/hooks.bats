#!/usr/bin/env bats
# Hooks: at their points, with the state on stdin, and failures that say which.

load ../helpers

setup()
{
    ocirun_setup
    if ((EUID == 0)); then
        make_bundle
        # hook NAME [LINE]...: a script that notes its name and what it was given.
        printf '#!/bin/sh\nname=$1\ncat >"%s/state.$name"\necho "$name" >>"%s/order"\nenv >"%s/env.$name"\n' "$PWD" "$PWD" "$PWD" >hook
        chmod +x hook
    fi
}

add_hook() { cfg --arg kind "$1" --arg path "$PWD/hook" '.hooks[$kind] += [{"path": $path, "args": ["hook", $kind], "env": ["ONLY=this"]}]'; }

@test "hooks outside of the container run in order, with the state and their own environment" {
    requires root
    for kind in prestart createRuntime poststart poststop; do add_hook "$kind"; done
    SECRET=x rt run "$TEST_ID"

    [[ $(tr '\n' ' ' <order) == "prestart createRuntime poststart poststop " ]]
    jq -e --arg id "$TEST_ID" '.id == $id and .status == "creating" and .pid > 0 and .bundle' state.prestart
    jq -e '.status == "creating"' state.createRuntime
    jq -e '.status == "running"' state.poststart
    jq -e '.status == "stopped"' state.poststop
    grep -q ONLY=this env.prestart
    ! grep -q SECRET env.prestart
}

@test "createContainer runs before the root changes, startContainer inside" {
    requires root
    cfg --arg dir "$PWD" '.hooks = {"createContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "cat >" + $dir + "/cc; readlink /proc/self/ns/mnt >" + $dir + "/cc.ns"]}],
        "startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "cat >/tmp/sc; echo >>/tmp/sc; hostname >>/tmp/sc"]}]} | .root.readonly = false'

    rt run "$TEST_ID"

    jq -e '.status == "creating"' cc
    [[ $(cat cc.ns) != "$(readlink /proc/self/ns/mnt)" ]]
    grep -q '"created"' rootfs/tmp/sc
    [[ $(tail -1 rootfs/tmp/sc) == ocirun ]]
}

@test "as long as a startContainer hook runs the container is created, and a second start changes nothing" {
    requires root
    args true
    mkfifo rootfs/tmp/end
    cfg '.hooks = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "echo >/tmp/begun; read x </tmp/end"]}]} | .root.readonly = false'
    rt create "$TEST_ID" </dev/null >/dev/null 2>&1
    rt start "$TEST_ID" 3>&- &
    local starter=$!
    wait_until test -e rootfs/tmp/begun

    has_status "$TEST_ID" created
    timeout 20 "$OCIRUN" --root "$STATE_ROOT" start "$TEST_ID" >second 2>&1 3>&- &
    local second=$!
    sleep 0.2
    echo >rootfs/tmp/end
    wait "$starter"
    local status=0
    wait "$second" || status=$?

    ((status == 1))
    [[ $(cat second) == "ocirun: container '$TEST_ID' was started by somebody else, or its first process died" ]]
    wait_until has_status "$TEST_ID" stopped
    rt delete "$TEST_ID"
}

@test "a failing hook says which, its status and its last words, and nothing is left" {
    requires root
    printf '#!/bin/sh\necho the network is gone >&2\nexit 3\n' >bad
    chmod +x bad
    for kind in prestart createRuntime poststart; do
        cfg --arg kind "$kind" --arg path "$PWD/bad" 'del(.hooks) | .hooks[$kind] = [{"path": "/bin/true"}, {"path": $path}]'
        run -1 rt run "$TEST_ID"
        [[ $output == *"error running $kind hook #1: '$PWD/bad': exited with status 3: the network is gone"* ]]
    done
    for kind in createContainer startContainer; do
        cfg --arg kind "$kind" 'del(.hooks) | .hooks[$kind] = [{"path": "/bin/sh", "args": ["sh", "-c", "echo no luck >&2; exit 4"]}]'
        run -1 rt run "$TEST_ID"
        [[ $output == *"error running $kind hook #0"*"status 4"*"no luck"* ]]
    done
}

@test "a hook that runs too long is killed and says so" {
    requires root
    cfg '.hooks.prestart = [{"path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1}]'
    run -1 rt run "$TEST_ID"
    [[ $output == *"prestart hook #0: '/bin/sleep': timed out after 1 s and was killed"* ]]
}

@test "a failing poststop hook is a warning: the others run and the container is gone" {
    requires root
    cfg '.hooks.poststop = [{"path": "/bin/false"}]'
    run -0 rt run "$TEST_ID"
    [[ $output == *"warning: "*"error running poststop hook #0"* ]]
}

@test "what a hook leaves running and printing keeps nobody waiting" {
    requires root
    local kind
    for kind in prestart createContainer; do
        cfg --arg kind "$kind" 'del(.hooks) | .hooks[$kind] = [{"path": "/bin/sh", "args": ["sh", "-c", "yes >&2 & yes >&2 & yes >&2 & exec sleep 0.2"]}]'
        run -0 timeout 20 "$OCIRUN" --root "$STATE_ROOT" run "$TEST_ID"
    done
}

# Each hook notes where it is: its name, the mount and network namespaces of itself and of the process, the status, whether the
# program runs and whether the root has changed.
observing_hooks()
{
    cat >observe <<'HOOK'
#!/bin/sh
dir=$1
kind=$2
cat >"$dir/state.$kind"
pid=$(sed 's/.*"pid": *\([0-9]*\).*/\1/' "$dir/state.$kind" | head -1)
{
    echo "own mnt=$(readlink /proc/self/ns/mnt) net=$(readlink /proc/self/ns/net)"
    echo "process mnt=$(readlink "/proc/$pid/ns/mnt") net=$(readlink "/proc/$pid/ns/net")"
    echo "mounted $(grep -c ' /.*/rootfs/proc ' /proc/self/mountinfo)"
    echo "program $(test -e "$dir/rootfs/tmp/runs" && echo runs || echo waits)"
} >"$dir/seen.$kind" 2>/dev/null
echo "$kind" >>"$dir/order"
HOOK
    chmod +x observe
    for kind in prestart createRuntime createContainer poststart poststop; do
        cfg --arg k "$kind" --arg d "$PWD" '.hooks[$k] = [{path: ($d + "/observe"), args: ["observe", $d, $k], env: ["PATH=/usr/bin:/bin"]}]'
    done
    cfg '.root.readonly = false
        | .hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "cat >/tmp/state; test -e /tmp/runs || echo startContainer >/tmp/started"]}]'
    chmod 777 rootfs/tmp
}

@test "hooks run at their points of create, start and delete, in the namespaces that are meant" {
    requires root
    local host_mnt host_net
    host_mnt=$(readlink /proc/self/ns/mnt) host_net=$(readlink /proc/self/ns/net)
    observing_hooks
    args sh -c 'echo >/tmp/runs; exec sleep 1000'

    rt create "$TEST_ID" 3>&- >out 2>&1
    [[ $(tr '\n' ' ' <order) == "prestart createRuntime createContainer " && ! -e rootfs/tmp/started ]]
    for kind in prestart createRuntime; do
        # The namespaces are there, the root file system is not yet.
        grep -qxF "own mnt=$host_mnt net=$host_net" "seen.$kind"
        refute grep -qF "process mnt=$host_mnt" "seen.$kind"
        grep -q '^mounted 0' "seen.$kind"
    done
    # The mounts are there, the root has not changed.
    refute grep -qF "own mnt=$host_mnt " seen.createContainer
    grep -q '^mounted [1-9]' seen.createContainer
    jq -e --arg id "$TEST_ID" '.status == "creating" and .id == $id' state.createContainer

    rt start "$TEST_ID"
    [[ $(tr '\n' ' ' <order) == "prestart createRuntime createContainer poststart " && -e rootfs/tmp/started ]]
    jq -e '.status == "created"' rootfs/tmp/state
    jq -e '.status == "running"' state.poststart
    grep -qxF "own mnt=$host_mnt net=$host_net" seen.poststart

    rt kill "$TEST_ID" KILL
    wait_until has_status "$TEST_ID" stopped
    [[ ! -e seen.poststop ]]
    rt delete "$TEST_ID"
    [[ $(tail -1 order) == poststop ]]
    jq -e --arg id "$TEST_ID" '.status == "stopped" and .id == $id and ((has("pid") | not) or .pid == 0)' state.poststop
    grep -qxF "own mnt=$host_mnt net=$host_net" seen.poststop
}

@test "hooks get their arguments as they are, their environment and nothing else, and the annotations in the state" {
    requires root
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nprintf "[%%s]" "$@" >"%s/words"; env >"%s/env"; cat >"%s/state.json"\n' "$PWD" "$PWD" "$PWD" >note
    chmod +x note
    for kind in prestart createRuntime createContainer poststart poststop; do
        cfg --arg k "$kind" --arg d "$PWD" '.annotations = {"org.example/a": "one \"two\"", "b": ""} | del(.hooks)
            | .hooks[$k] = [{path: ($d + "/note"), args: ["zero", "a b", "", "$HOME"], env: ["X=1", "Y=a b"]}]'
        CALLER=secret rt run "$TEST_ID"
        [[ $(cat words) == '[a b][][$HOME]' && $(grep -v '^\(PWD\|SHLVL\|_\|OLDPWD\)=' env | sort) == $'X=1\nY=a b' ]]
        jq -e '.annotations == {"org.example/a": "one \"two\"", "b": ""} and .ociVersion and .bundle' state.json
        rm words env state.json
    done
    cfg 'del(.hooks) | .hooks.startContainer = [{path: "/bin/env"}] | .process.env += ["OF=program"]'
    # Without an environment of its own it has that of the program.
    cfg '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "[ \"$OF\" = program ]"]}]'
    rt run "$TEST_ID"
}

@test "a hook that fails, at whatever point, leaves no process, mount, cgroup or state, and poststop hooks run" {
    requires root
    for kind in prestart createRuntime createContainer startContainer poststart; do
        cfg --arg k "$kind" --arg d "$PWD" 'del(.hooks) | .hooks[$k] = [{path: "/bin/sh", args: ["sh", "-c", "exit 7"]}]
            | .hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", "echo " + $k + " >>" + $d + "/stopped"]}]'
        args sleep 1000
        run -1 rt run "$TEST_ID"
        [[ $output == *"$kind hook #0"*"exited with status 7"* ]]
        [[ -z $(compgen -G "$STATE_ROOT/*") && -z $(find /sys/fs/cgroup -name "*$TEST_ID*") ]]
        [[ $(tail -1 stopped) == "$kind" ]]
    done
}

@test "a poststart hook that fails stops the container, also after start" {
    requires root
    cfg '.hooks.poststart = [{path: "/bin/sh", args: ["sh", "-c", "echo no luck >&2; exit 7"]}]'
    args sleep 1000
    rt create "$TEST_ID" 3>&- >out 2>&1
    run -1 rt start "$TEST_ID"
    [[ $output == "ocirun: start failed: "*"error running poststart hook #0"*"exited with status 7: no luck"* ]]
    run -1 rt state "$TEST_ID"
}

@test "the agent of a filter that notifies is told the container's state, without hooks and for exec, too" {
    requires root
    cfg --arg s "$PWD/agent" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $s, listenerMetadata: "meta",
                                              syscalls: [{names: ["mkdir"], action: "SCMP_ACT_NOTIFY"}]} | .annotations = {a: "b"}'
    args sleep 1000
    receive-terminal --name agent >message 3>&- &
    local agent=$!
    wait_until test -S agent
    rt run --detach "$TEST_ID" 3>&- >out 2>&1
    wait_until test -s message
    kill "$agent"
    grep -o '{.*}' message | jq -e --arg id "$TEST_ID" --argjson pid "$(first_process "$TEST_ID")" --arg b "$BUNDLE" \
        '.fds == ["seccompFd"] and .metadata == "meta" and .pid == $pid and .state.id == $id and .state.pid == $pid and .state.annotations == {a: "b"} and .state.bundle == $b'

    rm -f agent message
    receive-terminal --name agent >message 3>&- &
    agent=$!
    wait_until test -S agent
    rt exec --detach --pid-file pid "$TEST_ID" sleep 1000 3>&- >out 2>&1 || { cat out; false; }
    wait_until test -s message
    kill "$agent"
    grep -o '{.*}' message | jq -e --arg id "$TEST_ID" --argjson pid "$(cat pid)" --argjson first "$(first_process "$TEST_ID")" \
        '.pid == $pid and .state.id == $id and .state.pid == $first and .state.status == "running"'
    rt delete --force "$TEST_ID"
}

@test "run.oci.hooks.stdout and .stderr: what ocirun's hooks print is appended to these files" {
    requires root
    cfg --arg dir "$PWD" '.annotations = {"run.oci.hooks.stdout": ($dir + "/said"), "run.oci.hooks.stderr": ($dir + "/cried")}
        | .hooks.prestart = [{path: "/bin/sh", args: ["sh", "-c", "echo one; echo two >&2"]}] | .hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", "echo three"]}]'
    echo before >said

    rt run "$TEST_ID"

    [[ $(tr '\n' ' ' <said) == "before one three " && $(cat cried) == two ]]

    cfg --arg dir "$PWD" '.annotations["run.oci.hooks.stdout"] = $dir + "/missing/said"'
    run -1 rt run "$TEST_ID"
    [[ $output == *"prestart hook #0: "*"cannot open '$PWD/missing/said': No such file or directory"* ]]
    [[ -z $(compgen -G "$STATE_ROOT/*") ]]
}
