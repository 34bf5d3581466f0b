// Reading, checking and loading compiled filters.
#include "seccomp/filter.h"

#include <cstring>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

// Linux 5.19; older headers lack it.
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static constexpr size_t max_filter_size = BPF_MAXINSNS * sizeof(sock_filter);

Result<void> check_filter(std::string_view raw)
{
    if (raw.empty())
        return Error{"the filter is empty: the plan that it comes from asks for none (no linux.seccomp in config.json), or compiling it failed"};
    if (raw.size() % sizeof(sock_filter) != 0)
        return Error{"the filter is not an array of struct sock_filter: " + std::to_string(raw.size()) + " bytes are not a multiple of 8"};
    if (raw.size() > max_filter_size)
        return Error{"the filter has " + std::to_string(raw.size() / sizeof(sock_filter)) + " instructions; the kernel takes " +
                     std::to_string(BPF_MAXINSNS)};
    return {};
}

Result<std::string> read_filter(int fd)
{
    std::string raw = TRY(read_whole(fd, 2 * max_filter_size).with_context("filter"));
    TRY(check_filter(raw));
    return raw;
}

Result<unsigned> filter_flag(std::string_view name)
{
    constexpr std::string_view prefix = "SECCOMP_FILTER_FLAG_";
    std::string_view word = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
    if (word == "TSYNC")
        return unsigned{SECCOMP_FILTER_FLAG_TSYNC};
    if (word == "LOG")
        return unsigned{SECCOMP_FILTER_FLAG_LOG};
    if (word == "SPEC_ALLOW")
        return unsigned{SECCOMP_FILTER_FLAG_SPEC_ALLOW};
    if (word == "WAIT_KILLABLE_RECV")
        return unsigned{SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};
    return Error{"unknown seccomp flag '" + std::string(name) +
                 "'; known are SECCOMP_FILTER_FLAG_TSYNC, _LOG, _SPEC_ALLOW and _WAIT_KILLABLE_RECV"};
}

bool is_filter_flag_supported(std::string_view name)
{
    Result<unsigned> flag = filter_flag(name);
    if (!flag.has_value())
        return false;
    // This one is for listeners alone.
    const unsigned with = flag.value() == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV ? unsigned{SECCOMP_FILTER_FLAG_NEW_LISTENER} : 0;
    // The flags are looked at first, and only then the filter, which is not there (seccomp(2)).
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag.value() | with, nullptr) < 0 && errno == EFAULT;
}

Result<unsigned> filter_flags(const Plan& plan)
{
    unsigned flags = 0;
    bool given = false;
    for (const Directive& directive : plan.directives()) {
        if (!directive.is("seccomp.flag"))
            continue;
        given = true;
        if (!directive[0].empty())
            flags |= TRY(filter_flag(directive[0]).with_pointer(directive.pointer));
    }
    return given ? flags : unsigned{SECCOMP_FILTER_FLAG_SPEC_ALLOW};
}

bool filter_notifies(std::string_view raw)
{
    for (size_t at = 0; at + sizeof(sock_filter) <= raw.size(); at += sizeof(sock_filter)) {
        sock_filter instruction;  // copied: the text need not be aligned
        std::memcpy(&instruction, raw.data() + at, sizeof instruction);
        if (instruction.code == (BPF_RET | BPF_K) && (instruction.k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
            return true;
    }
    return false;
}

/// What the kernel's refusal means here (man 2 seccomp, ERRORS), where its own words do not say it.
static std::string_view remedy(int error_number)
{
    switch (error_number) {
    case EACCES: return " (it needs no_new_privs or CAP_SYS_ADMIN)";
    case EINVAL: return " (the kernel does not know an instruction, an action or a flag of it)";
    case EBUSY: return " (this process already has a filter with a listener)";
    case ENOMEM: return " (it is too large together with the filters that are in force)";
    default: return "";
    }
}

Result<UniqueFd> load_filter(std::string_view raw, unsigned flags)
{
    TRY(check_filter(raw));
    bool listens = filter_notifies(raw);
    if (!listens) {
        // It speaks of how the listener waits, and the kernel refuses it where there is none.
        flags &= ~unsigned{SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};
    } else {
        flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
        // With a listener the positive result is a descriptor, so TSYNC must tell its failure by
        // an errno (Linux 5.7, man 2 seccomp).
        if ((flags & SECCOMP_FILTER_FLAG_TSYNC) != 0)
            flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
    }
    sock_fprog program{};
    program.len = static_cast<unsigned short>(raw.size() / sizeof(sock_filter));
    program.filter = reinterpret_cast<sock_filter*>(const_cast<char*>(raw.data()));  // the kernel only reads
    long result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    int error_number = errno;
    if (result < 0)
        return Error{"cannot load the system-call filter" + std::string(remedy(error_number)), error_number};
    if (listens)
        return UniqueFd(static_cast<int>(result));
    if (result > 0)
        return Error{"cannot load the system-call filter: thread " + std::to_string(result) + " has another filter"};
    return UniqueFd();
}
