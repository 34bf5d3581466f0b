// The chain loader.
#include "load.h"

#include "fd/fd.h"
#include "interpreter.h"
#include "process/program.h"
#include "profile.h"
#include "seccomp/filter.h"
#include "stage/stage.h"

#include <cstring>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Whether seccomp(2) takes a filter from us as we are.
static bool has_sys_admin()
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    return ::syscall(SYS_capget, &header, data) == 0 && (data[0].effective & 1U << CAP_SYS_ADMIN) != 0;
}

static Result<void> set_no_new_privileges(NoNewPrivileges wish)
{
    if (wish == NoNewPrivileges::never || (wish == NoNewPrivileges::when_needed && has_sys_admin()))
        return {};
    stage::step("set no_new_privs");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return errno_error("cannot set no_new_privs");
    return {};
}

static std::string in_words(uint32_t action)
{
    if ((action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
        return action_name(action);
    return action_name(action) + ", " + std::strerror(static_cast<int>(action & SECCOMP_RET_DATA));
}

/// Asks the filter about the very execve(2) that will follow: behind the filter it may be too late
/// to say anything, since a kill leaves no word.
static Result<void> check_execve(const std::string& filter, const std::string& path, char* const* argv)
{
    seccomp_data call{};
    call.nr = SYS_execve;
    call.arch = seccomp_arch_native();
    call.args[0] = reinterpret_cast<uintptr_t>(path.c_str());
    call.args[1] = reinterpret_cast<uintptr_t>(argv);
    call.args[2] = reinterpret_cast<uintptr_t>(environ);
    uint32_t action = TRY(run_filter(filter, call));
    if (is_denial(action))
        return Error{"cannot execute '" + path + "': the filter denies execve(2) with " + in_words(action), 0, {}, exit_cannot_execute};
    return {};
}

static Result<void> prepare(const std::string& filter, const LoadOptions& options)
{
    if (filter_notifies(filter) && options.listener_fd < 0)
        return Error{"the filter asks a listener (SCMP_ACT_NOTIFY); '--listener-fd' says who takes its descriptor"};
    return set_no_new_privileges(options.no_new_privileges);
}

Error load_and_execute(const std::string& filter, const std::vector<std::string>& program, const LoadOptions& options)
{
    // Before the filter can forbid the search.
    Result<std::string> found = find_in_path(program[0]);
    if (!found.has_value())
        return found.error();
    const std::string& path = found.value();
    std::vector<char*> argv;
    argv.reserve(program.size() + 1);
    for (const std::string& argument : program)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);

    if (Result<void> allowed = check_execve(filter, path, argv.data()); !allowed.has_value()) {
        if (allowed.error().exit_code != exit_cannot_execute)
            allowed.error().exit_code = exit_stage_failed;
        return allowed.error();
    }
    if (Result<void> prepared = prepare(filter, options); !prepared.has_value())
        return std::move(prepared.error()).with_exit_code(exit_stage_failed);

    // One step for both: behind the filter not even the record may be possible.
    stage::step("load the filter and execute '" + path + "'");
    Result<UniqueFd> listener = load_filter(filter, options.flags);
    if (!listener.has_value())
        return std::move(listener.error()).with_exit_code(exit_stage_failed);
    if (listener.value()) {
        int fd = listener.value().get();
        if (Result<void> sent = send_packet(options.listener_fd, "listener", {&fd, 1}); !sent.has_value())
            return std::move(sent.error()).with_context("listener").with_exit_code(exit_stage_failed);
    }
    ::execve(path.c_str(), argv.data(), environ);
    return execution_error(path, errno);
}
