#!/usr/bin/env bats
# oci-cgroup create: directories, journal, failures. What the limits are is in limits_*.bats.

load ../helpers
load cgroups

@test "create makes the cgroup in every hierarchy and prints one line for each" {
    run -0 --separate-stderr oci-cgroup create "$BOX"

    [[ $stderr == "" ]]
    ((${#lines[@]} == $(hierarchies)))
    for line in "${lines[@]}"; do
        IFS=$'\t' read -r version controllers mountpoint path < <(sed 's/\t\t/\t-\t/' <<<"$line")
        [[ $version == [12] && $path == "$BOX" ]]
        [[ $version == 2 ]] || [[ $controllers != - ]]
        [[ -d $mountpoint$path ]]
    done
    oci-cgroup delete "$BOX"
}

@test "create on cgroup v2 prints the one line of the unified hierarchy" {
    requires cgroup_v2

    run -0 oci-cgroup create "$BOX"

    [[ $output == $'2\t\t/sys/fs/cgroup\t'"$BOX" ]]
    oci-cgroup delete "$BOX"
}

@test "missing parents are made too, and stay when the cgroup is deleted" {
    oci-cgroup create "$BOX/a/b" >/dev/null

    oci-cgroup delete "$BOX/a/b"

    [[ -d $(dir pids "$BOX/a") && ! -e $(dir pids "$BOX/a/b") ]]
    oci-cgroup delete "$BOX"
}

@test "an empty cgroup that is there already is taken over" {
    mkdir "$(dir pids)"

    run -0 oci-cgroup create --pids 7 "$BOX"

    [[ $(value pids pids.max) == 7 ]]
    oci-cgroup delete "$BOX"
}

@test "a cgroup with a process in it is refused, by the process's number, and left as it is" {
    oci-cgroup create --pids 7 "$BOX" >/dev/null
    start_in "$BOX"

    run -1 --separate-stderr oci-cgroup create --pids 8 "$BOX"

    [[ $stderr == "oci-cgroup: container's cgroup is not empty: cgroup '$BOX' has processes $PID" ]]
    [[ $output == "" ]]
    [[ $(value pids pids.max) == 7 ]]
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "a cgroup with a process in a cgroup below it is refused" {
    oci-cgroup create "$BOX" >/dev/null
    oci-cgroup create "$BOX/below" >/dev/null
    start_in "$BOX/below"

    run -1 --separate-stderr oci-cgroup create "$BOX"

    [[ $stderr == *"container's cgroup is not empty: cgroup '$BOX' has processes $PID" ]]
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "a frozen cgroup is refused" {
    oci-cgroup create "$BOX" >/dev/null
    if [[ $(cgroup_layout) == v2 ]]; then
        echo 1 >"$(dir freezer)/cgroup.freeze"
    else
        echo FROZEN >"$(dir freezer)/freezer.state"
    fi

    run -1 --separate-stderr oci-cgroup create "$BOX"

    [[ $stderr == "oci-cgroup: container's cgroup is frozen: '$(dir freezer)'" ]]
    oci-cgroup delete "$BOX"
}

@test "a path that leads up, or names the root, is refused" {
    for path in "$BOX/../x" .. "../$TEST_ID" / /. ./; do
        run -1 --separate-stderr oci-cgroup create "$path"
        [[ $stderr == "oci-cgroup: cgroup path '$path' "* ]]
    done
    [[ $(our_cgroups) == "" ]]
}

@test "--name makes a cgroup below the caller's own on v1, beside it on v2" {
    oci-cgroup create "$BOX/caller" >/dev/null

    run -0 oci-cgroup join "$BOX/caller" -- oci-cgroup create --name "new$TEST_ID"

    case $(cgroup_layout) in
        v2) [[ $output == *"$BOX/new$TEST_ID" && -d $(dir pids "$BOX/new$TEST_ID") ]] ;;
        *) [[ $output == *$'\t'"$BOX/caller/new$TEST_ID"* && -d $(dir pids "$BOX/caller/new$TEST_ID") ]] ;;
    esac
    oci-cgroup delete "$BOX"
}

@test "a relative path is where a name would be" {
    oci-cgroup create "$BOX/caller" >/dev/null

    run -0 oci-cgroup join "$BOX/caller" -- oci-cgroup create "rel/$TEST_ID"

    case $(cgroup_layout) in
        v2) [[ -d $(dir pids "$BOX/rel/$TEST_ID") ]] ;;
        *) [[ -d $(dir pids "$BOX/caller/rel/$TEST_ID") ]] ;;
    esac
    oci-cgroup delete "$BOX"
}

@test "wrong usage exits 2 and makes nothing" {
    for words in "" "--name a/$TEST_ID" "--memory 1.5G $BOX" "--pids" "--foo $BOX" "$BOX extra" "--device nonsense $BOX" \
        "--cpus 1 --cpu-quota 5 $BOX" "--unified nothing $BOX" "--plan-fd 77 $BOX" "--cpus x $BOX" \
        "--pid 4294967297 $BOX" "--pid -1 $BOX" "--pid 0 $BOX"; do
        # shellcheck disable=SC2086  # words
        run -2 --separate-stderr oci-cgroup create $words
        [[ $stderr == "oci-cgroup: "* && $output == "" ]]
    done
    [[ $(our_cgroups) == "" ]]
}

@test "a refused limit exits 1, says which, and leaves no cgroup behind, no parent either" {
    run -1 --separate-stderr oci-cgroup create --memory 64M --pids -7 "$BOX/a/b"

    [[ $stderr == "oci-cgroup: --pids: cannot write '-7' to 'pids.max': Invalid argument" ]]
    [[ $output == "" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "an option's number that is none is refused before anything is made" {
    for option in pids cpu-quota cpu-period cpu-burst cpu-idle cpu-rt-period cpu-rt-runtime cpu-shares io-weight; do
        run -2 --separate-stderr oci-cgroup create "--$option" abc "$BOX"
        [[ $stderr == "oci-cgroup: --$option: 'abc': expected a whole number" ]]
    done

    [[ $(our_cgroups) == "" ]]
}

@test "an error in the plan's limits begins with the JSON pointer" {
    plan 'cgroup.path\t/linux/cgroupsPath\t'"$BOX" 'cgroup.pids.limit\t/linux/resources/pids/limit\t-7'

    run -1 --separate-stderr oci-cgroup create --plan-fd 5 5<plan

    [[ $stderr == "oci-cgroup: /linux/resources/pids/limit: cannot write '-7' to 'pids.max': Invalid argument" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "errors go to --error-fd in wire form" {
    plan 'cgroup.path\t/linux/cgroupsPath\t'"$BOX" 'cgroup.pids.limit\t/linux/resources/pids/limit\t-7'

    run -1 --separate-stderr oci-cgroup --error-fd 6 create --plan-fd 5 5<plan 6>errors

    [[ $stderr == "" ]]
    [[ $(<errors) == $'oci-cgroup\t22\t1\t/linux/resources/pids/limit\t'"cannot write '-7' to 'pids.max'" ]]
}

@test "options decide over the plan, and a path over the plan's" {
    plan "cgroup.path\t/linux/cgroupsPath\t$BOX-plan" 'cgroup.pids.limit\t/linux/resources/pids/limit\t5'

    oci-cgroup create --plan-fd 5 --pids 6 "$BOX" 5<plan >/dev/null

    [[ $(value pids pids.max) == 6 ]]
    [[ ! -e $(dir pids "$BOX-plan") ]]
    oci-cgroup delete "$BOX"
}

@test "a plan from a pipe is read to its end" {
    plan "cgroup.path\t/linux/cgroupsPath\t$BOX" 'ns.new\t-\tpid' 'cgroup.pids.limit\t/linux/resources/pids/limit\t5'

    (cat plan) | oci-cgroup create --plan-fd 0 >/dev/null

    [[ $(value pids pids.max) == 5 ]]
    oci-cgroup delete "$BOX"
}

@test "a cgroup directive that is not known, and a plan cut short, are refused" {
    plan "cgroup.path\t/linux/cgroupsPath\t$BOX" 'cgroup.warp-speed\t/linux/resources/warp\t5'
    run -1 --separate-stderr oci-cgroup create --plan-fd 5 5<plan
    [[ $stderr == "oci-cgroup: plan line 3: unknown directive 'cgroup.warp-speed'" ]]

    printf 'plan 1\ncgroup.path\t-\t%s\n' "$BOX" >plan
    run -1 --separate-stderr oci-cgroup create --plan-fd 5 5<plan
    [[ $stderr == "oci-cgroup: plan: cut short (no 'end')" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "the journal names every directory, parents apart, the outermost first" {
    oci-cgroup create --journal-fd 5 "$BOX/a/b" 5>>journal >/dev/null

    pids=$(realpath "$(dir pids)")
    run -0 grep "$pids" journal
    [[ ${lines[0]} == $'cgroup-parent\t'"$pids" ]]
    [[ ${lines[1]} == $'cgroup-parent\t'"$pids/a" ]]
    [[ ${lines[2]} == $'cgroup\t'"$pids/a/b" ]]
    (($(wc -l <journal) == 3 * $(hierarchies)))
    oci-cgroup delete "$BOX"
}

@test "a cgroup that was taken over is journalled, one that was refused is not" {
    oci-cgroup create "$BOX" >/dev/null
    oci-cgroup create --journal-fd 5 "$BOX" 5>>taken >/dev/null
    start_in "$BOX"
    run -1 oci-cgroup create --journal-fd 5 "$BOX" 5>>refused

    (($(grep -c $'^cgroup\t' taken) == $(hierarchies)))
    [[ $(<refused) == "" ]]
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "a cgroup that somebody makes at the same moment is not ours: an error, and the journal takes it back" {
    oci-cgroup --test-step 2:19 create --journal-fd 5 "$BOX" 5>>journal 3>&- >out 2>err &
    creator=$!
    wait_until is_stopped "$creator"
    theirs=$(sed -n 's/^cgroup\t//p;q' journal)
    mkdir "$theirs"

    kill -CONT "$creator"
    status=0
    wait "$creator" || status=$?

    ((status == 1))
    [[ $(<err) == "oci-cgroup: cgroup '$theirs' was made by somebody else at the same time: File exists" ]]
    [[ $(tail -n 1 journal) == $'cgroup-not-ours\t'"$theirs" ]]
    [[ $(our_cgroups) == "$theirs" ]]
    rmdir "$theirs"
}
is_stopped() { [[ $(sed 's/.*) //' "/proc/$1/stat") == T* ]]; } 2>/dev/null

@test "TAB and backslash in a path are escaped in the journal and in the output" {
    run -0 oci-cgroup create --journal-fd 5 "$BOX"$'\t\\x' 5>>journal

    [[ $output == *"$BOX"'\t\\x'* ]]
    grep -qF "$BOX"'\t\\x' journal
    oci-cgroup delete "$BOX"$'\t\\x'
}

@test "killed at any step, create leaves no directory that the journal does not name" {
    count=0
    for ((step = 1; step < 300; step++)); do
        : >journal
        status=0
        oci-cgroup --test-step "$step:9" create --journal-fd 5 --pids 9 --memory 64M --device 'deny a' "$BOX/a" 5>>journal >/dev/null 2>&1 || status=$?
        while read -r directory; do
            grep -qxF -e $'cgroup\t'"$directory" -e $'cgroup-parent\t'"$directory" journal || [[ ! -d $directory || -L ${directory%/*} ]]
            count=$((count + 1))
        done < <(our_cgroups)
        # Cgroups of others go while find looks: no reason to fail.
        find /sys/fs/cgroup -maxdepth 4 -depth -type d -path "*$BOX*" -exec rmdir {} + 2>/dev/null || true
        ((status != 0)) || break
        ((status == 137))
    done
    ((status == 0 && step > 5 && count > 5))
}

@test "without room for the journal nothing is made" {
    run -1 --separate-stderr oci-cgroup create --journal-fd 5 "$BOX" 5>/dev/full

    [[ $stderr == "oci-cgroup: cannot write the journal: No space left on device" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "a cgroup whose location cannot be told is removed again" {
    run -1 --separate-stderr bash -c 'oci-cgroup create "$1" >/dev/full' - "$BOX"

    [[ $stderr == "oci-cgroup: standard output: cannot write: No space left on device" ]]
    [[ $(our_cgroups) == "" ]]
}

@test "create works where openat2 is denied" {
    for word in openat2 openat2:1; do
        deny-syscall "$word" -- oci-cgroup create --pids 5 "$BOX" >/dev/null
        [[ $(value pids pids.max) == 5 ]]
        deny-syscall "$word" -- oci-cgroup delete "$BOX"
    done
}

@test "--help and --version work, for the program and for each verb" {
    run -0 oci-cgroup --help
    [[ $output == *create*join*kill*delete* ]]
    run -0 oci-cgroup --version
    [[ $output == "oci-cgroup version "* ]]
    for verb in create update join kill ps freeze thaw delete; do
        run -0 oci-cgroup "$verb" --help
        [[ $output == *"usage: oci-cgroup $verb"* ]]
    done
    run -2 oci-cgroup frobnicate
}
