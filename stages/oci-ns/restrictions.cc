// The known switches: man 7 namespaces (user.max_*), Debian's and Ubuntu's sysctls, seccomp.
#include "restrictions.h"

#include "fd/fd.h"
#include "plan/plan.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>

static long long read_number(const char* path)
{
    UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
    char text[32];
    ssize_t size = file ? ::read(file.get(), text, sizeof text) : -1;
    if (size <= 0)
        return -1;
    std::string_view number(text, static_cast<size_t>(size));
    Result<long long> parsed = parse_number(number.substr(0, number.find('\n')));
    return parsed.has_value() ? parsed.value() : -1;
}

static long long read_seccomp_mode()
{
    UniqueFd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
    char text[4096];
    ssize_t size = file ? ::read(file.get(), text, sizeof text - 1) : -1;
    if (size <= 0)
        return -1;
    text[size] = '\0';
    const char* line = std::strstr(text, "\nSeccomp:\t");
    return line != nullptr ? line[10] - '0' : -1;
}

Restrictions read_restrictions(uint64_t flags)
{
    Restrictions found;
    found.max_user_namespaces = read_number("/proc/sys/user/max_user_namespaces");
    found.unprivileged_userns_clone = read_number("/proc/sys/kernel/unprivileged_userns_clone");
    found.apparmor_restricts_userns = read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
    found.seccomp_mode = read_seccomp_mode();
    for (const NamespaceKind& kind : namespace_kinds)
        if ((flags & kind.flag) != 0 && kind.flag != CLONE_NEWUSER && read_number(kind.limit) == 0)
            found.exhausted_kind = kind.proc_name;
    return found;
}

std::string responsible_switch(const Restrictions& restrictions, int error_number)
{
    if (error_number == ENOSPC || error_number == EUSERS) {
        if (restrictions.max_user_namespaces == 0)
            return "user.max_user_namespaces is 0; 'sysctl -w user.max_user_namespaces=15000' allows them";
        if (!restrictions.exhausted_kind.empty()) {
            std::string name = "user.max_" + restrictions.exhausted_kind + "_namespaces";
            return name + " is 0; 'sysctl -w " + name + "=15000' allows them";
        }
        return "a limit of the user.max_*_namespaces sysctls is reached, or namespaces are nested more than 32 deep";
    }
    if (restrictions.unprivileged_userns_clone == 0)
        return "kernel.unprivileged_userns_clone is 0; 'sysctl -w kernel.unprivileged_userns_clone=1' allows them";
    if (restrictions.apparmor_restricts_userns > 0)
        return "kernel.apparmor_restrict_unprivileged_userns is " + std::to_string(restrictions.apparmor_restricts_userns) +
               "; an AppArmor profile with 'userns,' for this program allows them, or 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'";
    if (restrictions.seccomp_mode == 2)
        return "a system-call filter is in force here, as in a container; the profile of that container has to allow them";
    return {};
}

Error explain_user_namespace_error(Error error, uint64_t flags)
{
    switch (error.error_number) {
    case 0:  // a program said it, not the kernel
    case EPERM:
    case EACCES:
    case ENOSPC:
    case EUSERS: break;
    default: return error;
    }
    std::string found = responsible_switch(read_restrictions(flags), error.error_number);
    if (!found.empty())
        error.attempted += " (" + found + ")";
    return error;
}
