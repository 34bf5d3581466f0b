// Handlers for `linux.seccomp`.
#include "handlers.h"
#include "planner.h"

static constexpr const char* actions = "SCMP_ACT_KILL SCMP_ACT_KILL_PROCESS SCMP_ACT_KILL_THREAD SCMP_ACT_TRAP SCMP_ACT_ERRNO SCMP_ACT_TRACE "
                                       "SCMP_ACT_ALLOW SCMP_ACT_LOG SCMP_ACT_NOTIFY";
static constexpr const char* architectures =
    "SCMP_ARCH_X86 SCMP_ARCH_X86_64 SCMP_ARCH_X32 SCMP_ARCH_ARM SCMP_ARCH_AARCH64 SCMP_ARCH_LOONGARCH64 SCMP_ARCH_M68K SCMP_ARCH_MIPS "
    "SCMP_ARCH_MIPS64 SCMP_ARCH_MIPS64N32 SCMP_ARCH_MIPSEL SCMP_ARCH_MIPSEL64 SCMP_ARCH_MIPSEL64N32 SCMP_ARCH_PPC SCMP_ARCH_PPC64 "
    "SCMP_ARCH_PPC64LE SCMP_ARCH_S390 SCMP_ARCH_S390X SCMP_ARCH_SH SCMP_ARCH_SHEB SCMP_ARCH_PARISC SCMP_ARCH_PARISC64 SCMP_ARCH_RISCV64";
static constexpr const char* flags = "SECCOMP_FILTER_FLAG_TSYNC SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW "
                                     "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";
static constexpr const char* operators = "SCMP_CMP_NE SCMP_CMP_LT SCMP_CMP_LE SCMP_CMP_EQ SCMP_CMP_GE SCMP_CMP_GT SCMP_CMP_MASKED_EQ";

/// The field ERRNO: only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have a use for it. False: a problem was added.
static bool take_errno(Planner& planner, std::string_view action, Value value, std::string_view& field)
{
    field = {};
    if (!value || (action != "SCMP_ACT_ERRNO" && action != "SCMP_ACT_TRACE"))
        return true;
    // seccomp(2): the low 16 bits of the action; an errno is at most MAX_ERRNO.
    if (!planner.check_range(value, 0, action == "SCMP_ACT_ERRNO" ? 4095 : UINT16_MAX))
        return false;
    field = value.text();
    return true;
}

void plan_seccomp_word(Planner& planner, Value value, Property property)
{
    if (planner.check_word(value, property.note() == "seccomp.arch" ? architectures : flags))
        planner.emit(property.note(), value, {value.text()});
}

void plan_seccomp(Planner& planner, Value value, Property)
{
    Value action = value["defaultAction"];
    std::string_view error_number;
    if (!planner.check_word(action, actions))
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

    Value listener = value["listenerPath"];
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
    if (!planner.check_word(action, actions) || !take_errno(planner, action.text(), value["errnoRet"], error_number))
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
        if (!planner.check_word(arg["op"], operators) || !planner.check_range(arg["index"], 0, 5))
            continue;
        std::string_view second = arg["valueTwo"] ? arg["valueTwo"].text() : "0";
        fields.push_back(std::string(arg["index"].text()) + ":" + std::string(arg["op"].text()) + ":" + std::string(arg["value"].text()) + ":" +
                         std::string(second));
    }
    planner.emit(property.note(), value, fields);
}
