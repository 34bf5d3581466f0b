// Groups of resctrl: shares of caches and of memory bandwidth (Documentation/arch/x86/resctrl.rst).
#pragma once

#include "made_directories.h"
#include "plan/plan.h"
#include "result/result.h"
#include "stats.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the plan's cgroup.rdt lines ask for.
struct RdtRequest {
    bool asked = false;
    Field where = "-";
    std::string closid;  ///< empty: a group named as the container; "/": the root's
    Field closid_where = "-";
    struct Line {
        std::string text;
        Field where;
    };
    std::vector<Line> schemata;
    std::string group;  ///< of `update`: the directory
    bool monitoring = false;
    Field monitoring_where = "-";

    /// False: the line is not about resctrl.
    bool take(const Directive& directive);
};

/// Groups that were made or found. What was made is removed again unless kept.
class RdtGroups {
public:
    /// The container `name` gets what `request` says; `mountpoint` empty: resctrl is looked for. Each directory
    /// that is made stands in the journal before, as `resctrl` or, when other containers may come to it, `resctrl-shared`.
    static Result<RdtGroups> create(const RdtRequest& request, const std::string& name, const std::string& mountpoint, int journal_fd);

    /// To be joined, in this order.
    const std::vector<std::string>& directories() const { return joined_; }
    void keep() { made_.keep(); }

private:
    RdtGroups() = default;
    std::vector<std::string> joined_;
    MadeDirectories made_;
};

/// Writes the lines of `request` to the schemata of its `group`. What they said before is added to `replaced`, also
/// when a line is refused.
Result<void> change_schemata(const RdtRequest& request, std::vector<std::string>& replaced);
/// Writes them back. All are tried; the error is that of the first that is refused.
Result<void> write_schemata_back(const std::string& group, const std::vector<std::string>& replaced);

/// Whether the group's `schemata` say what `line` asks for; domains that the line does not name may be anything.
bool schemata_say(std::string_view schemata, std::string_view line);

/// What the group in `directory` may use, and where it is monitored what it uses. Empty if there is no such group.
std::optional<RdtUse> read_rdt(const std::string& directory);
