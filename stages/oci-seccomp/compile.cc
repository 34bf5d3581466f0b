// The compilation of a profile by libseccomp, and what we put before its output.
#include "compile.h"

#include "enosys.h"
#include "fd/fd.h"
#include "seccomp/filter.h"

#include <cerrno>
#include <cstdlib>
#include <elf.h>
#include <linux/audit.h>
#include <memory>
#include <seccomp.h>

namespace {

struct ContextDeleter {
    void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, ContextDeleter>;

/// One architecture of the filter.
struct Architecture {
    uint32_t token;             ///< libseccomp's
    uint32_t highest = 0;       ///< the highest number in sequence that the profile names
    bool knows_any = false;
    std::vector<std::string_view> multiplexed = {};

    bool is_x32() const { return token == SCMP_ARCH_X32; }
    uint32_t audit_arch() const { return is_x32() ? uint32_t{AUDIT_ARCH_X86_64} : token; }
    void add_known(uint32_t number)
    {
        if (!is_in_sequence(audit_arch(), is_x32(), number))
            return;
        highest = std::max(highest, number);
        knows_any = true;
    }
};

// libseccomp gives negative numbers to names that an architecture lacks (below -9999) and to those
// that it has by way of socketcall(2) or ipc(2) (-100 to -299).
bool is_multiplexed(int number) { return number <= -100 && number >= -299; }

/// The calls of socketcall(2) and ipc(2) may also have numbers of their own, which the library tells
/// only from number to name.
void add_direct_numbers(Architecture& architecture)
{
    // Every architecture that has socketcall or ipc numbers all its calls below this; MIPS from 4000.
    uint32_t last = (architecture.audit_arch() & 0xffff) == EM_MIPS ? 4512 : 512;
    for (uint32_t number = last; number > architecture.highest && number > last - 512; number--) {
        std::unique_ptr<char, decltype(&free)> name(
            seccomp_syscall_resolve_num_arch(architecture.token, static_cast<int>(number)), &free);
        for (std::string_view wanted : architecture.multiplexed)
            if (name != nullptr && wanted == name.get())
                architecture.add_known(number);
    }
}

/// Whether the filter needs a rule for `name`: one of its architectures has it. Records its numbers.
bool find_numbers(std::string_view name, std::vector<Architecture>& architectures)
{
    bool found = false;
    const std::string text(name);
    for (Architecture& architecture : architectures) {
        int number = seccomp_syscall_resolve_name_arch(architecture.token, text.c_str());
        if (is_multiplexed(number))
            architecture.multiplexed.push_back(name);
        else if (number >= 0)
            architecture.add_known(static_cast<uint32_t>(number));
        found |= number >= 0 || is_multiplexed(number);
    }
    return found;
}

Result<void> check(int result, const std::string& attempted)
{
    if (result < 0)
        return Error{attempted, -result};
    return {};
}

Result<void> add_rule(void* context, const Rule& rule, std::string_view name, int number)
{
    for (const std::vector<Condition>& conditions : kernel_rules(rule.conditions)) {
        scmp_arg_cmp comparisons[6];
        unsigned count = 0;
        for (const Condition& condition : conditions)
            comparisons[count++] = {condition.index, static_cast<scmp_compare>(condition.op), condition.value, condition.value_two};
        int result = seccomp_rule_add_array(context, rule.action, number, count, comparisons);
        if (result == -EEXIST)
            return Error{"the rule for '" + std::string(name) + "' contradicts an earlier one with the same conditions"};
        TRY(check(result, "cannot add the rule for '" + std::string(name) + "'"));
    }
    return {};
}

Result<void> add_rules(void* context, const Profile& profile, const CompileOptions& options, std::vector<Architecture>& architectures,
                       std::vector<std::string>& notes)
{
    for (const Rule& rule : profile.rules) {
        auto note = [&](std::string_view name, const char* what) {
            notes.push_back(std::string(rule.pointer) + ": '" + std::string(name) + "' " + what);
        };
        for (std::string_view name : rule.names) {
            int number = seccomp_syscall_resolve_name(std::string(name).c_str());
            if (number == __NR_SCMP_ERROR) {
                if (options.strict)
                    return Error{"unknown system call '" + std::string(name) + "'", 0, std::string(rule.pointer)};
                note(name, "is no system call that libseccomp knows; passed over");
                continue;
            }
            // Also when there is nothing to add: the profile knows the call.
            if (!find_numbers(name, architectures))
                note(name, "is no system call of the filter's architectures; passed over");
            else if (rule.action == profile.default_action)
                note(name, "gets the default action in any case; passed over");
            else
                TRY(add_rule(context, rule, name, number).with_pointer(rule.pointer));
        }
    }
    return {};
}

/// The filter as libseccomp writes it: it can only write to a descriptor.
Result<std::string> export_filter(void* context)
{
    UniqueFd file = TRY(memory_file("filter"));
    TRY(check(seccomp_export_bpf(context, file.get()), "libseccomp cannot make the filter"));
    return read_whole(file.get(), 16 << 20);
}

/// Whether the field answers ENOSYS for new calls under this default action: only where they would
/// be denied, and not where ENOSYS is the answer already.
bool wants_enosys(uint32_t default_action)
{
    return is_denial(default_action) && default_action != (SCMP_ACT_ERRNO(ENOSYS));
}

std::string enosys_prefix(std::vector<Architecture>& architectures)
{
    std::vector<KnownCalls> known;
    for (Architecture& architecture : architectures) {
        if (!architecture.multiplexed.empty())
            add_direct_numbers(architecture);
        std::optional<uint32_t> highest;
        if (architecture.knows_any)
            highest = architecture.highest;
        known.push_back({architecture.audit_arch(), highest, architecture.is_x32()});
    }
    std::vector<sock_filter> prefix = make_enosys_prefix(known);
    return std::string(reinterpret_cast<const char*>(prefix.data()), prefix.size() * sizeof(sock_filter));
}

// Up to here a chain of comparisons is as fast as a search.
constexpr size_t many_names = 32;

}  // namespace

Result<Compiled> compile(const Profile& profile, const CompileOptions& options)
{
    // What libseccomp would allow is otherwise asked of the running kernel, with a dozen system
    // calls; the kernel that loads the filter says itself what it does not know. API level 6 is the
    // newest of libseccomp 2.5, 5 of 2.5.0 (man 3 seccomp_api_get).
    if (seccomp_api_set(6) < 0)
        (void)seccomp_api_set(5);
    Context context(seccomp_init(profile.default_action));
    if (context == nullptr)
        return Error{"libseccomp cannot begin a filter"};

    // A call by another architecture's entry would pass the rules by. The process, not the thread:
    // a program that lost one of its threads hangs.
    TRY(check(seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "cannot set the action for other architectures"));

    // All architectures before the first rule: a rule is made for those that are there.
    std::vector<Architecture> architectures{{seccomp_arch_native()}};
    for (uint32_t token : profile.architectures) {
        TRY(check(seccomp_arch_add(context.get(), token), "cannot add an architecture"));
        architectures.push_back({token});
    }

    size_t names = 0;
    for (const Rule& rule : profile.rules)
        names += rule.names.size();
    if (names > many_names)
        TRY(check(seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "cannot ask for a binary tree"));

    Compiled compiled;
    TRY(add_rules(context.get(), profile, options, architectures, compiled.notes));
    std::string filter = TRY(export_filter(context.get()));
    if (options.enosys && wants_enosys(profile.default_action))
        compiled.raw = enosys_prefix(architectures);
    compiled.raw += filter;
    TRY(check_filter(compiled.raw));
    return compiled;
}
