// What only the unit's manager can do, by oci-cgroup-systemd(8).
#include "unit.h"

#include "plan/plan.h"
#include "stage/stage.h"
#include "stages.h"

#include <cstdlib>

std::optional<Unit> find_unit(const std::vector<JournalEntry>& journal)
{
    for (const JournalEntry& entry : journal)
        if (entry.what == "unit" && entry.fields.size() == 3)
            return Unit{entry.fields[0], entry.fields[1], entry.fields[2]};
    return std::nullopt;
}

std::string unit_line(const std::optional<Unit>& unit)
{
    return unit ? join_fields({"cgroup.unit", "-", unit->manager, unit->name}) + "\n" : "";
}

std::vector<std::string> manager_environment()
{
    std::vector<std::string> variables;
    for (const char* name : {"XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"})
        if (const char* value = ::getenv(name))
            variables.push_back(std::string(name) + "=" + value);
    return variables;
}

static Result<void> ask_manager(const Context& context, std::vector<std::string> words, const Unit& unit, const std::vector<std::string>& arguments)
{
    static constexpr const char* program = "oci-cgroup-systemd";
    Stages stages = TRY(Stages::create(context));
    SpawnOptions options;
    options.stdin_fd = stages.null_fd();
    options.environment = manager_environment();
    words.insert(words.end(), {"--" + unit.manager, "--", unit.name});
    words.insert(words.end(), arguments.begin(), arguments.end());
    ChildProcess child = TRY(stages.start(program, words, options));
    ExitStatus status = TRY(child.wait());
    if (status.shell_status() != 0)
        return stages.failure(program, status);
    return {};
}

Result<void> stop_unit(const Context& context, const Unit& unit)
{
    stage::step("stop unit " + unit.name);
    return ask_manager(context, {"stop", "--kill", "--description=" + unit.description}, unit, {});
}

std::string path_below_unit(const Unit& unit, std::span<const CgroupLocation> cgroups)
{
    const std::string part = "/" + unit.name + "/";
    for (const CgroupLocation& location : cgroups)
        if (size_t at = location.path.find(part); at != std::string::npos)
            return location.path.substr(at + part.size() - 1);
    return {};
}

Result<void> attach_to_unit(const Context& context, const Unit& unit, pid_t pid, const std::string& below)
{
    std::vector<std::string> words{"attach"};
    if (!below.empty())
        words.push_back("--below=" + below);
    return ask_manager(context, std::move(words), unit, {std::to_string(pid)});
}
