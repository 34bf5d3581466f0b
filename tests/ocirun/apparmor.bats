#!/usr/bin/env bats
# AppArmor in force: the profile of config.json and that of exec.

load ../helpers

setup()
{
    ocirun_setup
    requires root apparmor apparmor_parser
    make_bundle
    PROFILE=ocirun-$TEST_ID
    # Two that differ in the file that they keep away.
    for name in box other; do
        printf 'profile %s-%s flags=(attach_disconnected,mediate_deleted) { file, capability, network, signal, ptrace, deny /etc/%s.secret r, }\n' "$PROFILE" "$name" "$name"
    done >"$BATS_TEST_TMPDIR/profiles"
    apparmor_parser -r "$BATS_TEST_TMPDIR/profiles"
    echo box >rootfs/etc/box.secret
    echo other >rootfs/etc/other.secret
    cfg --arg profile "$PROFILE-box" '.process.apparmorProfile = $profile'
}

teardown()
{
    if [[ ${PROFILE:-} ]]; then
        rt delete --force "$TEST_ID"
        apparmor_parser -R "$BATS_TEST_TMPDIR/profiles"
    fi
    ocirun_teardown
}

# What a program sees of its profile, and which file it may read.
look='cat /proc/self/attr/current; cat /etc/box.secret || echo no box; cat /etc/other.secret || echo no other'

@test "the program is confined by the profile of config.json from its first instruction" {
    args sh -c "$look"

    run -0 --separate-stderr rt run "$TEST_ID"

    [[ $output == "$PROFILE-box (enforce)"$'\nno box\nother' && $stderr == *"Permission denied"* ]]
}

@test "a program of a user without any capability is confined as well" {
    args sh -c "$look"
    cfg '.process.user = {uid: 1000, gid: 1000} | .process.noNewPrivileges = true | .process.capabilities = {}'

    run -0 --separate-stderr rt run "$TEST_ID"

    [[ $output == "$PROFILE-box (enforce)"$'\nno box\nother' ]]
}

@test "exec inherits the container's profile, and --apparmor names another" {
    args sleep 1000
    rt run --detach "$TEST_ID" </dev/null >/dev/null 2>&1

    run -0 --separate-stderr rt exec "$TEST_ID" sh -c "$look"
    [[ $output == "$PROFILE-box (enforce)"$'\nno box\nother' ]]
    run -0 --separate-stderr rt exec --apparmor "$PROFILE-other" "$TEST_ID" sh -c "$look"
    [[ $output == "$PROFILE-other (enforce)"$'\nbox\nno other' ]]
    run -0 --separate-stderr rt exec --apparmor unconfined "$TEST_ID" sh -c "$look"
    [[ $output == $'unconfined\nbox\nother' ]]
    run -255 --separate-stderr rt exec --apparmor "$PROFILE-none" "$TEST_ID" true
    [[ $stderr == *"cannot apply the AppArmor profile '$PROFILE-none': none of that name is loaded; 'apparmor_parser FILE' loads one" ]]
}

@test "a profile that is not loaded is an error that says so, and nothing is left" {
    cfg --arg profile "$PROFILE-none" '.process.apparmorProfile = $profile'

    run -1 --separate-stderr rt run "$TEST_ID"

    [[ $stderr == "ocirun: run failed: "*"oci-init: /process/apparmorProfile: cannot apply the AppArmor profile '$PROFILE-none': none of that name is loaded; 'apparmor_parser FILE' loads one" ]]
    [[ -z $(compgen -G "$STATE_ROOT/*") ]]
}

@test "an empty profile and 'unconfined' confine nothing" {
    args sh -c "$look"
    for profile in "" unconfined; do
        cfg --arg profile "$profile" '.process.apparmorProfile = $profile'
        run -0 --separate-stderr rt run "$TEST_ID"
        [[ $output == *$'unconfined\nbox\nother' ]]
    done
}
