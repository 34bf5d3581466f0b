// Processes: start, wait, identify.
#include "process/process.h"

#include "plan/plan.h"
#include "process/clone.h"
#include "process/pidfd.h"

#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

std::string ExitStatus::words() const
{
    if (!signaled)
        return "exited with status " + std::to_string(number);
    const char* description = sigdescr_np(number);
    return "was killed by signal " + std::to_string(number) + (description != nullptr ? std::string(" (") + description + ")" : "");
}

ChildProcess::~ChildProcess()
{
    if (pid_ <= 0)
        return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Result<std::optional<ExitStatus>> ChildProcess::reap(int flags)
{
    int status = 0;
    pid_t ended;
    while ((ended = ::waitpid(pid_, &status, flags)) < 0)
        if (errno != EINTR)
            return errno_error("cannot wait for process " + std::to_string(pid_));
    if (ended == 0)
        return std::optional<ExitStatus>();
    pid_ = -1;
    return std::optional(WIFSIGNALED(status) ? ExitStatus{true, WTERMSIG(status)} : ExitStatus{false, WEXITSTATUS(status)});
}

Result<ExitStatus> ChildProcess::wait() { return *TRY(reap(0)); }

Result<std::optional<ExitStatus>> ChildProcess::try_wait() { return reap(WNOHANG); }

std::vector<char*> pointers_to(const std::vector<std::string>& strings)
{
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (const std::string& string : strings)
        pointers.push_back(const_cast<char*>(string.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

// By the system call itself: the C library keeps signals 32 and 33 for itself and refuses to touch them, but they are inherited
// when ignored like all others.
struct KernelSignalAction {
    void (*handler)(int);
    unsigned long rest[7];
};
static constexpr size_t kernel_signal_set = 8;

uint64_t ignored_signals()
{
    uint64_t ignored = 0;
    for (int number = 1; number <= 64; number++) {
        KernelSignalAction action{};
        if (::syscall(SYS_rt_sigaction, number, nullptr, &action, kernel_signal_set) == 0 && action.handler == SIG_IGN)
            ignored |= 1ULL << (number - 1);
    }
    return ignored;
}

void reset_signals(uint64_t ignored)
{
    static constexpr KernelSignalAction default_action{};
    for (int number = 1; number <= 64; number++)
        if ((ignored >> (number - 1) & 1) != 0)
            ::syscall(SYS_rt_sigaction, number, &default_action, nullptr, kernel_signal_set);
    static constexpr uint64_t none = 0;
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kernel_signal_set);
}

namespace {
/// A child between clone and execve. It works in our memory, where that can be shared: nothing here allocates.
struct Starting {
    const char* path;
    const SpawnOptions& options;
    char* const* arguments;
    char* const* environment;
    uint64_t ignored;
    int* problem;  ///< why it did not come to execve, or execve failed
};
}  // namespace

static bool arrange_descriptors(const SpawnOptions& options)
{
    const int standard[] = {options.stdin_fd, options.stdout_fd, options.stderr_fd};
    for (int to = 0; to < 3; to++)
        if (standard[to] != to && ::dup2(standard[to], to) < 0)
            return false;
    for (int fd : options.inherit)
        if (::fcntl(fd, F_SETFD, 0) < 0)
            return false;
    return true;
}

static void become_program(void* argument)
{
    const Starting& starting = *static_cast<const Starting*>(argument);
    if (arrange_descriptors(starting.options)) {
        reset_signals(starting.ignored);
        if (starting.options.program_fd >= 0)
            ::syscall(SYS_execveat, starting.options.program_fd, "", starting.arguments, starting.environment, AT_EMPTY_PATH);
        else
            ::execve(starting.path, starting.arguments, starting.environment);
    }
    *starting.problem = errno;
    ::_exit(127);
}

Result<ChildProcess> spawn(const std::string& path, const std::vector<std::string>& argv, const SpawnOptions& options)
{
    // Asked for once: programs of ours ignore what they ignore from the beginning.
    static const uint64_t ignored = ignored_signals();
    const std::vector<char*> arguments = pointers_to(argv);
    const std::vector<char*> environment = pointers_to(options.environment);
    int own_problem = 0;
    int* problem = &own_problem;
    // Where the child gets a copy of our memory (clone.h), one page is not copied.
    void* shared = can_share_memory() ? nullptr : ::mmap(nullptr, sizeof *problem, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return errno_error("cannot start '" + path + "'");
    ScopeExit unmap([&] {
        if (shared != nullptr)
            ::munmap(shared, sizeof *problem);
    });
    if (shared != nullptr)
        problem = static_cast<int*>(shared);

    Starting starting{path.c_str(), options, arguments.data(), environment.data(), ignored, problem};
    pid_t pid = -1;
    // A signal that stops the child before it is another program would stop us, too.
    static constexpr uint64_t all = ~0ULL;
    uint64_t before = 0;
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, kernel_signal_set);
    Result<void> cloned = clone_child({CLONE_VFORK, -1, can_share_memory() ? Memory::shared_until_exec : Memory::copied, become_program, &starting, &pid});
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, nullptr, kernel_signal_set);
    if (!cloned.has_value())
        return std::move(cloned).error().with_context("cannot start '" + path + "'");
    ChildProcess child(pid);
    if (*problem == 0)
        return child;
    TRY(child.wait());
    return Error{"cannot execute '" + path + "'", *problem};
}

Result<std::string> find_stage_program(std::string_view name)
{
    // Asked for each stage; it cannot change.
    static std::string own;
    if (own.empty()) {
        char path[PATH_MAX];
        ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
        if (size <= 0 || size == static_cast<ssize_t>(sizeof path))
            return errno_error("cannot read '/proc/self/exe' to find the programs beside it");
        own.assign(path, static_cast<size_t>(size));
    }
    std::string_view folder = std::string_view(own).substr(0, own.rfind('/') + 1);
    std::string beside = std::string(folder) + std::string(name);
    if (::access(beside.c_str(), X_OK) == 0)
        return beside;
    std::string installed = std::string(folder) + "../libexec/ocirun/" + std::string(name);
    if (::access(installed.c_str(), X_OK) == 0)
        return installed;
    return Error{"cannot find the program '" + std::string(name) + "' at '" + beside + "' or '" + installed + "'; 'make install' puts all programs in their places", ENOENT};
}

std::optional<ProcessStatus> read_process_status(pid_t pid)
{
    char path[32];
    ::snprintf(path, sizeof path, "/proc/%d/stat", pid);
    UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
    char text[1024];
    ssize_t size = file ? ::read(file.get(), text, sizeof text - 1) : -1;
    if (size <= 0)
        return std::nullopt;
    text[size] = '\0';
    // The second field is the program's name in brackets, which may itself hold brackets and spaces.
    const char* at = std::strrchr(text, ')');
    if (at == nullptr || at[1] != ' ')
        return std::nullopt;
    at += 2;
    ProcessStatus status;
    status.state = *at;
    for (int field = 3; field < 22 && at != nullptr; field++) {
        at = std::strchr(at, ' ');
        if (at != nullptr)
            at++;
    }
    if (at == nullptr)
        return std::nullopt;
    std::string_view rest(at);
    Result<unsigned long long> start = parse_unsigned(rest.substr(0, rest.find(' ')));
    if (!start.has_value())
        return std::nullopt;
    status.start_time = start.value();
    return status;
}

bool is_in_user_namespace()
{
    UniqueFd file(::open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC));
    char text[64] = {};
    if (!file || ::read(file.get(), text, sizeof text - 1) <= 0)
        return false;
    unsigned long inside = 1;
    unsigned long outside = 1;
    unsigned long size = 0;
    return std::sscanf(text, "%lu %lu %lu", &inside, &outside, &size) != 3 || inside != 0 || outside != 0 || size != 4294967295;
}

Result<pid_t> parse_pid(std::string_view text)
{
    Result<unsigned long long> number = parse_unsigned(text);
    if (!number.has_value() || number.value() == 0 || number.value() > INT32_MAX)
        return Error{"'" + std::string(text) + "': expected a process id"};
    return static_cast<pid_t>(number.value());
}

Result<std::optional<UniqueFd>> open_process(const ProcessId& process)
{
    UniqueFd pidfd = open_pidfd(process.pid);
    if (!pidfd) {
        if (errno == ESRCH || errno == EINVAL)
            return std::optional<UniqueFd>();
        return errno_error("cannot open process " + std::to_string(process.pid));
    }
    // First the pidfd, then the check: from now on the number cannot change its meaning unseen.
    std::optional<ProcessStatus> status = read_process_status(process.pid);
    if (!status || status->start_time != process.start_time)
        return std::optional<UniqueFd>();
    return std::optional<UniqueFd>(std::move(pidfd));
}

bool is_alive(const ProcessId& process)
{
    std::optional<ProcessStatus> status = read_process_status(process.pid);
    return status && status->start_time == process.start_time && status->state != 'Z' && status->state != 'X';
}
