// oci-cgroup prepare: makes a cgroup that has processes one that can have children with controllers.
#include "commands.h"

#include "fd/fd.h"
#include "scan/scan.h"
#include "stage/stage.h"
#include "unified.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

/// Moves all processes of `from` into `to`, also those that are born meanwhile.
Result<void> move_processes(const CgroupDir& from, const CgroupDir& to)
{
    for (int round = 0; round < 1000; round++) {
        std::vector<pid_t> pids = TRY(from.own_processes());
        if (pids.empty())
            return {};
        for (pid_t pid : pids) {
            if (pid == 0)
                return Error{"'" + from.name() + "' has processes of another pid namespace, which cannot be moved from here"};
            Result<void> moved = to.write("cgroup.procs", std::to_string(pid));
            // ESRCH: it has just ended.
            if (!moved.has_value() && moved.error().error_number != ESRCH)
                return std::move(moved).with_context("cannot move process " + std::to_string(pid) + " to '" + to.name() + "'");
        }
    }
    return Error{"'" + from.name() + "' gets new processes faster than they can be moved"};
}

class Preparation {
public:
    Preparation(OpenCgroup cgroup, std::string leaf) : cgroup_(std::move(cgroup)), leaf_name_(std::move(leaf)) {}

    /// All that would hurt is refused before anything is changed.
    Result<void> check(const std::vector<std::string>& controllers, bool force) const
    {
        const std::string name = "'" + cgroup_.location.path + "'";
        const std::string available = TRY(cgroup_.dir.read("cgroup.controllers"));
        for (const std::string& controller : controllers)
            if (!has_word(available, controller))
                return Error{name + " does not have the controller '" + controller + "' itself; 'oci-cgroup why " + cgroup_.location.path + " " + controller + "' says why"};
        if (available.empty())
            return Error{name + " has no controllers to hand on; 'oci-cgroup why " + cgroup_.location.path + "' says why"};
        std::string type = TRY(type_of(cgroup_.dir));
        if (type != "domain")
            return Error{name + " is threaded (cgroup.type '" + type + "'): it cannot hand on all controllers"};
        if (TRY(cgroup_.dir.is_frozen()))
            return Error{name + " is frozen; thaw it first"};
        std::string unit = undelegated_unit(cgroup_.location);
        if (!unit.empty() && !force)
            return Error{name + " belongs to systemd's unit " + unit + ", which expects its processes where it has put them: give it 'Delegate=yes', or --force"};
        std::vector<pid_t> inside = is_true_root(cgroup_.dir) ? std::vector<pid_t>() : TRY(cgroup_.dir.own_processes());
        if (contains_unnamed(inside))
            return Error{name + " has processes of another pid namespace, which cannot be moved from here"};
        return {};
    }

    /// Undoes everything if anything is refused.
    Result<void> prepare(const std::vector<std::string>& controllers)
    {
        if (!is_true_root(cgroup_.dir) && !TRY(cgroup_.dir.own_processes()).empty())
            TRY(move_to_leaf());
        ScopeExit move_back([&] { (void)undo_made().has_value(); });
        const std::string handed_on = TRY(cgroup_.dir.read("cgroup.subtree_control"));
        for (const std::string& controller : controllers)
            if (!has_word(handed_on, controller))
                TRY(hand_on(controller));
        move_back.dismiss();
        return {};
    }

    /// The inverse: no controllers for children, the leaf's processes back in the cgroup.
    Result<void> undo()
    {
        std::vector<std::string> others;
        for (std::string& child : TRY(cgroup_.dir.child_names()))
            if (child != leaf_name_)
                others.push_back(std::move(child));
        if (!others.empty())
            return Error{"'" + cgroup_.location.path + "' has the cgroup '" + others[0] + "' below it" + (others.size() > 1 ? " and " + std::to_string(others.size() - 1) + " more" : "") +
                         ", which would lose the controllers"};
        if (is_true_root(cgroup_.dir))
            return Error{"'/' is the root of the hierarchy: its controllers belong to everybody"};
        leaf_ = TRY(cgroup_.dir.child(leaf_name_));
        if (!leaf_)
            return Error{"'" + cgroup_.location.path + "' has no cgroup '" + leaf_name_ + "': it was not prepared, or with another --leaf"};
        std::vector<std::string> below = TRY(leaf_->child_names());
        if (!below.empty())
            return Error{"'" + leaf_->name() + "' has cgroups below it"};
        made_leaf_ = true;
        const std::string handed_on = TRY(cgroup_.dir.read("cgroup.subtree_control"));
        for (std::string_view controller : words_of(handed_on))
            handed_on_.emplace_back(controller);
        return undo_made();
    }

private:
    static bool contains_unnamed(const std::vector<pid_t>& pids) { return std::find(pids.begin(), pids.end(), 0) != pids.end(); }

    Result<void> move_to_leaf()
    {
        stage::step("make cgroup " + leaf_name_);
        made_leaf_ = ::mkdirat(cgroup_.dir.fd(), leaf_name_.c_str(), 0755) == 0;
        if (!made_leaf_ && errno != EEXIST)
            return errno_error("cannot make cgroup '" + cgroup_.location.directory() + "/" + leaf_name_ + "'");
        leaf_ = TRY(cgroup_.dir.child(leaf_name_));
        if (!leaf_)
            return Error{"cgroup '" + leaf_name_ + "' has just been removed"};
        stage::step("move the processes");
        Result<void> moved = move_processes(cgroup_.dir, *leaf_);
        if (!moved.has_value())
            (void)undo_made().has_value();
        return moved;
    }

    Result<void> hand_on(const std::string& controller)
    {
        stage::step("hand on " + controller);
        for (int round = 0;; round++) {
            Result<void> written = cgroup_.dir.write("cgroup.subtree_control", "+" + controller);
            if (written.has_value())
                break;
            // EBUSY: a process was born between the move and now, in a cgroup that we have emptied.
            if (written.error().error_number != EBUSY || !leaf_ || round == 10)
                return std::move(written).with_context("'" + cgroup_.location.path + "'");
            TRY(move_processes(cgroup_.dir, *leaf_));
        }
        handed_on_.push_back(controller);
        return {};
    }

    Result<void> undo_made()
    {
        for (const std::string& controller : handed_on_)
            TRY(cgroup_.dir.write("cgroup.subtree_control", "-" + controller));
        if (!made_leaf_ || !leaf_)
            return {};
        TRY(move_processes(*leaf_, cgroup_.dir));
        if (::unlinkat(cgroup_.dir.fd(), leaf_name_.c_str(), AT_REMOVEDIR) < 0)
            return errno_error("cannot remove cgroup '" + leaf_->name() + "'");
        return {};
    }

    OpenCgroup cgroup_;
    std::string leaf_name_;
    std::optional<CgroupDir> leaf_;
    bool made_leaf_ = false;
    std::vector<std::string> handed_on_;
};

}  // namespace

static Result<int> run_prepare(const Arguments&, const Arguments& arguments)
{
    const std::string& path = arguments.positionals()[0];
    const std::string leaf = arguments.value("leaf", "init");
    if (leaf.empty() || leaf.find('/') != std::string::npos || leaf == "." || leaf == "..")
        return Error{"--leaf: '" + leaf + "' is not the name of a cgroup", 0, {}, exit_usage};
    std::optional<CgroupLocation> location = TRY(locate_unified(TRY(find_hierarchies()), path));
    if (!location)
        return Error{"this host has cgroup v1 alone, where a cgroup may have processes and children: there is nothing to prepare"};
    std::optional<OpenCgroup> cgroup = TRY(open_existing(*location));
    if (!cgroup)
        return Error{"cgroup '" + path + "' does not exist in the v2 hierarchy", ENOENT};

    std::vector<std::string> controllers = arguments.values("controller");
    if (controllers.empty())
        for (const std::string available = TRY(cgroup->dir.read("cgroup.controllers")); std::string_view word : words_of(available))
            controllers.emplace_back(word);
    Preparation preparation(std::move(*cgroup), leaf);
    if (arguments.has("undo")) {
        TRY(preparation.undo());
        return exit_done;
    }
    TRY(preparation.check(controllers, arguments.has("force")));
    TRY(preparation.prepare(controllers));
    return exit_done;
}

static constexpr Option prepare_options[] = {
    {"controller", 'c', "NAME", "hand on this one; may be repeated; all by default"},
    {"leaf", 0, "NAME", "the cgroup that the processes go to; 'init' by default"},
    {"undo", 0, "", "move them back, and hand on nothing"},
    {"force", 0, "", "also a unit of systemd that is not delegated"},
};

const Command prepare_command{"prepare", "PATH", "move the cgroup's processes into one below it, so that it can hand on controllers", prepare_options,
                              OptionOrder::anywhere, 1, 1, run_prepare};
