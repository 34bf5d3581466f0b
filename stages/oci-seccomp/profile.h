// What the plan's seccomp lines ask for, checked and in the kernel's terms.
#pragma once

#include "plan/plan.h"
#include "result/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How one argument of a system call is compared.
enum class Operator : uint8_t { ne = 1, lt, le, eq, ge, gt, masked_eq };

/// `argument OP value`; for masked_eq: `(argument & value) == value_two`.
struct Condition {
    unsigned index;  ///< 0..5
    Operator op;
    uint64_t value;
    uint64_t value_two;
};

/// One `seccomp.rule` line.
struct Rule {
    std::string_view pointer;
    uint32_t action;  ///< as the kernel's SECCOMP_RET_ value, errno or trace number included
    std::vector<std::string_view> names;
    std::vector<Condition> conditions;
};

/// A whole profile. Its views point into the plan.
struct Profile {
    uint32_t default_action;
    std::vector<uint32_t> architectures;  ///< libseccomp's tokens, without the native one
    std::vector<Rule> rules;
};

/// The profile of the plan's `seccomp.` lines; nothing: there is none of them. What the field
/// refuses is refused with the field's words, with the line's JSON pointer.
Result<std::optional<Profile>> read_profile(const Plan& plan);

/// The SECCOMP_RET_ value of an action as config.json names it, with the number in `errno_text`
/// (empty: EPERM, as the runtime-spec says).
Result<uint32_t> parse_action(std::string_view name, std::string_view errno_text);

/// The name for a SECCOMP_RET_ value, with its number where it has one: `SCMP_ACT_ERRNO (1)`.
std::string action_name(uint32_t action);

/// Whether a call that gets this answer does not take place for a reason that lies in the profile
/// alone: ERRNO, TRAP and the KILLs. LOG lets it pass; a tracer or a listener decides itself.
bool is_denial(uint32_t action);

/// libseccomp's token for a name of config.json (`SCMP_ARCH_X86_64`). Nothing: an architecture of
/// another family, which no process on this machine can use, so that a filter needs nothing for it.
Result<std::optional<uint32_t>> parse_architecture(std::string_view name);

/// Reads `INDEX:OP:VALUE:VALUE-TWO`.
Result<Condition> parse_condition(std::string_view text);

/// The conditions as the kernel rules that stand for them: all conditions in one rule (every one
/// must hold), unless one argument is named twice: then each condition is a rule of its own (one
/// must hold), on which profiles made for old runtimes rely. No conditions: one rule without any.
std::vector<std::vector<Condition>> kernel_rules(const std::vector<Condition>& conditions);
