// Running hooks, and saying what went wrong in them.
#include "hooks.h"

#include "process/process.h"
#include "stage/stage.h"

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static constexpr size_t max_output = 4096;

bool has_hooks(const Plan& plan, std::string_view kind)
{
    for (const Directive& line : plan.directives())
        if (line.is("init.hook") && line[0] == kind)
            return true;
    return false;
}

/// The last of what a hook printed.
class Output {
public:
    /// Takes what is there; false at end of file.
    bool read_from(int fd)
    {
        char buffer[1024];
        ssize_t size = ::read(fd, buffer, sizeof buffer);
        if (size > 0)
            text_.append(buffer, static_cast<size_t>(size));
        if (text_.size() > max_output)
            text_.erase(0, text_.size() - max_output);
        return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
    }
    /// On one line, as part of a sentence.
    std::string words() const
    {
        std::string line = text_;
        while (!line.empty() && (line.back() == '\n' || line.back() == ' '))
            line.pop_back();
        return line.empty() ? "" : ", output: " + line;
    }

private:
    std::string text_;
};

static long long now_ms()
{
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/// Waits for the hook while reading what it prints: it ends when the process does, though a child of it may go on
/// holding the pipe.
static Result<std::string> wait_for_hook(ChildProcess& hook, int output_fd, long long timeout_seconds)
{
    Output output;
    UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, hook.pid(), 0)));
    if (!pidfd)
        return errno_error("cannot watch the hook");
    const long long deadline = timeout_seconds > 0 ? now_ms() + timeout_seconds * 1000 : -1;
    pollfd watched[] = {{pidfd.get(), POLLIN, 0}, {output_fd, POLLIN, 0}};
    for (;;) {
        int wait_ms = -1;
        if (deadline >= 0)
            wait_ms = static_cast<int>(std::min<long long>(std::max<long long>(deadline - now_ms(), 0), 1 << 30));
        int ready = ::poll(watched, 2, wait_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready < 0)
            return errno_error("cannot watch the hook");
        if (watched[1].revents != 0 && !output.read_from(output_fd))
            watched[1].fd = -1;
        if (watched[0].revents != 0)
            break;
        if (ready == 0 && deadline >= 0 && now_ms() >= deadline) {
            ::kill(hook.pid(), SIGKILL);
            TRY(hook.wait());
            return Error{"timed out after " + std::to_string(timeout_seconds) + " s" + output.words()};
        }
    }
    for (pollfd rest{output_fd, POLLIN, 0}; watched[1].fd >= 0 && ::poll(&rest, 1, 0) > 0 && output.read_from(output_fd);)
        ;
    ExitStatus status = TRY(hook.wait());
    if (status.signaled)
        return Error{"killed by signal " + std::to_string(status.number) + output.words()};
    if (status.number != 0)
        return Error{"exit status " + std::to_string(status.number) + output.words()};
    return std::string();
}

static Result<void> run_hook(const Directive& line, const std::string& state, const std::vector<std::string>& otherwise)
{
    // KIND INDEX PATH TIMEOUT NARGS [ARG]... [ENV]...
    const std::string path(line[2]);
    const long long timeout = TRY(parse_number(line[3]));
    const size_t first = 5;
    const size_t argument_count = static_cast<size_t>(TRY(parse_unsigned(line[4])));
    if (argument_count > line.fields.size() - first)
        return Error{"the plan's line counts more arguments than it has"};
    std::vector<std::string> argv;
    SpawnOptions options;
    for (size_t i = first; i < line.fields.size(); i++)
        (i < first + argument_count ? argv : options.environment).emplace_back(line[i]);
    if (argv.empty())
        argv.push_back(path);
    if (options.environment.empty())
        options.environment = otherwise;

    UniqueFd input(static_cast<int>(::memfd_create("state", MFD_CLOEXEC)));
    if (!input)
        return errno_error("cannot keep the state");
    TRY(write_all(input.get(), state));
    ::lseek(input.get(), 0, SEEK_SET);
    Pipe output = TRY(Pipe::create());
    options.stdin_fd = input.get();
    options.stdout_fd = output.write_end.get();
    options.stderr_fd = output.write_end.get();
    ChildProcess hook = TRY(spawn(path, argv, options));
    output.write_end.reset();
    TRY(wait_for_hook(hook, output.read_end.get(), timeout));
    return {};
}

Result<void> run_hooks(const Plan& plan, std::string_view kind, Control& control, const std::vector<std::string>& otherwise)
{
    for (const Directive& line : plan.directives()) {
        if (!line.is("init.hook") || line[0] != kind)
            continue;
        const std::string name = std::string(kind) + " hook #" + std::string(line[1]);
        stage::step("run " + name);
        TRY(run_hook(line, TRY(control.state()), otherwise).with_context("error running " + name).with_pointer(line.pointer));
    }
    return {};
}
