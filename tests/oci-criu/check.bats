#!/usr/bin/env bats
# oci-criu check: whether checkpoint and restore work here, and if not, why not.

load ../helpers

# fake_criu BODY: a program ./criu that runs BODY; its arguments are kept in ./calls.
fake_criu()
{
    printf '#!/bin/sh\necho "$*" >>"%s/calls"\n%s\n' "$PWD" "$1" >criu
    chmod +x criu
}

@test "a CRIU whose own check succeeds works: status 0, version, and which kinds of migration" {
    requires root
    fake_criu 'case "$*" in --version) echo "Version: 3.99";; check) echo "Looks good.";; *mem_dirty_track) ;; *) exit 1;; esac'

    run -0 --separate-stderr oci-criu check --criu ./criu

    [[ ${lines[0]} == "checkpoint and restore work here" ]]
    [[ $output == *$'\n'"criu: ./criu, version 3.99"$'\n'* ]]
    [[ $output == *$'\n'"pre-dump: yes"$'\n'"lazy-pages: no"* ]]
    [[ $stderr == "" ]]
    [[ $(<calls) == $'--version\ncheck\ncheck --feature mem_dirty_track\ncheck --feature uffd-noncoop' ]]
}

@test "a CRIU whose own check fails does not work: status 1, its first error and a remedy on standard output" {
    requires root
    fake_criu 'case "$*" in --version) echo "Version: 3.99";; *) echo "(00.01) Error (criu/vdso.c:1): vdso: strange" >&2; echo "(00.02) Error (criu/x.c:2): no kerndat" >&2; exit 1;; esac'

    run -1 --separate-stderr oci-criu check --criu ./criu

    [[ ${lines[0]} == "checkpoint and restore do not work here" ]]
    [[ ${lines[1]} == "  why: './criu check' says: Error (criu/vdso.c:1): vdso: strange" ]]
    [[ ${lines[2]} == "  do:  install a newer CRIU: 3.99 does not know the vDSO of Linux $(uname -r)" ]]
    [[ $output == *"criu says too: Error (criu/x.c:2): no kerndat"* ]]
    [[ $stderr == "" ]]
}

@test "a check that fails without a word is told by its status" {
    requires root
    fake_criu 'case "$*" in --version) echo "Version: 3.99";; *) exit 3;; esac'

    run -1 oci-criu check --criu ./criu

    [[ ${lines[1]} == "  why: './criu check' exited with status 3" ]]
    [[ ${lines[2]} == "  do:  'criu check -v4' tells more" ]]
}

@test "a check that is killed is told by its signal" {
    requires root
    fake_criu 'case "$*" in --version) echo "Version: 3.99";; *) kill -SEGV $$;; esac'

    run -1 oci-criu check --criu ./criu

    [[ ${lines[1]} == "  why: './criu check' was killed by signal 11 (Segmentation fault)" ]]
}

@test "without CRIU the report says that there is none and how to get it" {
    run -1 --separate-stderr oci-criu check --criu no-such-criu
    [[ ${lines[1]} == "  why: there is no CRIU: cannot find 'no-such-criu' in PATH: No such file or directory" ]]
    [[ ${lines[2]} == "  do:  install CRIU (the package is called criu), or name it with --criu" ]]
    [[ $stderr == "" ]]

    run -1 oci-criu check --criu /no/such/criu
    [[ ${lines[1]} == "  why: there is no CRIU: cannot execute '/no/such/criu': No such file or directory" ]]
}

@test "a program that is no CRIU is told from one" {
    run -1 oci-criu check --criu "$(command -v true)"
    [[ ${lines[1]} == "  why: '"*"/true --version' names no version and exited with status 0" ]]

    echo text >criu
    run -1 oci-criu check --criu ./criu
    [[ ${lines[1]} == "  why: cannot execute './criu': Permission denied" ]]
}

@test "without root the reason is that CRIU needs it, and its check is not run" {
    requires root
    as_user true
    cd "$USER_DIR"
    fake_criu 'echo "Version: 3.99"'

    run -1 as_user oci-criu check --criu ./criu

    [[ ${lines[1]} == "  why: CRIU needs root" ]]
    [[ ! -e calls || $(<calls) == "--version" ]]
}

@test "CRIU is found in the folders for administrators, which a user's PATH may lack" {
    requires root criu
    [[ $(command -v criu) == /usr/sbin/criu ]] || skip "needs the distribution's criu in /usr/sbin"

    run env PATH=/no-such-folder "$OCIRUN_BUILD/oci-criu" check

    [[ $output == *"criu: /usr/sbin/criu, version "* ]]
}

@test "--json prints one object with the same facts" {
    requires root jq
    fake_criu 'case "$*" in --version) echo "Version: 3.99";; check) ;; *) exit 1;; esac'
    run -0 oci-criu check --json --criu ./criu
    [[ $(jq -c '[.works, .program, .version, .obstacles, .errors, .features]' <<<"$output") == \
        '[true,"./criu","3.99",[],[],{"pre-dump":false,"lazy-pages":false}]' ]]
    [[ $(jq -r .kernel <<<"$output") == "$(uname -r)" ]]

    fake_criu 'case "$*" in --version) echo "Version: 3.99";; *) echo "Error (a \"b\")"; exit 1;; esac'
    run -1 oci-criu check --json --criu ./criu
    [[ $(jq -c '[.works, .errors, (.obstacles | length)]' <<<"$output") == '[false,["Error (a \"b\")"],1]' ]]
}

@test "the answer of the real CRIU is the one of its own check" {
    requires root criu
    status=0
    criu check >/dev/null 2>&1 || status=1

    run "-$status" oci-criu check

    [[ $output == *"criu: "*", version $(criu --version | sed -n 's/^Version: //p')"* ]]
}

@test "wrong usage ends with 2; --help and --version work" {
    run -2 oci-criu check --no-such-option
    [[ $output == "oci-criu: unknown option '--no-such-option'; 'oci-criu check --help' tells more" ]]
    run -2 oci-criu
    run -2 oci-criu check extra
    run -0 oci-criu --version
    [[ $output =~ ^oci-criu\ version\ [0-9.]+$ ]]
    run -0 oci-criu check --help
    [[ $output == *"--criu PATH"* ]]
}

@test "a full standard output is an error on standard error" {
    run -1 --separate-stderr bash -c 'oci-criu check --criu /no/such/criu >/dev/full'
    [[ $stderr == "oci-criu: standard output: cannot write: No space left on device" ]]
}
