#!/usr/bin/env bats
# list, version, help, log.

load ../helpers

@test "list shows a table, ids alone, or JSON" {
    requires root
    make_bundle
    args sleep 100
    rt create "$TEST_ID-a"
    rt create "$TEST_ID-b"

    run -0 rt list
    [[ ${lines[0]} =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER$ ]]
    [[ ${lines[1]} =~ ^"$TEST_ID-a"\ +[0-9]+\ +created\ +"$PWD"\ +[0-9TZ:.-]+\ +root$ ]]
    [[ ${#lines[@]} == 3 ]]
    run -0 rt list -q
    [[ $output == "$TEST_ID-a"$'\n'"$TEST_ID-b" ]]
    run -0 rt list --format json
    jq -e 'length == 2 and all(.[]; .status == "created" and .owner == "root" and .pid > 0 and .ociVersion == "1.3.0")' <<<"$output"

    rt delete --force "$TEST_ID-a"
    rt delete --force "$TEST_ID-b"
}

@test "list is empty without a state root, but a root that was given must exist" {
    requires root
    run -1 rt list
    [[ $output == *"the state root '$STATE_ROOT' does not exist" ]]
    mkdir -m 700 "$STATE_ROOT"
    run -0 rt list --format json
    [[ $output == "[]" ]]
}

@test "one damaged entry is a row of its own and does not end the list" {
    requires root
    make_bundle
    args sleep 100
    rt create "$TEST_ID"
    echo x >"$STATE_ROOT/damaged"
    chmod 666 "$STATE_ROOT/damaged"

    run -0 rt list
    [[ $output == *damaged*"error: "* ]]
    [[ $output == *"$TEST_ID"*created* ]]
    run -0 rt list --format json
    jq -e 'map(select(.id == "damaged"))[0].error' <<<"$output"
    rm "$STATE_ROOT/damaged"
    rt delete --force "$TEST_ID"
}

@test "--version has the lines that engines read" {
    run -0 "$OCIRUN" --version
    [[ ${lines[0]} =~ ^ocirun\ version\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    [[ ${lines[1]} =~ ^commit:\ .+ ]]
    [[ ${lines[2]} == "spec: 1.3.0" ]]
    [[ $("$OCIRUN" -v) == "$output" ]]
}

@test "an unknown command or option fails and says where help is" {
    run -1 "$OCIRUN" foo
    [[ $output == *"No help topic for 'foo'"* ]]
    run -1 "$OCIRUN" run --no-such-option x
    [[ $output == *"unknown option '--no-such-option'; 'ocirun run --help' tells more" ]]
    run -1 "$OCIRUN" --no-such-option
    [[ $output == *"unknown option '--no-such-option'; 'ocirun --help' tells more" ]]
    run -1 "$OCIRUN" state a b
    [[ $output == *"'state': unexpected argument 'b'; 'ocirun state --help' tells more" ]]
    run -1 "$OCIRUN" create
    [[ $output == *"'create' needs ID"* ]]
}

@test "--log receives the error as one JSON object, and stderr the sentence" {
    requires root
    make_bundle
    run -1 --separate-stderr rt --log log.json --log-format json start "none-$TEST_ID"
    [[ $stderr == "ocirun: container 'none-$TEST_ID' does not exist" ]]
    jq -e '.level == "error" and (.msg | endswith("does not exist")) and (.time | test("^2"))' log.json
    [[ $(wc -l <log.json) == 1 ]]

    run -1 rt --log log.txt start "none-$TEST_ID"
    [[ $(cat log.txt) == *'level=error msg="container '* ]]
}

@test "a link as log file is refused, but delete --force goes on" {
    requires root
    echo x >victim
    ln -s victim log
    run -1 rt --log log start "$TEST_ID"
    [[ $output == *"cannot open the log file 'log'"* ]]
    [[ $(cat victim) == x ]]
    run -0 rt --log /no/such/dir/log delete --force "$TEST_ID"
}

@test "spec writes a config.json that check accepts, and never replaces one" {
    "$OCIRUN" spec
    oci-spec check --strict config.json
    cp config.json before
    run -1 "$OCIRUN" spec
    [[ $output == *"already exists"* ]]
    cmp config.json before
    mkdir other
    "$OCIRUN" spec --bundle other
    [[ -e other/config.json ]]
}
