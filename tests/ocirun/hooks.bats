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
