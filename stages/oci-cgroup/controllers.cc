// The way of a controller from the root to a cgroup (Documentation/admin-guide/cgroup-v2.rst, "Controlling
// Controllers").
#include "controllers.h"

#include "hierarchy.h"
#include "scan/scan.h"
#include "stage/stage.h"

static constexpr std::string_view accounting[] = {"cpu", "io", "memory", "pids"};

static bool has_all(std::string_view words, std::span<const LimitWrite* const> needed,
                    std::span<const std::string_view> welcome)
{
    for (const LimitWrite* write : needed)
        if (!has_word(words, write->controller))
            return false;
    for (std::string_view controller : welcome)
        if (!has_word(words, controller))
            return false;
    return true;
}

static Result<void> enable(const CgroupDir& parent, std::string_view controller, bool has_processes)
{
    std::string name(controller);
    std::string available = TRY(parent.read("cgroup.controllers"));
    if (!has_word(available, controller))
        return parent.name() == "/"
                   ? Error{"no cgroup hierarchy has the controller '" + name + "'"}
                   : Error{"cgroup '" + parent_of(parent.name()) + "' does not delegate the controller '" + name +
                           "' to '" + parent.name() + "'"};
    const std::string attempted =
        "cgroup '" + parent.name() + "' cannot delegate the controller '" + name + "' to its children";
    if (has_processes)
        return Error{attempted + " as long as processes are in it", EBUSY};
    stage::step("enable a controller");
    Result<void> written = parent.write("cgroup.subtree_control", "+" + name);
    return written.has_value() ? Result<void>() : Error{attempted, written.error().error_number};
}

static Result<void> hand_on(const CgroupDir& parent, std::span<const LimitWrite* const> needed,
                            std::span<const std::string_view> welcome)
{
    std::string enabled = TRY(parent.read("cgroup.subtree_control"));
    if (has_all(enabled, needed, welcome))
        return {};
    // The kernel would let cpu and pids through, but then nobody into the children (cgroup-v2.rst, "Threads").
    // The root, which alone has no type, is free of that rule.
    Result<std::string> inside = parent.has("cgroup.type") ? parent.read("cgroup.procs") : std::string();
    bool has_processes = !inside.has_value() || !inside.value().empty();
    for (const LimitWrite* write : needed)
        if (!has_word(enabled, write->controller))
            TRY(enable(parent, write->controller, has_processes).with_pointer(write->where));
    // Each alone: one that is missing does not keep the others away.
    for (std::string_view controller : welcome)
        if (!has_processes && !has_word(enabled, controller))
            (void)parent.write("cgroup.subtree_control", "+" + std::string(controller)).has_value();
    return {};
}

Result<void> hand_on_controllers(int mount, const std::string& path, const CgroupDir& cgroup,
                                 std::span<const LimitWrite> writes, bool for_accounts)
{
    std::vector<const LimitWrite*> needed;
    for (const LimitWrite& write : writes) {
        bool known = write.version != 2 || write.controller.empty();
        for (const LimitWrite* other : needed)
            known = known || other->controller == write.controller;
        if (!known)
            needed.push_back(&write);
    }
    std::span<const std::string_view> welcome =
        for_accounts ? std::span(accounting) : std::span<const std::string_view>();
    if ((needed.empty() && welcome.empty()) || has_all(TRY(cgroup.read("cgroup.controllers")), needed, welcome))
        return {};
    for (size_t end = 0; end != std::string::npos; end = path.find('/', end + 1)) {
        std::string above = end == 0 ? "/" : path.substr(0, end);
        UniqueFd fd(open_cgroup(mount, above));
        if (!fd)
            return errno_error("cannot open cgroup '" + above + "'");
        TRY(hand_on(CgroupDir(std::move(fd), 2, above), needed, welcome));
    }
    return {};
}
