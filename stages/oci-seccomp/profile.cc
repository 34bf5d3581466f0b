// The reading of a profile from the plan.
#include "profile.h"

#include <cerrno>
#include <linux/seccomp.h>
#include <seccomp.h>

struct ActionName {
    std::string_view name;
    uint32_t value;
};

// SCMP_ACT_KILL is the older name of KILL_THREAD.
static constexpr ActionName action_names[] = {
    {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD}, {"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
    {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS}, {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
    {"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO}, {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE},
    {"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW}, {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
    {"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF},
};

// The kernel's MAX_ERRNO: larger numbers would come back as this one.
static constexpr unsigned long long max_errno = 4095;

Result<uint32_t> parse_action(std::string_view name, std::string_view errno_text)
{
    for (const ActionName& known : action_names) {
        if (known.name != name)
            continue;
        bool takes_number = known.value == SECCOMP_RET_ERRNO || known.value == SECCOMP_RET_TRACE;
        if (!takes_number) {
            // runtime-spec config-linux.md, seccomp: "the runtime MUST print an error and fail".
            if (!errno_text.empty())
                return Error{"action '" + std::string(name) + "' takes no errnoRet"};
            return known.value;
        }
        unsigned long long number = errno_text.empty() ? EPERM : TRY(parse_unsigned(errno_text).with_context("errnoRet"));
        unsigned long long most = known.value == SECCOMP_RET_ERRNO ? max_errno : SECCOMP_RET_DATA;
        if (number > most)
            return Error{"errnoRet " + std::string(errno_text) + " of '" + std::string(name) + "' is larger than " + std::to_string(most)};
        return known.value | static_cast<uint32_t>(number);
    }
    return Error{"unknown seccomp action '" + std::string(name) + "'"};
}

std::string action_name(uint32_t action)
{
    for (const ActionName& known : action_names) {
        if (known.value != (action & SECCOMP_RET_ACTION_FULL))
            continue;
        std::string text(known.name);
        if (known.value == SECCOMP_RET_ERRNO || known.value == SECCOMP_RET_TRACE)
            text += " (" + std::to_string(action & SECCOMP_RET_DATA) + ")";
        return text;
    }
    return "action " + std::to_string(action);
}

bool is_denial(uint32_t action)
{
    switch (action & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ERRNO:
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_KILL_PROCESS: return true;
    default: return false;
    }
}

struct ArchitectureName {
    std::string_view name;    ///< behind SCMP_ARCH_
    std::string_view family;  ///< architectures whose programs one kernel can run
};

// All that the runtime-spec names. The kernel's calls come from one family: a filter for the others
// would be code that is never reached, and a list of all of them would not fit into 4096 instructions.
static constexpr ArchitectureName architecture_names[] = {
    {"X86", "x86"}, {"X86_64", "x86"}, {"X32", "x86"}, {"ARM", "arm"}, {"AARCH64", "arm"},
    {"MIPS", "mips"}, {"MIPS64", "mips"}, {"MIPS64N32", "mips"},
    {"MIPSEL", "mipsel"}, {"MIPSEL64", "mipsel"}, {"MIPSEL64N32", "mipsel"},
    {"PPC", "ppc"}, {"PPC64", "ppc"}, {"PPC64LE", "ppcle"}, {"S390", "s390"}, {"S390X", "s390"},
    {"PARISC", "parisc"}, {"PARISC64", "parisc"}, {"RISCV64", "riscv"}, {"LOONGARCH64", "loongarch"},
    {"M68K", "m68k"}, {"SH", "sh"}, {"SHEB", "sheb"},
};

static std::string lower_case(std::string_view text)
{
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

/// 0: the library does not know it.
static uint32_t token_of(const ArchitectureName& architecture)
{
    return seccomp_arch_resolve_name(lower_case(architecture.name).c_str());
}

static std::string_view native_family()
{
    for (const ArchitectureName& architecture : architecture_names)
        if (token_of(architecture) == seccomp_arch_native())
            return architecture.family;
    return "";
}

Result<std::optional<uint32_t>> parse_architecture(std::string_view name)
{
    constexpr std::string_view prefix = "SCMP_ARCH_";
    std::string_view word = name.starts_with(prefix) ? name.substr(prefix.size()) : std::string_view();
    for (const ArchitectureName& known : architecture_names) {
        if (known.name != word)
            continue;
        if (known.family != native_family())
            return std::optional<uint32_t>();
        uint32_t token = token_of(known);
        if (token == 0)
            return Error{"this build's libseccomp does not know the architecture '" + std::string(name) + "'"};
        return std::optional<uint32_t>(token);
    }
    return Error{"unknown seccomp architecture '" + std::string(name) + "'"};
}

static Result<Operator> parse_operator(std::string_view name)
{
    // In the order of the enumeration.
    constexpr std::string_view names[] = {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ",
                                          "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"};
    for (size_t i = 0; i < std::size(names); i++)
        if (names[i] == name)
            return static_cast<Operator>(i + 1);
    return Error{"unknown seccomp operator '" + std::string(name) + "'"};
}

Result<Condition> parse_condition(std::string_view text)
{
    std::string_view parts[4];
    std::string_view rest = text;
    for (size_t i = 0; i < 4; i++) {
        size_t colon = rest.find(':');
        if ((colon == std::string_view::npos) != (i == 3))
            return Error{"condition '" + std::string(text) + "' is not INDEX:OP:VALUE:VALUE-TWO"};
        parts[i] = rest.substr(0, colon);
        rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    }
    Condition condition{};
    unsigned long long index = TRY(parse_unsigned(parts[0]).with_context("argument index"));
    if (index > 5)
        return Error{"argument index " + std::string(parts[0]) + ": a system call has the arguments 0 to 5"};
    condition.index = static_cast<unsigned>(index);
    condition.op = TRY(parse_operator(parts[1]));
    condition.value = TRY(parse_unsigned(parts[2]).with_context("value"));
    condition.value_two = parts[3].empty() ? 0 : TRY(parse_unsigned(parts[3]).with_context("valueTwo"));
    return condition;
}

std::vector<std::vector<Condition>> kernel_rules(const std::vector<Condition>& conditions)
{
    unsigned seen = 0;
    bool twice = false;
    for (const Condition& condition : conditions) {
        twice |= (seen & 1U << condition.index) != 0;
        seen |= 1U << condition.index;
    }
    if (!twice)
        return {conditions};
    std::vector<std::vector<Condition>> alternatives;
    alternatives.reserve(conditions.size());
    for (const Condition& condition : conditions)
        alternatives.push_back({condition});
    return alternatives;
}

static std::vector<std::string_view> split_names(std::string_view names)
{
    std::vector<std::string_view> list;
    while (!names.empty()) {
        size_t comma = names.find(',');
        if (comma != 0)
            list.push_back(names.substr(0, comma));
        names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
    }
    return list;
}

static Result<Rule> read_rule(const Directive& line)
{
    Rule rule{line.pointer, TRY(parse_action(line[0], line[1])), split_names(line[2]), {}};
    for (size_t i = 3; i < line.fields.size(); i++)
        rule.conditions.push_back(TRY(parse_condition(line[i])));
    for (std::string_view name : rule.names) {
        // The program that hands the listener over could wait for its own listener.
        if (rule.action == SECCOMP_RET_USER_NOTIF && name == "write")
            return Error{"SCMP_ACT_NOTIFY cannot be used for the write syscall"};
    }
    return rule;
}

Result<std::optional<Profile>> read_profile(const Plan& plan)
{
    Profile profile{};
    bool has_default = false;
    const Directive* any = nullptr;
    for (const Directive& line : plan.directives()) {
        if (!line.type->name().starts_with("seccomp."))
            continue;
        any = &line;
        if (line.is("seccomp.default")) {
            profile.default_action = TRY(parse_action(line[0], line[1]).with_pointer(line.pointer));
            has_default = true;
            if (profile.default_action == SECCOMP_RET_USER_NOTIF)
                return Error{"SCMP_ACT_NOTIFY cannot be used as default action", 0, std::string(line.pointer)};
        } else if (line.is("seccomp.arch")) {
            std::optional<uint32_t> token = TRY(parse_architecture(line[0]).with_pointer(line.pointer));
            bool is_new = token.has_value() && *token != seccomp_arch_native();
            for (uint32_t other : profile.architectures)
                is_new = is_new && other != *token;
            if (is_new)
                profile.architectures.push_back(*token);
        } else if (line.is("seccomp.rule")) {
            profile.rules.push_back(TRY(read_rule(line).with_pointer(line.pointer)));
        }
    }
    if (any == nullptr)
        return std::optional<Profile>();
    if (!has_default)
        return Error{"the plan has '" + std::string(any->type->name()) + "' but no 'seccomp.default'", 0, "/linux/seccomp"};
    return std::optional<Profile>(std::move(profile));
}
