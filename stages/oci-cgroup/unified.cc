// The tree of cgroup v2.
#include "unified.h"

#include <algorithm>
#include <sys/xattr.h>
#include <unistd.h>

Result<std::vector<pid_t>> UnifiedCgroup::own_processes() const
{
    std::string text = TRY(dir.read("cgroup.procs"));
    std::vector<pid_t> pids;
    for (const std::string& word : words_of(text))
        pids.push_back(static_cast<pid_t>(TRY(parse_number(word))));
    return pids;
}

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

Result<std::optional<UnifiedCgroup>> open_unified(const CgroupLocation& location)
{
    std::optional<CgroupDir> dir = TRY(CgroupDir::open(location.directory()));
    if (!dir)
        return std::optional<UnifiedCgroup>();
    return std::optional(UnifiedCgroup{location, std::move(*dir)});
}

std::vector<std::string> words_of(std::string_view text)
{
    std::vector<std::string> words;
    while (!text.empty()) {
        size_t end = std::min(text.find_first_of(" \n"), text.size());
        if (end > 0)
            words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
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

std::string list_of(const std::vector<pid_t>& pids)
{
    std::string list;
    for (size_t i = 0; i < pids.size() && i < 10; i++)
        list += (i == 0 ? "" : ", ") + (pids[i] == 0 ? std::string("0 (of another pid namespace)") : std::to_string(pids[i]));
    return pids.size() > 10 ? list + ", ..." : list;
}
