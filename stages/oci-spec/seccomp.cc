// Handlers for `linux.seccomp`.
#include "handlers.h"
#include "planner.h"
#include "words.h"

/// The field ERRNO. False: a problem was added.
static bool take_errno(Planner& planner, std::string_view action, Value value, std::string_view& field)
{
    field = {};
    if (!value)
        return true;
    // runtime-spec config-linux.md, "Seccomp": "When the action doesn't support an errno, the runtime MUST print an error and fail."
    if (action != "SCMP_ACT_ERRNO" && action != "SCMP_ACT_TRACE") {
        planner.add_problem(value, "none, as " + std::string(action) + " takes no errno");
        return false;
    }
    // seccomp(2): the low 16 bits of the action; an errno is at most MAX_ERRNO.
    if (!planner.check_range(value, 0, action == "SCMP_ACT_ERRNO" ? 4095 : UINT16_MAX))
        return false;
    field = value.text();
    return true;
}

void plan_seccomp_word(Planner& planner, Value value, Property property)
{
    if (planner.check_word(value, property.note() == "seccomp.arch" ? seccomp_arch_words : seccomp_flag_words))
        planner.emit(property.note(), value, {value.text()});
}

void plan_seccomp(Planner& planner, Value value, Property)
{
    Value action = value["defaultAction"];
    std::string_view error_number;
    if (!planner.check_word(action, seccomp_action_words))
        return;
    // The process that hands over the notify descriptor would wait for its own supervisor.
    if (action.text() == "SCMP_ACT_NOTIFY")
        return planner.add_problem(action, "another action: SCMP_ACT_NOTIFY cannot be the default");
    if (!take_errno(planner, action.text(), value["defaultErrnoRet"], error_number))
        return;
    planner.emit("seccomp.default", action, {action.text(), error_number});

    // An empty list means no flag at all; no list means the field's default, SPEC_ALLOW.
    if (value["flags"] && !value["flags"].first())
        planner.emit("seccomp.flag", value["flags"], {""});

    // The annotation is older than the property, and comes first where both are there.
    Value listener = planner.top()["annotations"]["run.oci.seccomp.receiver"];
    if (listener.text().empty())
        listener = value["listenerPath"];
    bool has_listener = !listener.text().empty();
    if (has_listener && !planner.check_absolute_path(listener))
        return;
    if (has_listener)
        planner.emit("seccomp.listener", listener, {listener.text(), value["listenerMetadata"].text()});
    else if (!value["listenerMetadata"].text().empty())
        planner.add_problem(value["listenerMetadata"], "none without 'listenerPath'");
    for (Value rule = value["syscalls"].first(); rule && !has_listener; rule = rule.next())
        if (rule["action"].text() == "SCMP_ACT_NOTIFY")
            planner.add_problem(rule["action"], "another action, as there is no 'listenerPath' to notify");
}

static bool is_syscall_name(std::string_view name)
{
    if (name.empty())
        return false;
    for (char c : name)
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    return true;
}

void plan_seccomp_rule(Planner& planner, Value value, Property property)
{
    Value action = value["action"];
    std::vector<std::string> fields;
    std::string_view error_number;
    if (!planner.check_word(action, seccomp_action_words) || !take_errno(planner, action.text(), value["errnoRet"], error_number))
        return;
    fields.emplace_back(action.text());
    fields.emplace_back(error_number);

    if (value["names"].size() == 0)
        return planner.add_sentence(value["names"], "found an empty array, expected the names of system calls");
    std::string names;
    for (Value name = value["names"].first(); name; name = name.next()) {
        if (!is_syscall_name(name.text()))
            planner.add_problem(name, "the name of a system call");
        // The notify descriptor is handed over by a write: it would wait for itself.
        if (action.text() == "SCMP_ACT_NOTIFY" && name.text() == "write")
            planner.add_problem(name, "another system call: SCMP_ACT_NOTIFY cannot be used for the write syscall");
        names += (names.empty() ? "" : ",") + std::string(name.text());
    }
    fields.push_back(std::move(names));

    for (Value arg = value["args"].first(); arg; arg = arg.next()) {
        if (!planner.check_word(arg["op"], seccomp_operator_words) || !planner.check_range(arg["index"], 0, 5))
            continue;
        std::string_view second = arg["valueTwo"] ? arg["valueTwo"].text() : "0";
        fields.push_back(std::string(arg["index"].text()) + ":" + std::string(arg["op"].text()) + ":" + std::string(arg["value"].text()) + ":" +
                         std::string(second));
    }
    planner.emit(property.note(), value, fields);
}
