// Running hooks.
#include "hooks.h"

#include "fd/fd.h"
#include "process/process.h"
#include "stage/stage.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

static constexpr size_t kept_output = 4096;

static long long now_ms()
{
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1'000'000;
}

/// What a hook gets on stdin: a memory file, so that a hook which reads nothing cannot block us.
static Result<UniqueFd> state_file(const std::string& state)
{
    UniqueFd file(::memfd_create("state", MFD_CLOEXEC));
    if (!file)
        return errno_error("cannot make a memory file for the state");
    TRY(write_all(file.get(), state));
    if (::lseek(file.get(), 0, SEEK_SET) < 0)
        return errno_error("cannot rewind the state");
    return file;
}

static Result<void> run_hook(const Directive& hook, const std::string& state, const Signals* signals)
{
    const std::string path(hook[2]);
    long long timeout = TRY(parse_number(hook[3]));
    size_t argument_count = static_cast<size_t>(TRY(parse_unsigned(hook[4])));
    std::vector<std::string> argv;
    SpawnOptions options;
    for (size_t i = 5; i < hook.fields.size(); i++)
        (i < 5 + argument_count ? argv : options.environment).emplace_back(hook[i]);
    if (argv.empty())
        argv.push_back(path);

    UniqueFd input = TRY(state_file(state));
    Pipe output = TRY(Pipe::create());
    UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    options.stdin_fd = input.get();
    options.stdout_fd = null.get();
    options.stderr_fd = output.write_end.get();
    ChildProcess child = TRY(spawn(path, argv, options));
    output.write_end.reset();

    UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid(), 0)));
    if (!pidfd)
        return errno_error("cannot watch the hook");
    if (::fcntl(output.read_end.get(), F_SETFL, O_NONBLOCK) < 0)
        return errno_error("cannot watch the hook's output");
    std::string said;
    auto take_output = [&] {
        char buffer[4096];
        ssize_t n;
        while ((n = ::read(output.read_end.get(), buffer, sizeof buffer)) > 0) {
            said.append(buffer, static_cast<size_t>(n));
            if (said.size() > kept_output)
                said.erase(0, said.size() - kept_output);
        }
        return n == 0;  // end of file
    };
    const long long deadline = timeout > 0 ? now_ms() + timeout * 1000 : 0;
    bool output_ended = false;
    for (;;) {
        pollfd watched[3] = {{pidfd.get(), POLLIN, 0},
                             {output_ended ? -1 : output.read_end.get(), POLLIN, 0},
                             {signals != nullptr ? signals->fd() : -1, POLLIN, 0}};
        int wait_ms = -1;
        if (deadline != 0) {
            wait_ms = static_cast<int>(std::max(0LL, deadline - now_ms()));
            if (wait_ms == 0)
                return Error{"timed out after " + std::to_string(timeout) + " s and was killed"};
        }
        if (::poll(watched, 3, wait_ms) < 0 && errno != EINTR)
            return errno_error("cannot wait for the hook");
        if (watched[2].revents != 0)
            TRY(signals->check());
        if (watched[1].revents != 0)
            output_ended = take_output();
        if (watched[0].revents != 0)
            break;
    }
    // What it has written; a process that it left behind may keep the pipe open, and is not waited for.
    take_output();
    ExitStatus status = TRY(child.wait());
    if (!status.signaled && status.number == 0)
        return {};
    while (!said.empty() && said.back() == '\n')
        said.pop_back();
    return Error{status.words() + (said.empty() ? "" : ": " + said)};
}

Result<void> run_hooks(const Plan& plan, std::string_view kind, const std::string& state, const Signals* signals)
{
    for (const Directive& hook : plan.directives()) {
        if (!hook.is("ocirun.hook") || hook[0] != kind)
            continue;
        std::string what = std::string(kind) + " hook #" + std::string(hook[1]);
        stage::step("run the " + what);
        TRY(run_hook(hook, state, signals).with_context("error running " + what + ": '" + std::string(hook[2]) + "'").with_pointer(hook.pointer));
    }
    return {};
}

bool has_hooks(const Plan& plan, std::string_view kind)
{
    for (const Directive& directive : plan.directives())
        if ((directive.is("ocirun.hook") || directive.is("init.hook")) && directive[0] == kind)
            return true;
    return false;
}
