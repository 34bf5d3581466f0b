# What the files of this folder share.

# only_child PID: the number of its one child.
only_child()
{
    local child
    read -r child _ <"/proc/$1/task/$1/children" || true
    echo "$child"
}
has_child() { [[ $(only_child "$1" 2>/dev/null) ]]; }

# kill_silently PID...: without a word of bash about its death.
kill_silently()
{
    disown "$@" 2>/dev/null || true
    kill -KILL "$@"
}
