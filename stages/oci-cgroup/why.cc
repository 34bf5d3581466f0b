// oci-cgroup why: which parent keeps a controller from a cgroup, and what to do about it.
#include "commands.h"

#include "fd/fd.h"
#include "scan/scan.h"
#include "unified.h"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace {

struct Answer {
    bool available = false;
    std::string words;
};

/// What /proc/cgroups says of a controller (man 7 cgroups); nothing: it is not listed.
struct KernelWord {
    bool enabled = true;
    bool bound_to_v1 = false;
};

std::optional<KernelWord> read_kernel_word(std::string_view controller)
{
    Result<std::string> text = read_file("/proc/cgroups", 1 << 20);
    if (!text.has_value())
        return std::nullopt;
    // The controllers of v2 that have another name there.
    std::string_view name = controller == "io" ? "blkio" : controller;
    for (std::string_view rest = text.value(); !rest.empty();) {
        // #subsys_name hierarchy num_cgroups enabled
        std::vector<std::string_view> fields = words_of(take_line(rest));
        if (fields.size() == 4 && fields[0] == name)
            return KernelWord{fields[3] == "1", fields[1] != "0"};
    }
    return std::nullopt;
}

/// These alone may be used in a threaded subtree (cgroup-v2.rst, "Threads").
bool is_threaded_controller(std::string_view controller)
{
    return controller == "cpu" || controller == "cpuset" || controller == "perf_event" || controller == "pids";
}

/// The root does not have it.
Result<std::string> why_not_at_root(const OpenCgroup& root, const std::string& controller)
{
    std::optional<KernelWord> word = read_kernel_word(controller);
    if (word && !word->enabled)
        return "switched off at boot: 'cgroup_disable=" + controller + "' on the kernel's command line";
    if (word && word->bound_to_v1)
        return std::string("a cgroup v1 hierarchy holds it that is not mounted here; it is free when that is unmounted and its cgroups are gone");
    if (!is_true_root(root.dir))
        return std::string("whoever started this container does not hand it on to it: start it with the controller delegated");
    return std::string("this kernel has no such controller for cgroup v2");
}

/// `parent` has it, and does not hand it on.
Result<std::string> why_not_below(const OpenCgroup& parent, const std::string& controller)
{
    const std::string name = "'" + parent.location.path + "'";
    const std::string file = parent.location.directory() + "/cgroup.subtree_control";
    std::string type = TRY(type_of(parent.dir));
    if (type == "domain invalid")
        return name + " is in a threaded subtree and is no part of it (cgroup.type 'domain invalid'): 'echo threaded' to its cgroup.type, or use another parent";
    if (type != "domain" && !is_threaded_controller(controller))
        return name + " is threaded (cgroup.type '" + type + "'), where only cpu, cpuset, perf_event and pids are handed on: use another parent";
    if (!is_true_root(parent.dir)) {
        Result<std::vector<pid_t>> inside = parent.dir.own_processes();
        if (inside.has_value() && !inside.value().empty())
            return name + " has processes itself (" + list_of(inside.value()) + "), so it cannot hand on controllers: 'oci-cgroup prepare " + parent.location.path +
                   "' moves them into a cgroup below it";
    }
    if (::faccessat(parent.dir.fd(), "cgroup.subtree_control", W_OK, AT_EACCESS) < 0)
        return name + " does not hand it on, and you are not permitted to change that: '" + file + "' has to be delegated to you (systemd: Delegate=" +
               controller + ")";
    std::string words = name + " does not hand it on: echo +" + controller + " >" + file;
    if (std::string unit = undelegated_unit(parent.location); !unit.empty())
        words += "; systemd takes it away again, unless " + unit + " has a unit below it that needs it or 'Delegate=yes'";
    return words;
}

Result<Answer> ask_unified(const CgroupLocation& location, const std::string& controller)
{
    std::optional<OpenCgroup> root = TRY(open_existing(CgroupLocation{2, "", location.mountpoint, "/"}));
    if (!root)
        return Error{"cannot open '" + location.mountpoint + "'", ENOENT};
    if (!has_word(TRY(root->dir.read("cgroup.controllers")), controller))
        return Answer{false, TRY(why_not_at_root(*root, controller))};
    // From the top: what a parent does not have, none below it can hand on.
    for (size_t end = 0; location.path != "/" && end != std::string::npos; end = location.path.find('/', end + 1)) {
        CgroupLocation above{2, "", location.mountpoint, end == 0 ? "/" : location.path.substr(0, end)};
        std::optional<OpenCgroup> parent = TRY(open_existing(above));
        if (!parent)
            return Answer{true, "'" + above.path + "' does not exist yet; 'oci-cgroup create' makes it, and switches it on"};
        if (!has_word(TRY(parent->dir.read("cgroup.subtree_control")), controller))
            return Answer{false, TRY(why_not_below(*parent, controller))};
    }
    return Answer{true, location.directory()};
}

Result<Answer> ask(const std::vector<Hierarchy>& hierarchies, const std::string& path, const std::string& controller)
{
    for (const Hierarchy& hierarchy : hierarchies)
        if (hierarchy.version == 1 && (hierarchy.has_controller(controller) || (controller == "io" && hierarchy.has_controller("blkio"))))
            return Answer{true, "cgroup v1, '" + hierarchy.mountpoint + "', where every cgroup has it"};
    if (std::optional<CgroupLocation> location = TRY(locate_unified(hierarchies, path)))
        return ask_unified(*location, controller);
    std::optional<KernelWord> word = read_kernel_word(controller);
    if (word && !word->enabled)
        return Answer{false, "switched off at boot: 'cgroup_disable=" + controller + "' on the kernel's command line"};
    return Answer{false, "no hierarchy with it is mounted: mount -t cgroup -o " + controller + " cgroup DIRECTORY"};
}

Result<std::vector<std::string>> all_controllers(const std::vector<Hierarchy>& hierarchies)
{
    std::vector<std::string> all{"cpu", "cpuset", "io", "memory", "pids", "hugetlb", "rdma", "misc"};
    if (std::optional<CgroupLocation> root = TRY(locate_unified(hierarchies, "/")))
        if (std::optional<OpenCgroup> cgroup = TRY(open_existing(*root))) {
            const std::string controllers = TRY(cgroup->dir.read("cgroup.controllers"));
            for (std::string_view word : words_of(controllers))
                if (std::find(all.begin(), all.end(), word) == all.end())
                    all.emplace_back(word);
        }
    return all;
}

}  // namespace

static Result<int> run_why(const Arguments&, const Arguments& arguments)
{
    const std::string& path = arguments.positionals()[0];
    std::vector<Hierarchy> hierarchies = TRY(find_hierarchies());
    std::vector<std::string> controllers(arguments.positionals().begin() + 1, arguments.positionals().end());
    if (controllers.empty())
        controllers = TRY(all_controllers(hierarchies));
    std::string text;
    bool complete = true;
    for (const std::string& controller : controllers) {
        Answer answer = TRY(ask(hierarchies, path, controller));
        complete = complete && answer.available;
        text += controller + std::string(controller.size() < 9 ? 10 - controller.size() : 1, ' ') + (answer.available ? "yes  " : "no   ") + answer.words + "\n";
    }
    TRY(write_all(STDOUT_FILENO, text).with_context("standard output"));
    return complete ? exit_done : exit_failed;
}

const Command why_command{"why", "PATH [CONTROLLER]...", "say which controllers the cgroup has, and which parent keeps the others from it", {},
                          OptionOrder::anywhere, 1, SIZE_MAX, run_why};
