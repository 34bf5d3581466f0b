# What the tests of the v2 tree share.

# Skips where there is no v2 hierarchy whose root has a controller. Sets TREE (where it is mounted) and CONTROLLER.
requires_unified()
{
    local word
    case $(cgroup_layout) in
        v2) TREE=/sys/fs/cgroup ;;
        hybrid) TREE=/sys/fs/cgroup/unified ;;
        *) skip "needs a cgroup v2 hierarchy" ;;
    esac
    CONTROLLER=
    for word in $(<"$TREE/cgroup.controllers"); do
        case $word in
            hugetlb | memory | misc | rdma) CONTROLLER=$word ;;
        esac
    done
    [[ $CONTROLLER ]] || skip "needs a controller on cgroup v2"
    [[ " $(<"$TREE/cgroup.subtree_control") " == *" $CONTROLLER "* ]] || echo "+$CONTROLLER" >"$TREE/cgroup.subtree_control"
}
