// The tree of cgroup v2.
#include "unified.h"

#include <sys/xattr.h>
#include <unistd.h>

bool is_true_root(const CgroupDir& cgroup) { return !cgroup.has("cgroup.type"); }

Result<std::string> type_of(const CgroupDir& cgroup) { return is_true_root(cgroup) ? Result<std::string>("domain") : cgroup.read("cgroup.type"); }

Result<std::optional<CgroupLocation>> locate_unified(const std::vector<Hierarchy>& hierarchies, std::string_view path)
{
    std::vector<Hierarchy> unified;
    for (const Hierarchy& hierarchy : hierarchies)
        if (hierarchy.version == 2)
            unified.push_back(hierarchy);
    if (unified.empty())
        return std::optional<CgroupLocation>();
    if (!path.empty() && path.find_first_not_of('/') == std::string_view::npos)
        return std::optional(CgroupLocation{2, "", unified[0].mountpoint, "/"});
    return std::optional(TRY(locate(unified, path))[0]);
}

/// systemd marks a cgroup whose inside belongs to somebody else (systemd.resource-control(5), "Delegate=").
static bool is_delegated(const std::string& directory)
{
    for (const char* name : {"trusted.delegate", "user.delegate"}) {
        char value[8] = {};
        if (::getxattr(directory.c_str(), name, value, sizeof value - 1) == 1 && value[0] == '1')
            return true;
    }
    return false;
}

std::string undelegated_unit(const CgroupLocation& location)
{
    if (::access("/run/systemd/system", F_OK) < 0)
        return {};
    std::string unit;
    for (size_t at = 1; at != std::string::npos && at < location.path.size();) {
        size_t slash = location.path.find('/', at);
        std::string name = location.path.substr(at, slash - at);
        std::string directory = location.mountpoint + location.path.substr(0, slash);
        // Below a delegated one systemd owns nothing, whatever it is called.
        if (is_delegated(directory))
            return {};
        for (const char* suffix : {".slice", ".service", ".scope"})
            if (name.ends_with(suffix))
                unit = name;
        at = slash == std::string::npos ? slash : slash + 1;
    }
    return unit;
}
