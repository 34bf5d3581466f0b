#!/usr/bin/env bats
# oci-cgroup stat and events: what a cgroup uses.

load ../helpers
load cgroups

@test "stat prints limits and use, a line each" {
    oci-cgroup create --memory 32M --pids 20 "$BOX" >/dev/null
    start_in "$BOX"

    run -0 --separate-stderr oci-cgroup stat "$BOX"

    [[ $stderr == "" ]]
    [[ $output == *$'\nmemory.usage.limit 33554432\n'* ]]
    [[ $output == *$'\npids.current 1\npids.limit 20\n'* ]]
    (($(sed -n 's/^memory.usage.usage //p' <<<"$output") > 0))
    (($(sed -n 's/^cpu.usage.total //p' <<<"$output") > 0))
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "the processors and memory nodes that may be used are lists" {
    oci-cgroup why / cpuset >/dev/null || skip "needs the controller cpuset"
    oci-cgroup create --cpuset-cpus 0 "$BOX" >/dev/null

    oci-cgroup stat "$BOX" | grep -qx 'cpuset.cpus 0'
    oci-cgroup stat --json "$BOX" | jq -e '.cpuset.cpus == [0] and .cpuset.mems[0] == 0'
    oci-cgroup delete "$BOX"
}

@test "stat --json prints one line with the same" {
    oci-cgroup create --memory 32M --pids 20 "$BOX" >/dev/null
    start_in "$BOX"

    run -0 --separate-stderr oci-cgroup stat --json "$BOX"

    ((${#lines[@]} == 1))
    jq -e '.memory.usage.limit == 33554432 and .memory.usage.usage > 0 and .pids == {current: 1, limit: 20, peak: .pids.peak}
        and .cpu.usage.total > 0 and .memory.oom_kill == 0 and (.memory.raw | length > 10)' <<<"$output"
    end "$PID"
    oci-cgroup delete "$BOX"
}

@test "the time of the processor is in nanoseconds and grows with work" {
    oci-cgroup create "$BOX" >/dev/null
    before=$(oci-cgroup stat --json "$BOX" | jq .cpu.usage.total)

    oci-cgroup join "$BOX" -- timeout 0.3 sh -c 'while :; do :; done' || true

    used=$(($(oci-cgroup stat --json "$BOX" | jq .cpu.usage.total) - before))
    ((used > 10000000 && used < 3000000000))
    oci-cgroup delete "$BOX"
}

@test "throttling is counted" {
    oci-cgroup create --cpus 0.05 "$BOX" >/dev/null

    oci-cgroup join "$BOX" -- timeout 0.5 sh -c 'while :; do :; done' || true

    oci-cgroup stat --json "$BOX" | jq -e '.cpu.throttling | .periods > 0 and .throttledPeriods > 0 and .throttledTime > 0'
    oci-cgroup delete "$BOX"
}

# The disk, not the partition, that a folder is on, as MAJOR:MINOR.
disk_of()
{
    local number path
    number=$(stat -c %Hd:%Ld "$1")
    path=$(readlink -e "/sys/dev/block/$number") || return 1
    if [[ -e $path/partition ]]; then
        path=${path%/*}
    fi
    cat "$path/dev"
}

@test "what was written to a disk is counted by device and operation" {
    disk=$(disk_of "$BATS_TEST_TMPDIR") || skip "needs a file system on a disk of its own"
    oci-cgroup create "$BOX" >/dev/null
    # Newer kernels count on v1 only where there is a limit.
    if [[ $(cgroup_layout) != v2 ]]; then
        echo "$disk 1000000000" >"$(dir blkio)/blkio.throttle.write_bps_device"
    fi

    oci-cgroup join "$BOX" -- dd if=/dev/zero of=file bs=4k count=16 oflag=direct conv=fsync 2>/dev/null

    oci-cgroup stat --json "$BOX" | jq -e '[.blkio.ioServiceBytesRecursive[] | select(.op == "Write") | .value] | add >= 65536'
    oci-cgroup delete "$BOX"
}

@test "pressure is counted where there is a v2 hierarchy" {
    [[ $(cgroup_layout) != v1 ]] || skip "needs cgroup v2 or hybrid"
    [[ -e /proc/pressure/cpu ]] || skip "needs a kernel with pressure stall information"
    oci-cgroup create "$BOX" >/dev/null

    oci-cgroup stat --json "$BOX" | jq -e '.cpu.psi.some.avg10 == 0 and .memory.psi.full.total >= 0 and .blkio.psi.some.avg300 == 0'
    oci-cgroup delete "$BOX"
}

@test "memory and swap together, and swap alone" {
    oci-cgroup create --memory 32M --memory-swap 48M "$BOX" >/dev/null 2>&1 || { oci-cgroup delete --if-exists "$BOX"; skip "needs swap accounting"; }

    oci-cgroup stat --json "$BOX" | jq -e '.memory.swap.limit == 50331648 and .memory.swap_only.limit == 16777216'
    oci-cgroup delete "$BOX"
}

@test "stat of a cgroup that does not exist exits 1" {
    run -1 --separate-stderr oci-cgroup stat "$BOX"

    [[ $output == "" && $stderr == "oci-cgroup: cgroup '$BOX' does not exist in any hierarchy: No such file or directory" ]]
}

@test "events --stats prints a sample of each cgroup of a list" {
    oci-cgroup create "$BOX" >/dev/null
    oci-cgroup create "$BOX.2" >/dev/null

    run -0 oci-cgroup events --stats < <(printf 'one\t%s\ntwo\t%s' "$BOX" "$BOX.2")

    [[ $(jq -r '.type + " " + .id' <<<"$output") == "stats one"$'\n'"stats two" ]]
    oci-cgroup delete "$BOX"
    oci-cgroup delete "$BOX.2"
}

@test "events ends when the cgroup goes" {
    oci-cgroup create "$BOX" >/dev/null
    oci-cgroup events --interval 100ms "$BOX" >out 3>&- 5>&- &
    wait_until test -s out

    oci-cgroup delete "$BOX"

    wait $!
    [[ $(jq -r .type out | sort -u) == stats ]]
}

@test "events tells of an end by the process, and sleeps meanwhile" {
    oci-cgroup create "$BOX" >/dev/null
    start_in "$BOX"
    start=$(sed 's/.*) //' "/proc/$PID/stat" | cut -d ' ' -f 20)
    { printf 'box\t%s\t%s\t' "$PID" "$start"; find_locations; echo; } >list
    oci-cgroup events --interval 1h <list >out 3>&- 5>&- &
    events=$!
    wait_until test -s out
    ticks=$(sed 's/.*) //' "/proc/$events/stat" | cut -d ' ' -f 12,13)
    sleep 1
    [[ $(sed 's/.*) //' "/proc/$events/stat" | cut -d ' ' -f 12,13) == "$ticks" ]]

    end "$PID"

    wait "$events"
    (($(wc -l <out) == 1))
    oci-cgroup delete "$BOX"
}

# The locations of $BOX as `oci-cgroup create` printed them.
find_locations()
{
    local version controllers
    while IFS=: read -r version controllers path; do
        if ((version == 0)); then
            printf '\t2\t\t%s\t%s' "$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)" "$BOX"
        fi
    done <"/proc/$PID/cgroup"
}

@test "a bad list, interval or path is refused" {
    run -1 --separate-stderr oci-cgroup events --stats < <(echo nonsense)
    [[ $stderr == "oci-cgroup: standard input: 'nonsense': expected NAME TAB PATH" ]]
    run -2 --separate-stderr oci-cgroup events --interval 5x "$BOX"
    [[ $stderr == "oci-cgroup: --interval: '5x': expected a time such as 5s, 500ms or 1m30s" ]]
    run -1 oci-cgroup events "$BOX"
}
