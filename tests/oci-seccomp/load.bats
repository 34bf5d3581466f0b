#!/usr/bin/env bats
# oci-seccomp load: becoming a program under a filter; and what each action and condition does to it.

load ../helpers

# filter_of DEFAULT RULE...: compiles to ./filter. RULE: `ACTION:ERRNO NAMES [CONDITION]...`.
filter_of()
{
    {
        echo "plan 1"
        printf 'seccomp.default\t-\t%s\t%s\n' "${1%%:*}" "$([[ $1 == *:* ]] && echo "${1#*:}")"
        local rule word
        for rule in "${@:2}"; do
            read -ra words <<<"$rule"
            [[ ${words[0]} == *:* ]] || words[0]+=:
            printf 'seccomp.rule\t-\t%s\t%s\t%s' "${words[0]%%:*}" "${words[0]#*:}" "${words[1]}"
            for word in "${words[@]:2}"; do
                printf '\tt%s' "$word"
            done | sed 's/\tt/\t/g'
            echo
        done
        echo "end"
    } | oci-seccomp compile >filter
}

@test "PROGRAM runs under the filter, with its arguments and its exit status" {
    filter_of SCMP_ACT_ALLOW

    run -7 oci-seccomp load filter -- sh -c 'grep ^Seccomp: /proc/self/status; echo "$0 $1"; exit 7' a 'b c'

    [[ ${lines[0]} == *2 ]]
    [[ ${lines[1]} == "a b c" ]]
}

@test "the two dashes before PROGRAM may be left out" {
    filter_of SCMP_ACT_ALLOW

    run -0 oci-seccomp load filter echo -n x
    [[ $output == x ]]
}

@test "ERRNO fails the call with the number of the rule, EPERM without one" {
    filter_of SCMP_ACT_ALLOW 'SCMP_ACT_ERRNO:6 getppid' 'SCMP_ACT_ERRNO getpid'

    run -0 oci-seccomp load filter -- make-syscall getppid
    [[ $output == ENXIO ]]
    run -0 oci-seccomp load filter -- make-syscall getpid
    [[ $output == EPERM ]]
}

@test "KILL and KILL_THREAD end the thread and leave the others" {
    for action in SCMP_ACT_KILL SCMP_ACT_KILL_THREAD; do
        filter_of SCMP_ACT_ALLOW "$action getppid"

        run -0 oci-seccomp load filter -- make-syscall --thread getppid
        [[ $output == survived ]]
        run -159 oci-seccomp load filter -- make-syscall getppid
        [[ $output == "" ]]
    done
}

@test "KILL_PROCESS ends the whole process with SIGSYS" {
    filter_of SCMP_ACT_ALLOW 'SCMP_ACT_KILL_PROCESS getppid'

    run -159 oci-seccomp load filter -- make-syscall --thread getppid
    [[ $output == "" ]]
}

@test "TRAP sends SIGSYS with the number of the call" {
    filter_of SCMP_ACT_ALLOW 'SCMP_ACT_TRAP getppid'

    run -0 oci-seccomp load filter -- make-syscall getppid
    [[ $output =~ ^SIGSYS\ [0-9]+\ 0$ ]]
}

@test "TRACE without a tracer fails the call with ENOSYS" {
    filter_of SCMP_ACT_ALLOW 'SCMP_ACT_TRACE:5 getppid'

    run -0 oci-seccomp load filter -- make-syscall getppid
    [[ $output == ENOSYS ]]
}

@test "LOG lets the call take place" {
    requires plain_build  # a sanitizer's start needs more system calls
    filter_of SCMP_ACT_ERRNO 'SCMP_ACT_ALLOW execve,exit_group,write,rt_sigaction,rt_sigprocmask,brk,mmap,arch_prctl,set_tid_address,set_robust_list,rseq,prlimit64,readlinkat,readlink,getrandom,mprotect' 'SCMP_ACT_LOG getppid'

    run -0 oci-seccomp load filter -- make-syscall getppid
    [[ $output == "ok "* ]]
    run -0 oci-seccomp load filter -- make-syscall personality 0
    [[ $output == EPERM || $output == ENOSYS ]]
}

@test "NOTIFY asks the listener, whose descriptor goes to --listener-fd" {
    filter_of SCMP_ACT_ALLOW 'SCMP_ACT_NOTIFY personality'

    run -0 notify-listener 6 oci-seccomp load --listener-fd 5 filter -- make-syscall personality 0xffffffff
    [[ ${lines[0]} == "asked "*" 4294967295" ]]
    [[ ${lines[1]} == ENXIO ]]

    run -0 notify-listener 0 oci-seccomp load --listener-fd 5 --flag WAIT_KILLABLE_RECV filter -- make-syscall personality 0xffffffff
    [[ ${lines[1]} == "ok "* ]]
}

@test "PROGRAM does not inherit the listener's socket nor the listener" {
    filter_of SCMP_ACT_ALLOW 'SCMP_ACT_NOTIFY personality'

    run -0 notify-listener 0 oci-seccomp load --listener-fd 5 filter -- sh -c 'ls -l /proc/self/fd; make-syscall personality 0xffffffff'

    [[ $output != *seccomp* && $output != *socket:* ]]
}

@test "a filter that asks a listener is refused when nobody would get it" {
    filter_of SCMP_ACT_ALLOW 'SCMP_ACT_NOTIFY personality'

    run -125 oci-seccomp load filter -- true
    [[ $output == "oci-seccomp: the filter asks a listener (SCMP_ACT_NOTIFY); '--listener-fd' says who takes its descriptor" ]]
}

@test "conditions on different arguments must all hold" {
    filter_of SCMP_ACT_ALLOW 'SCMP_ACT_ERRNO:6 close 0:SCMP_CMP_EQ:77:0 1:SCMP_CMP_EQ:5:0'

    run -0 oci-seccomp load filter -- make-syscall close 77 5
    [[ $output == ENXIO ]]
    run -0 oci-seccomp load filter -- make-syscall close 77 6
    [[ $output == EBADF ]]
    run -0 oci-seccomp load filter -- make-syscall close 78 5
    [[ $output == EBADF ]]
}

@test "conditions on one argument are alternatives" {
    filter_of SCMP_ACT_ALLOW 'SCMP_ACT_ERRNO:6 close 0:SCMP_CMP_EQ:77:0 0:SCMP_CMP_EQ:79:0'

    run -0 oci-seccomp load filter -- make-syscall close 77
    [[ $output == ENXIO ]]
    run -0 oci-seccomp load filter -- make-syscall close 78
    [[ $output == EBADF ]]
    run -0 oci-seccomp load filter -- make-syscall close 79
    [[ $output == ENXIO ]]
}

@test "every operator compares as it is named" {
    local case op value two hit miss
    for case in NE:77:0:78:77 LT:77:0:76:77 LE:77:0:77:78 EQ:77:0:77:78 GE:77:0:77:76 GT:77:0:78:77 MASKED_EQ:240:64:79:80; do
        IFS=: read -r op value two hit miss <<<"$case"
        # Only above 60, so that the program's own close(2) calls are left alone.
        filter_of SCMP_ACT_ALLOW "SCMP_ACT_ERRNO:6 close 0:SCMP_CMP_$op:$value:$two 1:SCMP_CMP_EQ:4242:0"

        run -0 oci-seccomp load filter -- make-syscall close "$hit" 4242
        [[ $output == ENXIO ]] || { echo "$case hit: $output"; return 1; }
        run -0 oci-seccomp load filter -- make-syscall close "$miss" 4242
        [[ $output == EBADF ]] || { echo "$case miss: $output"; return 1; }
    done
}

@test "calls newer than the profile get ENOSYS, older ones the default action" {
    requires plain_build  # a sanitizer's start needs more system calls
    filter_of SCMP_ACT_ERRNO 'SCMP_ACT_ALLOW execve,exit_group,write,rt_sigaction,rt_sigprocmask,brk,mmap,arch_prctl,set_tid_address,set_robust_list,rseq,prlimit64,readlinkat,readlink,getrandom,mprotect,statx'

    run -0 oci-seccomp load filter -- make-syscall getppid
    [[ $output == EPERM ]]
    run -0 oci-seccomp load filter -- make-syscall 1000
    [[ $output == ENOSYS ]]
}

@test "a filter for x86-64 alone kills a program that enters by int 0x80, one with SCMP_ARCH_X86 does not" {
    [[ $(uname -m) == x86_64 ]] || skip "needs an x86-64 kernel"
    [[ $(make-syscall --x86 20 2>/dev/null) == "ok "* ]] || skip "needs a kernel with 32-bit system calls"
    filter_of SCMP_ACT_ALLOW
    run -159 oci-seccomp load filter -- make-syscall --x86 20

    printf 'plan 1\nseccomp.default\t-\tSCMP_ACT_ALLOW\t\nseccomp.arch\t-\tSCMP_ARCH_X86\nseccomp.rule\t-\tSCMP_ACT_ERRNO\t6\tgetppid\nend\n' |
        oci-seccomp compile >filter
    run -0 oci-seccomp load filter -- make-syscall --x86 20
    [[ $output == "ok "* ]]
    run -0 oci-seccomp load filter -- make-syscall --x86 64
    [[ $output == ENXIO ]]
}

@test "a filter that allows nothing but execve and exit_group is enough to start a program" {
    requires plain_build  # a sanitizer's start needs more system calls
    filter_of SCMP_ACT_KILL_PROCESS 'SCMP_ACT_ALLOW execve,exit_group'

    # It gets as far as its own first system call.
    run -159 oci-seccomp load filter -- make-syscall getpid
    [[ $output == "" ]]
    # The kernel's own refusal behind the filter: the message cannot be written, the status is still right.
    filter_of SCMP_ACT_ERRNO 'SCMP_ACT_ALLOW execve,exit_group'
    : >not-a-program
    chmod +x not-a-program
    run -126 oci-seccomp load filter -- ./not-a-program
}

@test "a filter that denies execve is refused before it is loaded, with the reason" {
    filter_of SCMP_ACT_KILL_PROCESS 'SCMP_ACT_ALLOW exit_group'
    run -126 oci-seccomp load filter -- "$(command -v true)"
    [[ $output == "oci-seccomp: cannot execute '"*"/true': the filter denies execve(2) with SCMP_ACT_KILL_PROCESS" ]]

    filter_of SCMP_ACT_ALLOW 'SCMP_ACT_ERRNO:13 execve'
    run -126 oci-seccomp load filter -- true
    [[ $output == "oci-seccomp: cannot execute '"*"/true': the filter denies execve(2) with SCMP_ACT_ERRNO (13), Permission denied" ]]
}

@test "a caller with CAP_SYS_ADMIN keeps the right to gain privileges, unless --no-new-privs yes" {
    requires root
    filter_of SCMP_ACT_ALLOW

    run -0 oci-seccomp load filter -- grep NoNewPrivs /proc/self/status
    [[ $output == *0 ]]
    run -0 oci-seccomp load --no-new-privs yes filter -- grep NoNewPrivs /proc/self/status
    [[ $output == *1 ]]
}

@test "a caller without privileges gets no_new_privs, or with --no-new-privs no an error that says why" {
    requires root
    filter_of SCMP_ACT_ALLOW
    as_user true
    cp filter "$USER_DIR/filter"

    run -0 as_user oci-seccomp load filter -- grep NoNewPrivs /proc/self/status
    [[ $output == *1 ]]
    run -125 as_user oci-seccomp load --no-new-privs=no filter -- true
    [[ $output == "oci-seccomp: cannot load the system-call filter (it needs no_new_privs or CAP_SYS_ADMIN): Permission denied" ]]
}

@test "flags are known by name, with and without their prefix" {
    filter_of SCMP_ACT_ALLOW

    run -0 oci-seccomp load --flag SECCOMP_FILTER_FLAG_TSYNC --flag LOG --flag SPEC_ALLOW --flag WAIT_KILLABLE_RECV filter -- true
    run -2 oci-seccomp load --flag FOO filter -- true
    [[ $output == "oci-seccomp: unknown seccomp flag 'FOO'; known are "* ]]
}

@test "a filter that is missing, empty or broken is refused with 125" {
    run -125 oci-seccomp load missing -- true
    [[ $output == "oci-seccomp: cannot open 'missing': No such file or directory" ]]

    : >filter
    run -125 oci-seccomp load filter -- true
    [[ $output == "oci-seccomp: 'filter': the filter is empty: the plan that it comes from asks for none (no linux.seccomp in config.json), or compiling it failed" ]]

    echo "not a filter" >filter
    run -125 oci-seccomp load filter -- true
    [[ $output == "oci-seccomp: 'filter': the filter is not an array of struct sock_filter: 13 bytes are not a multiple of 8" ]]

    printf 'eight by' >filter
    run -125 oci-seccomp load filter -- true
    [[ $output == "oci-seccomp: the filter's instruction 0 is unknown" ]]
}

@test "a PROGRAM that is not there ends with 127, one that cannot be executed with 126" {
    filter_of SCMP_ACT_ALLOW
    echo text >plain

    run -127 oci-seccomp load filter -- no-such-program
    [[ $output == "oci-seccomp: cannot find 'no-such-program' in PATH: No such file or directory" ]]
    run -127 oci-seccomp load filter -- ./no-such-program
    run -126 oci-seccomp load filter -- ./plain
    [[ $output == "oci-seccomp: cannot execute './plain': Permission denied" ]]
    chmod +x plain
    run -126 oci-seccomp load filter -- ./plain
    [[ $output == "oci-seccomp: cannot execute './plain': Exec format error" ]]
    echo '#!/no/such/interpreter' >plain
    run -126 oci-seccomp load filter -- ./plain
    [[ $output == "oci-seccomp: cannot execute './plain': the interpreter that it names is missing: No such file or directory" ]]
}

@test "wrong usage ends with 2" {
    filter_of SCMP_ACT_ALLOW

    run -2 oci-seccomp load filter
    [[ $output == "oci-seccomp: 'load' needs FILE [--] PROGRAM [ARG]...; 'oci-seccomp load --help' tells more" ]]
    run -2 oci-seccomp load filter --
    [[ $output == "oci-seccomp: 'load' needs a PROGRAM" ]]
    run -2 oci-seccomp load --no-new-privs maybe filter -- true
    [[ $output == "oci-seccomp: --no-new-privs takes auto, yes or no, not 'maybe'" ]]
}

@test "options behind FILE belong to PROGRAM" {
    filter_of SCMP_ACT_ALLOW

    run -0 oci-seccomp load filter sh -c 'echo "$@"' sh --help --flag x
    [[ $output == "--help --flag x" ]]
}

@test "--help and --version work" {
    run -0 oci-seccomp --version
    [[ $output =~ ^oci-seccomp\ version\ [0-9.]+\ \(libseccomp\ [0-9.]+\)$ ]]
    run -0 oci-seccomp --help
    [[ $output == *compile* && $output == *load* ]]
    run -0 oci-seccomp load --help
    [[ $output == *"--no-new-privs"* ]]
}
