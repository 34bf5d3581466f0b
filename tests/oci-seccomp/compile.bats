#!/usr/bin/env bats
# oci-seccomp compile: from a plan to the kernel's instructions.

load ../helpers

# plan LINE...: a plan with these lines, TAB for each space outside of a field.
plan()
{
    echo "plan 1"
    local line
    for line; do
        printf '%b\n' "$line"
    done
    echo "end"
}

DENY='seccomp.default\t/linux/seccomp/defaultAction\tSCMP_ACT_ERRNO\t'
ALLOW_READ='seccomp.rule\t/linux/seccomp/syscalls/0\tSCMP_ACT_ALLOW\t\tread,write,execve,exit_group'

@test "compile writes an array of 8-byte instructions to standard output and says nothing" {
    plan "$DENY" "$ALLOW_READ" >plan

    run -0 --separate-stderr bash -c 'oci-seccomp compile <plan >filter'

    size=$(stat -c %s filter)
    [[ $stderr == "" ]]
    ((size > 0 && size % 8 == 0))
    # The first one loads a word of the system call's data: BPF_LD | BPF_W | BPF_ABS.
    [[ $(od -An -tx2 -N2 filter) == " 0020" ]]
}

@test "--plan-fd reads the plan from that descriptor, a file from its start" {
    plan "$DENY" "$ALLOW_READ" >plan
    oci-seccomp compile <plan >expected

    exec 5<plan
    head -c 1000 <&5 >/dev/null  # the offset is now at the end
    oci-seccomp compile --plan-fd 5 >actual
    exec 5<&-

    cmp expected actual
}

@test "--output writes the same to a file and leaves nothing beside it" {
    plan "$DENY" "$ALLOW_READ" >plan
    mkdir out
    oci-seccomp compile <plan >expected

    run -0 oci-seccomp compile --output out/filter <plan

    [[ $output == "" ]]
    cmp expected out/filter
    [[ $(ls -A out) == "filter" ]]
}

@test "--output writes to a pipe as it is" {
    plan "$DENY" "$ALLOW_READ" >plan
    oci-seccomp compile <plan >expected

    oci-seccomp compile --output /dev/stdout <plan | cat >actual

    cmp expected actual
}

@test "a plan that is refused leaves the output file as it was" {
    mkdir out
    echo old >out/filter

    run -1 oci-seccomp compile -o out/filter < <(plan "$DENY" 'seccomp.rule\t/linux/seccomp/syscalls/0\tSCMP_ACT_FOO\t\tread')

    [[ $(<out/filter) == old ]]
    [[ $(ls -A out) == "filter" ]]
}

@test "an output file that cannot be made is an error that names it" {
    run -1 oci-seccomp compile -o no-such-folder/filter < <(plan "$DENY" "$ALLOW_READ")

    [[ $output == "oci-seccomp: cannot create 'no-such-folder/filter."*".tmp': No such file or directory" ]]
}

@test "a plan without seccomp lines gives an empty file, a warning and status 0" {
    run -0 --separate-stderr oci-seccomp compile -o filter < <(plan 'init.cwd\t-\t/')

    [[ -e filter && ! -s filter ]]
    [[ $stderr == "oci-seccomp: warning: the plan asks for no filter (no linux.seccomp in config.json): the output is empty, and 'load' refuses it" ]]
}

@test "a plan that is cut short is refused, so a dead oci-spec never means 'no filter'" {
    run -1 --separate-stderr oci-seccomp compile < <(plan "$DENY" "$ALLOW_READ" | head -n -1)

    [[ $output == "" ]]
    [[ $stderr == "oci-seccomp: plan: "* || $stderr == "oci-seccomp: plan line "* ]]
}

@test "an error names the JSON pointer and what is wrong there" {
    run -1 oci-seccomp compile < <(plan "$DENY" 'seccomp.rule\t/linux/seccomp/syscalls/3\tSCMP_ACT_FOO\t\tread')
    [[ $output == "oci-seccomp: /linux/seccomp/syscalls/3: unknown seccomp action 'SCMP_ACT_FOO'" ]]

    run -1 oci-seccomp compile < <(plan "$DENY" 'seccomp.arch\t/linux/seccomp/architectures/0\tSCMP_ARCH_VAX')
    [[ $output == "oci-seccomp: /linux/seccomp/architectures/0: unknown seccomp architecture 'SCMP_ARCH_VAX'" ]]

    run -1 oci-seccomp compile < <(plan "$DENY" 'seccomp.rule\t/linux/seccomp/syscalls/0\tSCMP_ACT_ALLOW\t\tread\t0:SCMP_CMP_IS:1:0')
    [[ $output == "oci-seccomp: /linux/seccomp/syscalls/0: unknown seccomp operator 'SCMP_CMP_IS'" ]]
}

@test "NOTIFY is refused for write and as the default action" {
    run -1 oci-seccomp compile < <(plan "$DENY" 'seccomp.rule\t/linux/seccomp/syscalls/0\tSCMP_ACT_NOTIFY\t\twrite')
    [[ $output == "oci-seccomp: /linux/seccomp/syscalls/0: SCMP_ACT_NOTIFY cannot be used for the write syscall" ]]

    run -1 oci-seccomp compile < <(plan 'seccomp.default\t/linux/seccomp/defaultAction\tSCMP_ACT_NOTIFY\t')
    [[ $output == "oci-seccomp: /linux/seccomp/defaultAction: SCMP_ACT_NOTIFY cannot be used as default action" ]]
}

@test "an unknown name is passed over in silence, told with --verbose, refused with --strict" {
    plan "$DENY" 'seccomp.rule\t/linux/seccomp/syscalls/0\tSCMP_ACT_ALLOW\t\tread,no_such_call' >plan

    run -0 --separate-stderr oci-seccomp compile -o filter <plan
    [[ $stderr == "" ]]

    run -0 --separate-stderr oci-seccomp compile -o filter --verbose <plan
    [[ $stderr == "oci-seccomp: warning: /linux/seccomp/syscalls/0: 'no_such_call' is no system call that libseccomp knows; passed over" ]]

    run -1 --separate-stderr oci-seccomp compile --strict <plan
    [[ $stderr == "oci-seccomp: /linux/seccomp/syscalls/0: unknown system call 'no_such_call'" ]]
}

@test "a directive of its own that it does not know is refused, those of other stages are not" {
    run -0 oci-seccomp compile -o filter < <(plan 'init.from-the-future\t-\tx' "$DENY")
    run -1 oci-seccomp compile < <(plan "$DENY" 'seccomp.from-the-future\t-\tx')

    [[ $output == "oci-seccomp: plan line 3: unknown directive 'seccomp.from-the-future'" ]]
}

@test "wrong usage ends with 2" {
    run -2 oci-seccomp compile --no-such-option </dev/null
    [[ $output == "oci-seccomp: unknown option '--no-such-option'; 'oci-seccomp compile --help' tells more" ]]
    run -2 oci-seccomp compile plan </dev/null
    [[ $output == "oci-seccomp: 'compile': unexpected argument 'plan'; 'oci-seccomp compile --help' tells more" ]]
    run -2 oci-seccomp compile --plan-fd 77 </dev/null
    [[ $output == "oci-seccomp: --plan-fd: descriptor 77 is not open" ]]
    run -2 oci-seccomp
}

@test "with --error-fd an error goes there in wire form and nothing to standard error" {
    run -1 --separate-stderr oci-seccomp --error-fd 5 compile 5>errors < <(plan "$DENY" 'seccomp.rule\t/linux/seccomp/syscalls/3\tSCMP_ACT_FOO\t\tread')

    [[ $stderr == "" ]]
    [[ $(<errors) == $'oci-seccomp\t0\t1\t/linux/seccomp/syscalls/3\tunknown seccomp action \'SCMP_ACT_FOO\'' ]]
}

@test "a full standard output is an error" {
    run -1 --separate-stderr bash -c 'oci-seccomp compile >/dev/full' < <(plan "$DENY" "$ALLOW_READ")

    [[ $stderr == "oci-seccomp: standard output: cannot write: No space left on device" ]]
}

@test "a large profile in the engines' format compiles, and a shell runs under it" {
    requires root jq
    profile=/usr/share/containers/seccomp.json
    [[ -e $profile ]] || skip "needs $profile (golang-github-containers-common)"
    [[ $(uname -m) == x86_64 ]] || skip "the converter is told the architecture of x86-64"
    jq -r --arg arch SCMP_ARCH_X86_64 --argjson errno 1 -f "$TESTS_DIR/oci-seccomp/profile-to-plan.jq" "$profile" >plan

    oci-seccomp compile <plan >filter

    (($(stat -c %s filter) < 4096 * 8))
    run -0 oci-seccomp load filter -- sh -c 'echo "$(id -u)" | cat'
    [[ $output == "$EUID" ]]
    run -125 oci-seccomp load filter -- chroot / true
    [[ $output == "chroot: cannot change root directory to '/': Operation not permitted" ]]
    # Allowed by the first conditions of its rules, not by others.
    run -0 oci-seccomp load filter -- make-syscall personality 0xffffffff
    [[ $output == "ok "* ]]
    run -0 oci-seccomp load filter -- make-syscall personality 0x0040000
    [[ $output == EPERM ]]
    # AF_NETLINK with NETLINK_AUDIT.
    run -0 oci-seccomp load filter -- make-syscall socket 16 3 9
    [[ $output == EINVAL ]]
    run -0 oci-seccomp load filter -- make-syscall socket 16 3 0
    [[ $output == "ok "* ]]
    run -0 oci-seccomp load filter -- make-syscall 1000
    [[ $output == ENOSYS ]]
}

@test "the pipeline from config.json to a program under its filter works" {
    requires oci-spec jq
    oci-spec new | jq '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{names: ["getppid"], action: "SCMP_ACT_ERRNO", errnoRet: 6}]}' >config.json

    oci-spec plan <config.json | oci-seccomp compile >f.bpf

    run -0 oci-seccomp load f.bpf -- make-syscall getppid
    [[ $output == ENXIO ]]
}
