#!/usr/bin/env bats
# oci-cgroup top: a table for people.

load ../helpers
load cgroups

@test "top prints a table: the busiest first, its time of the processor in percent, memory and pids with their limits" {
    oci-cgroup create --memory 32M --pids 9 "$BOX" >/dev/null
    oci-cgroup create "$BOX.busy" >/dev/null
    start_in "$BOX"
    oci-cgroup join "$BOX.busy" -- sh -c 'while :; do :; done' 3>&- 5>&- &
    busy=$!

    run -0 --separate-stderr oci-cgroup top --batch --count 1 --interval 500ms "$BOX" "$BOX.busy"

    end "$busy"
    end "$PID"
    [[ $stderr == "" ]]
    [[ ${lines[0]} =~ ^NAME\ +CPU%\ +MEMORY\ +LIMIT\ +PIDS\ +LIMIT\ +READ/s\ +WRITE/s$ ]]
    [[ ${lines[1]} =~ ^$BOX.busy\ +([0-9]+)\.[0-9]\ .*\ -\ +1\ +-\  ]]
    ((BASH_REMATCH[1] >= 5 && BASH_REMATCH[1] <= 110))
    [[ ${lines[2]} =~ ^$BOX\ +0\.[0-9]\ .*\ 32M\ +1\ +9\  ]]
    oci-cgroup delete "$BOX"
    oci-cgroup delete "$BOX.busy"
}

@test "top --sort name sorts by name; other words are refused" {
    oci-cgroup create "$BOX.b" >/dev/null
    oci-cgroup create "$BOX.a" >/dev/null

    run -0 oci-cgroup top -b -n 1 -d 100ms --sort name "$BOX.b" "$BOX.a"
    [[ ${lines[1]} == "$BOX.a "* && ${lines[2]} == "$BOX.b "* ]]
    run -2 --separate-stderr oci-cgroup top --sort size "$BOX.a"
    [[ $stderr == "oci-cgroup: --sort 'size': expected name, cpu, memory, pids or io" ]]
    oci-cgroup delete "$BOX.a"
    oci-cgroup delete "$BOX.b"
}

@test "top takes names and paths as a list, also while it runs" {
    oci-cgroup create "$BOX" >/dev/null
    mkfifo list
    oci-cgroup top --interval 200ms <list >out 3>&- 5>&- &
    top=$!
    exec {list}>list

    printf 'web\t%s\n' "$BOX" >&"$list"
    wait_until grep -q '^web ' out
    printf 'late\t%s\n' "$BOX" >&"$list"
    wait_until grep -q '^late ' out

    exec {list}>&-
    oci-cgroup delete "$BOX"
    wait "$top"
}

@test "a name cannot move the cursor" {
    oci-cgroup create "$BOX" >/dev/null

    run -0 oci-cgroup top -b -n 1 -d 100ms < <(printf 'a\033[2Jb\t%s\n' "$BOX")

    [[ ${lines[1]} == "a?[2Jb "* ]]
    oci-cgroup delete "$BOX"
}
