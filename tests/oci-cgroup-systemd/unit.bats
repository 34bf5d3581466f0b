#!/usr/bin/env bats
# Transient units: made, changed, attached to, stopped.
load ../helpers
load units

UNIT() { echo "x-$TEST_ID.scope"; }
cgroup_of_process() { sed -n 's/^0:://p; s/^1:name=systemd://p' "/proc/$1/cgroup" | head -n 1; }

sleeper()
{
    sleep 300 3>&- &
    SLEEPER=$!
}

@test "wrong usage exits 2 and names what is wrong" {
    run -2 --separate-stderr oci-cgroup-systemd start --pid 1 x.service
    [[ $stderr == "oci-cgroup-systemd: unit 'x.service': expected a name that ends in .scope or .slice" ]]

    run -2 --separate-stderr oci-cgroup-systemd start x.scope
    [[ $stderr == *"a scope needs a process: give --pid PID"* ]]
    run -2 --separate-stderr oci-cgroup-systemd start --pid 1 x.slice
    [[ $stderr == *"a slice has no processes of its own"* ]]
    run -2 --separate-stderr oci-cgroup-systemd start --pid 0 x.scope
    [[ $stderr == *"--pid: '0': expected a process id"* ]]
    run -2 --separate-stderr oci-cgroup-systemd start --pid 1 --user --system x.scope
    [[ $stderr == *"--user and --system: give either"* ]]
    run -2 --separate-stderr oci-cgroup-systemd start --pid 1 -p 'MemoryMax=lots' x.scope
    [[ $stderr == *"property 'MemoryMax': value 'lots': found 'lots', expected a value in GVariant's text format; text stands in quotes"* ]]
    run -2 --separate-stderr oci-cgroup-systemd set x.scope
    [[ $stderr == *"'set' needs --property NAME=VALUE"* ]]
}

@test "where no systemd runs it says so and exits 3" {
    requires no_systemd

    run -3 --separate-stderr oci-cgroup-systemd start --system --pid $$ x.scope

    [[ $output == "" && $stderr == "oci-cgroup-systemd: systemd does not run here: there is no /run/systemd/system"* ]]
}

@test "where the user has no manager it says how there is one and exits 3" {
    run -3 --separate-stderr env XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR/no where" DBUS_SESSION_BUS_ADDRESS= oci-cgroup-systemd start --user --pid $$ x.scope

    [[ $output == "" ]]
    [[ $stderr == "oci-cgroup-systemd: cannot connect to the user's systemd at 'unix:path=$BATS_TEST_TMPDIR/no%20where/bus'; it runs in a login session or with 'loginctl enable-linger'"*": No such file or directory" ]]
}

@test "start moves the process into a scope in its slice and prints its cgroup; stop --kill leaves nothing" {
    requires root systemd
    sleeper

    run -0 --separate-stderr oci-cgroup-systemd start --pid "$SLEEPER" --slice ocirun-tests.slice --description "a box" -p 'TasksMax=uint64 7' "$(UNIT)"

    [[ $output == "/ocirun.slice/ocirun-tests.slice/$(UNIT)" && $stderr == "" ]]
    [[ $(cgroup_of_process "$SLEEPER") == "$output" ]]
    [[ $(property_of "$(UNIT)" Description) == "a box" && $(property_of "$(UNIT)" TasksMax) == 7 ]]

    run -0 --separate-stderr oci-cgroup-systemd set -p 'TasksMax=uint64 9' "$(UNIT)"
    [[ $output == "TasksMax=@t 7" && $stderr == "" && $(property_of "$(UNIT)" TasksMax) == 9 ]]

    run -0 --separate-stderr oci-cgroup-systemd stop --description "another" "$(UNIT)"
    is_running "$SLEEPER"
    run -0 --separate-stderr oci-cgroup-systemd stop --kill --description "a box" "$(UNIT)"
    [[ $output == "" && $stderr == "" ]]
    is_unknown "$(UNIT)"
    refute is_running "$SLEEPER"
    run -0 --separate-stderr oci-cgroup-systemd stop "$(UNIT)"
}

@test "a unit that runs is refused before it is in the journal, and goes on" {
    requires root systemd
    sleeper
    oci-cgroup-systemd start --pid "$SLEEPER" "$(UNIT)"
    : >journal

    run -1 --separate-stderr oci-cgroup-systemd start --pid $$ --journal-fd 5 "$(UNIT)" 5>>journal

    [[ $output == "" && $stderr == "oci-cgroup-systemd: unit '$(UNIT)' exists already; "* ]]
    [[ ! -s journal ]]
    is_running "$SLEEPER"
    oci-cgroup-systemd stop --kill "$(UNIT)"
}

@test "what is left of a unit that failed is replaced" {
    requires root systemd
    # A scope whose processes have to be killed at its end has failed, and systemd keeps it.
    sh -c 'trap "" TERM; exec sleep 300' 3>&- &
    local stubborn=$!
    busctl call --quiet org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartTransientUnit 'ssa(sv)a(sa(sv))' \
        "$(UNIT)" fail 2 PIDs au 1 "$stubborn" TimeoutStopUSec t 100000 0
    disown "$stubborn"
    systemctl stop "$(UNIT)"
    [[ $(systemctl is-failed "$(UNIT)") == failed ]]
    sleeper

    : >journal
    run -0 --separate-stderr oci-cgroup-systemd start --pid "$SLEEPER" --journal-fd 5 --description 'my box' "$(UNIT)" 5>>journal

    [[ $(cgroup_of_process "$SLEEPER") == "$output" ]]
    [[ $(cat journal) == $'unit\tsystem\t'"$(UNIT)"$'\tmy box' ]]
    oci-cgroup-systemd stop --kill "$(UNIT)"
}

@test "a scope is gone when its process has ended, however it did" {
    requires root systemd
    sleeper
    oci-cgroup-systemd start --pid "$SLEEPER" "$(UNIT)"

    disown "$SLEEPER"
    kill -KILL "$SLEEPER"

    wait_until is_unknown "$(UNIT)"
}

@test "a property that systemd refuses is an error with its words, and leaves no unit" {
    requires root systemd

    run -1 --separate-stderr oci-cgroup-systemd start --pid $$ -p NoSuchThing=true "$(UNIT)"
    [[ $stderr == "oci-cgroup-systemd: cannot start unit '$(UNIT)': Cannot set property NoSuchThing, or unknown property." ]]
    run -1 --separate-stderr oci-cgroup-systemd start --pid $$ -p MemoryMax=5 "$(UNIT)"
    [[ $stderr == "oci-cgroup-systemd: cannot start unit '$(UNIT)': "* ]]
    run -1 --separate-stderr oci-cgroup-systemd start --pid 4194303 "$(UNIT)"
    [[ $stderr == "oci-cgroup-systemd: cannot start unit '$(UNIT)': "*4194303* ]]
    run -1 --separate-stderr oci-cgroup-systemd set -p 'TasksMax=uint64 9' "$(UNIT)"

    is_unknown "$(UNIT)"
}

@test "a slice needs no process and stays until it is stopped" {
    requires root systemd

    run -0 --separate-stderr oci-cgroup-systemd start -p 'TasksMax=uint64 100' "ocirun-$TEST_ID.slice"
    [[ $output == "/ocirun.slice/ocirun-$TEST_ID.slice" && $(property_of "ocirun-$TEST_ID.slice" TasksMax) == 100 ]]

    oci-cgroup-systemd stop "ocirun-$TEST_ID.slice"
    is_unknown "ocirun-$TEST_ID.slice"
}

@test "set prints what the properties were, so that setting that undoes it" {
    requires root systemd
    sleeper
    local devices="DeviceAllow=@a(ss) [('/dev/null', 'rw')]"
    oci-cgroup-systemd start --pid "$SLEEPER" --description "it's \"a\" \\box" -p "DevicePolicy='strict'" -p "$devices" -p 'AllowedCPUs=[byte 1]' -p 'CPUWeight=uint64 50' "$(UNIT)"

    run -0 --separate-stderr oci-cgroup-systemd set -p "Description='other'" -p 'DeviceAllow=@a(ss) []' -p 'AllowedCPUs=@ay []' -p 'CPUWeight=uint64 70' -p 'CPUQuotaPerSecUSec=uint64 500000' "$(UNIT)"

    [[ $(property_of "$(UNIT)" DeviceAllow) == "" && $(property_of "$(UNIT)" CPUWeight) == 70 ]]
    [[ $output == "Description=@s 'it\\'s \"a\" \\\\box'"$'\n'"DeviceAllow=@a(ss) []"$'\n'"$devices"$'\n'"AllowedCPUs=@ay [1"*"]"$'\n'"CPUWeight=@t 50"$'\n'"CPUQuotaPerSecUSec=@t 18446744073709551615" ]] || { echo "$output"; false; }
    mapfile -t before <<<"$output"
    oci-cgroup-systemd set "${before[@]/#/--property=}" "$(UNIT)"
    [[ $(property_of "$(UNIT)" Description) == "it's \"a\" \\box" && $(property_of "$(UNIT)" CPUWeight) == 50 && $(property_of "$(UNIT)" CPUQuotaPerSecUSec) == infinity ]]
    [[ $(property_of "$(UNIT)" DeviceAllow) == "/dev/null rw" ]]
    oci-cgroup-systemd stop --kill "$(UNIT)"
}

@test "a limit that this systemd is too old for is passed over; a property is not" {
    requires root systemd
    sleeper

    # Before systemd 253 this one does not exist.
    oci-cgroup-systemd start --pid "$SLEEPER" --limit 'MemoryZSwapMax=uint64 4096' --limit 'TasksMax=uint64 7' "$(UNIT)"

    [[ $(property_of "$(UNIT)" TasksMax) == 7 ]]
    run oci-cgroup-systemd set --property 'MemoryZSwapMax=uint64 4096' "$(UNIT)"
    (($(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p') >= 253 ? status == 0 : status == 1))
    oci-cgroup-systemd stop --kill "$(UNIT)"
}

@test "attach moves a process into the unit and below it" {
    requires root systemd cgroup_v2
    sleeper
    local first=$SLEEPER
    oci-cgroup-systemd start --pid "$first" -p Delegate=true "$(UNIT)"
    sleeper

    oci-cgroup-systemd attach "$(UNIT)" "$SLEEPER"
    [[ $(cgroup_of_process "$SLEEPER") == "$(cgroup_of_process "$first")" ]]
    mkdir "/sys/fs/cgroup$(cgroup_of_process "$first")/inner"
    oci-cgroup-systemd attach --below /inner "$(UNIT)" "$SLEEPER"
    [[ $(cgroup_of_process "$SLEEPER") == "$(cgroup_of_process "$first")/inner" ]]

    oci-cgroup-systemd stop --kill "$(UNIT)"
}

@test "without a bus the manager's own socket does" {
    requires root systemd
    sleeper

    DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere oci-cgroup-systemd start --pid "$SLEEPER" "$(UNIT)"

    [[ $(cgroup_of_process "$SLEEPER") == "/system.slice/$(UNIT)" ]]
    DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere oci-cgroup-systemd stop --kill "$(UNIT)"
    is_unknown "$(UNIT)"
}
