#!/usr/bin/env bats
# Attacks on the state: roots that are none, damaged and forged entries, directories of others in the place of ours.

load ../helpers

@test "a state root with files of others: nothing of it is a container, and no command removes any" {
    requires root
    make_bundle
    mkdir -m 755 "$STATE_ROOT"
    echo "root:x:0:0::/root:/bin/sh" >"$STATE_ROOT/passwd"
    head -c 5000 /dev/urandom >"$STATE_ROOT/binary"
    printf 'boot' >"$STATE_ROOT/almost"
    mkdir "$STATE_ROOT/folder"
    local before id command
    before=$(cd "$STATE_ROOT" && ls -lR && cat passwd binary almost | sha256sum)

    for id in passwd binary almost; do
        for command in state start kill delete "delete --force" "exec:true" "exec:--detach"; do
            # shellcheck disable=SC2086  # words of the command
            case $command in
                exec:*) run --separate-stderr rt exec "$id" true ;;
                *) run --separate-stderr rt $command "$id" ;;
            esac
            ((status != 0))
            [[ $stderr == *"'$STATE_ROOT/$id' is not the state of a container; is '$STATE_ROOT' a state root?" ]]
        done
    done
    run -1 --separate-stderr rt create passwd
    [[ $stderr == *"container with given ID already exists: 'passwd'" ]]
    run -0 --separate-stderr rt list
    [[ $output == *"passwd "*"error: "* ]]

    [[ $before == "$(cd "$STATE_ROOT" && ls -lR && cat passwd binary almost | sha256sum)" ]]
    rm -r "$STATE_ROOT"
}

@test "a damaged state is said to be damaged, and delete --force undoes what it still says" {
    requires root
    make_bundle
    args sleep 1000
    local damage pid
    # shellcheck disable=SC2016
    for damage in '$a\\q\\' 's/^process\t.*/process\tx\ty/' 's/^created\t.*/\x00\x01\xff/' '/^location/s/\t.*/\t9\t9\t9\t9/' '/^bundle/,$d'; do
        rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1
        pid=$(first_process "$TEST_ID")
        sed -i "$damage" "$STATE_ROOT/$TEST_ID"
        rt state "$TEST_ID" >/dev/null || true
        rt list >/dev/null
        timeout 30 "$OCIRUN" --root "$STATE_ROOT" delete --force "$TEST_ID"
        [[ ! -e $STATE_ROOT/$TEST_ID ]]
        if [[ $damage == *bundle* ]]; then
            # Nothing is known any more but the boot: what nobody can name stays.
            kill -KILL "$pid"
            wait_until refute is_running "$pid"
            rm -r ".ocirun-$TEST_ID"
            find /sys/fs/cgroup -depth -type d -name "$TEST_ID" -exec rmdir {} \;
        fi
        wait_until refute is_running "$pid"
    done

    rt create "$TEST_ID"
    printf 'x\\q\n' >>"$STATE_ROOT/$TEST_ID"
    run -1 --separate-stderr rt delete "$TEST_ID"
    [[ $stderr == "ocirun: the state of container '$TEST_ID' in '$STATE_ROOT/$TEST_ID' is damaged ('delete --force' undoes what it still says): a line cannot be read" ]]
    run -0 --separate-stderr rt delete --force "$TEST_ID"
    [[ $stderr == "ocirun: warning: the state of container '$TEST_ID' in "* && ! -e .ocirun-$TEST_ID ]]
}

@test "an entry that is a link, a directory, a fifo or somebody else's is no container and stays" {
    requires root
    make_bundle
    echo precious >precious
    mkdir -m 700 "$STATE_ROOT"
    ln -s "$PWD/precious" "$STATE_ROOT/link"
    mkdir "$STATE_ROOT/directory"
    mkfifo -m 600 "$STATE_ROOT/fifo"
    printf 'boot\tx\n' >"$STATE_ROOT/theirs" && chown 1000 "$STATE_ROOT/theirs"
    printf 'boot\tx\n' >"$STATE_ROOT/open" && chmod 666 "$STATE_ROOT/open"
    local id command
    for id in link directory fifo theirs open; do
        for command in state start kill delete "delete --force" create; do
            # shellcheck disable=SC2086  # words of the command
            run -1 --separate-stderr timeout 10 "$OCIRUN" --root "$STATE_ROOT" $command "$id"
        done
    done
    [[ -L $STATE_ROOT/link && -d $STATE_ROOT/directory && -p $STATE_ROOT/fifo && -f $STATE_ROOT/theirs && -f $STATE_ROOT/open && $(cat precious) == precious ]]
    rm -r "$STATE_ROOT"
}

@test "a .ocirun-ID that is a link, a file, or another user's beside the bundle is left alone, and the state goes to the root" {
    requires root
    make_bundle
    mkdir precious && echo x >precious/plan
    local kind
    for kind in link dangling file theirs open; do
        case $kind in
            link) ln -s precious ".ocirun-$TEST_ID" ;;
            dangling) ln -s nowhere ".ocirun-$TEST_ID" ;;
            file) echo x >".ocirun-$TEST_ID" ;;
            theirs) mkdir -m 700 ".ocirun-$TEST_ID" && echo x >".ocirun-$TEST_ID/plan" && chown -R 1000 ".ocirun-$TEST_ID" ;;
            open) mkdir -m 777 ".ocirun-$TEST_ID" && echo x >".ocirun-$TEST_ID/plan" && chmod 777 ".ocirun-$TEST_ID" ;;
        esac
        rt create "$TEST_ID"
        [[ -d $STATE_ROOT/.state-$TEST_ID ]]
        rt start "$TEST_ID"
        rt delete --force "$TEST_ID"
        [[ ! -e $STATE_ROOT/.state-$TEST_ID && -n $(ls -d ".ocirun-$TEST_ID") && ! -e nowhere && $(cat precious/plan) == x ]]
        rm -r ".ocirun-$TEST_ID"
    done
}

@test "the same id and bundle under two state roots: neither harms the other" {
    requires root
    make_bundle
    args sleep 1000
    rt create "$TEST_ID"

    "$OCIRUN" --root "$STATE_ROOT-2" create "$TEST_ID" 2>err || true
    "$OCIRUN" --root "$STATE_ROOT-2" delete --force "$TEST_ID"

    has_status "$TEST_ID" created
    rt start "$TEST_ID"
    rt exec "$TEST_ID" true
    rt delete --force "$TEST_ID"
    [[ ! -e .ocirun-$TEST_ID && ! -e $STATE_ROOT-2/$TEST_ID ]]
}

@test "whoever owns the folder above a bundle cannot make delete remove another directory of root's" {
    requires root
    mkdir folder && chown 1000 folder
    make_bundle "$PWD/folder/bundle"
    rt create "$TEST_ID"
    cd ..
    # As the owner of the folder: the bundle is moved away, a folder with a directory of root's takes its place.
    mv bundle moved && mkdir bundle && mkdir -m 700 "bundle/.ocirun-$TEST_ID" && echo x >"bundle/.ocirun-$TEST_ID/precious"

    rt delete --force "$TEST_ID"

    [[ $(cat "bundle/.ocirun-$TEST_ID/precious") == x ]]
    rm -r bundle
}
