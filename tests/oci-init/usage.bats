#!/usr/bin/env bats
# The command line and the exit statuses of oci-init.
load ../helpers
load init

@test "--help names both commands and exits 0" {
    run -0 oci-init --help
    [[ $output == *"oci-init run --plan-fd"* && $output == *"oci-init exec --plan-fd"* ]]
    run -0 oci-init run -h
    [[ $output == *"--preserve-fds"* ]]
}

@test "--version exits 0" {
    run -0 oci-init --version
    [[ $output == "oci-init version "* ]]
}

@test "wrong usage exits 2, with the reason" {
    run -2 --separate-stderr oci-init
    [[ $stderr == "oci-init: no command given"* ]]
    run -2 --separate-stderr oci-init dance
    [[ $stderr == "oci-init: No help topic for 'dance'"* ]]
    run -2 --separate-stderr oci-init run
    [[ $stderr == "oci-init: --plan-fd is missing"* ]]
    run -2 --separate-stderr oci-init run --plan-fd 77
    [[ $stderr == "oci-init: --plan-fd: descriptor 77 is not open" ]]
    run -2 --separate-stderr oci-init run --plan-fd
    [[ $stderr == "oci-init: flag needs an argument: --plan-fd" ]]
    run -2 --separate-stderr oci-init run --plan-fd=0 --tea
    [[ $stderr == "oci-init: flag needs an argument: --tea" ]]
    run -2 --separate-stderr oci-init run --plan-fd=0 --tea=1
    [[ $stderr == "oci-init: unknown option '--tea=1'; 'oci-init --help' tells more" ]]
    run -2 --separate-stderr oci-init run --plan-fd=0 word
    [[ $stderr == "oci-init: unexpected argument 'word'"* ]]
    run -2 --separate-stderr oci-init exec --plan-fd=0 -- word
    [[ $stderr == "oci-init: 'exec' takes neither"* ]]
    run -2 --separate-stderr oci-init run --plan-fd=0 --preserve-fds=-1
    [[ $stderr == "oci-init: --preserve-fds: '-1' is not a number of descriptors" ]]
}

@test "a plan that is cut short, empty or no plan at all exits 125" {
    run -125 --separate-stderr oci-init run --plan-fd 0 <<<"plan 1"
    [[ $stderr == "oci-init: plan: cut short"* ]]
    run -125 --separate-stderr oci-init run --plan-fd 0 </dev/null
    [[ $stderr == "oci-init: plan line 1: expected 'plan 1'" ]]
    run -125 --separate-stderr oci-init run --plan-fd 0 <<<$'plan 1\ninit.tea\t-\tgreen\nend'
    [[ $stderr == "oci-init: plan line 2: unknown directive 'init.tea'" ]]
}

@test "the program's exit status is passed on, and 128+n when signal n killed it" {
    requires root
    make_bundle
    inside -42 sh -c 'exit 42'
    # shellcheck disable=SC2016
    inside -137 sh -c 'sh -c "kill -9 \$\$"; exit $?'
}

@test "a program that is not there exits 127, in the field's words" {
    requires root
    make_bundle
    inside -127 nosuch
    [[ $stderr == 'oci-init: exec: "nosuch": executable file not found in $PATH' ]]
    inside -127 /no/such
    [[ $stderr == 'oci-init: exec: "/no/such": stat /no/such: no such file or directory' ]]
    inside -127 /etc/passwd/x
    [[ $stderr == 'oci-init: exec: "/etc/passwd/x": stat /etc/passwd/x: not a directory' ]]
}

@test "a file that cannot be executed exits 126, in the field's words" {
    requires root
    make_bundle
    inside -126 /etc
    [[ $stderr == 'oci-init: exec: "/etc": permission denied: it is a directory' ]]
    inside -126 /etc/passwd
    [[ $stderr == 'oci-init: exec: "/etc/passwd": permission denied: its mode 0644 has no x for the user' ]]
    inside -126 /dev/null
    [[ $stderr == 'oci-init: exec: "/dev/null": permission denied: it is not a regular file' ]]
    install -m 700 "$(command -v busybox)" rootfs/secret
    cfg '.process.user = {uid: 1000, gid: 1000}'
    inside -126 /secret
    [[ $stderr == 'oci-init: exec: "/secret": permission denied: its mode 0700 has no x for the user' ]]
}

@test "a directory that the user cannot enter is named, also behind a link and below the working directory" {
    requires root
    make_bundle
    mkdir -p rootfs/nox/sub rootfs/home/user
    cp rootfs/bin/busybox rootfs/nox/sub/program
    chmod 700 rootfs/nox
    ln -s ../nox/sub rootfs/home/away
    ln -s /home/away/program rootfs/link
    cfg '.process.user = {uid: 1000, gid: 1000}'
    local why="permission denied: the directory '/nox' (mode 0700) cannot be entered by user 1000"
    inside -126 /nox/sub/program
    [[ $stderr == 'oci-init: exec: "/nox/sub/program": '"$why" ]]
    inside -126 /link
    [[ $stderr == 'oci-init: exec: "/link": '"$why" ]]
    cfg '.process.cwd = "/home/user"'
    inside -126 ../away/program
    [[ $stderr == 'oci-init: exec: "../away/program": '"$why" ]]

    # What is above the working directory does not matter.
    chmod 644 rootfs/nox/sub/program
    cfg '.process.cwd = "/nox/sub"'
    inside -126 ./program
    [[ $stderr == 'oci-init: exec: "./program": permission denied: its mode 0644 has no x for the user' ]]
}

@test "links of the image that climb above the root lead the search for a reason to the root, magic links nowhere else" {
    requires root
    make_bundle
    cp rootfs/etc/passwd rootfs/inside
    ln -s ../../../../../../../../../../inside rootfs/up
    inside -126 /up
    [[ $stderr == 'oci-init: exec: "/up": permission denied: its mode 0644 has no x for the user' ]]
    inside -126 /proc/self/root/inside
    [[ $stderr == 'oci-init: exec: "/proc/self/root/inside": permission denied: its mode 0644 has no x for the user' ]]
}

@test "a script is told from its interpreter: missing, or with a carriage return" {
    requires root
    make_bundle
    printf '#!/no/interpreter -x\n' >rootfs/one
    printf '#!/bin/sh\r\necho\r\n' >rootfs/two
    printf 'just text\n' >rootfs/three
    chmod 755 rootfs/one rootfs/two rootfs/three
    inside -127 /one
    [[ $stderr == "oci-init: exec /one: no such file or directory: its interpreter '/no/interpreter' is missing" ]]
    inside -127 /two
    [[ $stderr == "oci-init: exec /two: no such file or directory: its first line asks for '/bin/sh' followed by a carriage return"* ]]
    inside -126 /three
    [[ $stderr == "oci-init: exec /three: exec format error: it is neither a program nor a script that starts with '#!'"* ]]
}

@test "a program for another machine, without its loader, or on a noexec mount is named as such" {
    requires root
    make_bundle
    own_rootfs
    cp rootfs/bin/busybox rootfs/foreign
    # e_machine of an ELF file (byte 18): 243 is RISC-V.
    printf '\xf3\x00' | dd of=rootfs/foreign bs=1 seek=18 conv=notrunc 2>/dev/null
    inside -126 /foreign
    [[ $stderr == "oci-init: exec /foreign: exec format error: it is for riscv, this machine is $(uname -m)" ]]

    sed 's|/ld-linux|/no-linux|' "$(command -v jq)" >rootfs/dynamic
    chmod +x rootfs/dynamic
    inside -127 /dynamic
    [[ $stderr == "oci-init: exec /dynamic: no such file or directory: its loader '/lib"*"' is missing"* ]]

    cfg '.mounts += [{destination: "/x", type: "bind", source: "rootfs/bin", options: ["bind", "noexec"]}]'
    inside -126 /x/busybox
    [[ $stderr == 'oci-init: exec: "/x/busybox": permission denied: it is on a mount with the option noexec' ]]
}

@test "an error goes to the error descriptor in wire form, with the JSON pointer" {
    requires root
    make_bundle
    cfg '.mounts += [{destination: "/x", type: "nosuchfs", source: "x"}]'
    make_plan
    run -125 oci-ns new --plan-fd 5 -- oci-init --error-fd 6 run --plan-fd 5 5<"$PLAN" 6>errors
    [[ $output == "" ]]
    [[ $(cat errors) == oci-init$'\t19\t125\t/mounts/7\t'"cannot mount a 'nosuchfs' on '/x': this kernel has no such file system" ]]
}

@test "each step is recorded, and a stage that is killed can be asked where it was" {
    requires root
    make_bundle
    make_plan
    truncate -s 4096 steps
    run oci-ns new --plan-fd 5 -- oci-init --step-fd 6 --test-step 3:9 run --plan-fd 5 5<"$PLAN" 6<>steps
    # The first process of a pid namespace dies of a trap instead of SIGKILL.
    ((status == 132))
    grep -aq 'make the root file system a mount' steps
}

@test "killed at any of its steps, it leaves nothing on the host" {
    requires root
    make_bundle
    make_plan
    local step
    for ((step = 1; step < 100; step++)); do
        run --separate-stderr oci-ns new --plan-fd 5 -- oci-init --test-step $step:9 run --plan-fd 5 5<"$PLAN"
        ((status == 132)) || break
        refute grep -q "$BUNDLE" /proc/self/mountinfo
    done
    ((status == 0 && step > 30))
}

@test "a plan with a mount namespace is not executed in the caller's" {
    requires root
    make_bundle
    make_plan
    run -125 --separate-stderr oci-init run --plan-fd 5 --bundle . 5<"$PLAN"
    [[ $stderr == *"the plan asks for a mount namespace, but this process is in that of its parent"* ]]
}

@test "a plan that asks for a system-call filter does not run without one" {
    requires root
    make_bundle
    cfg '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
    refused "oci-init: /linux/seccomp*: the plan asks for a system-call filter*"
}
