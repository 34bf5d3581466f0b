# What the tests of oci-cgroup share. Every cgroup of a test has $TEST_ID in its name; /$TEST_ID is $BOX.

setup()
{
    ocirun_setup
    requires root
    BOX=/$TEST_ID
}

# dir CONTROLLER [PATH]: where the cgroup PATH ($BOX) is in that controller's hierarchy.
dir()
{
    if [[ $(cgroup_layout) == v2 ]]; then
        echo "/sys/fs/cgroup${2:-$BOX}"
    else
        echo "/sys/fs/cgroup/$1${2:-$BOX}"
    fi
}

# value CONTROLLER FILE: its content.
value() { cat "$(dir "$1")/$2"; }

# The hierarchies of this host.
hierarchies() { grep -cE ' - cgroup2? ' /proc/self/mountinfo; }

# plan LINE...: a plan at ./plan; `\t` stands between fields.
plan()
{
    local line
    {
        echo "plan 1"
        for line; do
            printf '%b\n' "$line"
        done
        echo end
    } >plan
}

# start_in PATH: a sleeping process in that cgroup. Sets PID.
start_in()
{
    oci-cgroup join "$1" -- sleep 1000 3>&- 5>&- &
    PID=$!
    wait_until is_sleeping "$PID"
}
is_sleeping() { [[ $(tr '\0' ' ' <"/proc/$1/cmdline") == "sleep 1000 " ]]; } 2>/dev/null

# end PID: kills and reaps one of our own.
end()
{
    kill -KILL "$1"
    wait "$1" 2>/dev/null || true
}
