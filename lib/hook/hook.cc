// Starting hooks, watching them, and saying what went wrong in them.
#include "hook/hook.h"

#include "clock/clock.h"
#include "fd/fd.h"
#include "process/pidfd.h"
#include "process/process.h"
#include "stage/stage.h"

#include <algorithm>
#include <ctime>
#include <fcntl.h>
#include <poll.h>

namespace {

/// A line `KIND INDEX PATH TIMEOUT NARGS [ARG]... [ENV]...`.
struct Hook {
    std::string path;
    long long timeout = 0;  ///< seconds; 0: none
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
};

/// The last that a hook printed.
class Output {
public:
    explicit Output(UniqueFd pipe) : pipe_(std::move(pipe)) {}
    int fd() const { return ended_ ? -1 : pipe_.get(); }
    /// Takes what is there, at most what a pipe can hold: whoever prints for ever does not keep us here.
    void take()
    {
        char buffer[4096];
        for (size_t taken = 0; !ended_ && taken < (64 << 10);) {
            ssize_t n = ::read(pipe_.get(), buffer, sizeof buffer);
            if (n < 0)
                return;
            ended_ = n == 0;
            taken += static_cast<size_t>(n);
            text_.append(buffer, static_cast<size_t>(n));
            if (text_.size() > sizeof buffer)
                text_.erase(0, text_.size() - sizeof buffer);
        }
    }
    /// As the end of a sentence.
    std::string words() const
    {
        size_t end = text_.find_last_not_of("\n ");
        return end == std::string::npos ? "" : ": " + printable(std::string_view(text_).substr(0, end + 1));
    }

private:
    UniqueFd pipe_;
    std::string text_;
    bool ended_ = false;
};

}  // namespace

static Result<Hook> parse_hook(const Directive& line)
{
    constexpr size_t first = 5;
    Hook hook{std::string(line[2]), TRY(parse_number(line[3])), {}, {}};
    const unsigned long long count = TRY(parse_unsigned(line[4]));
    if (count > line.fields.size() - first)
        return Error{"the plan's line counts more arguments than it has"};
    for (size_t i = first; i < line.fields.size(); i++)
        (i < first + count ? hook.arguments : hook.environment).emplace_back(line[i]);
    if (hook.arguments.empty())
        hook.arguments.push_back(hook.path);
    return hook;
}

static Result<void> wait_for(ChildProcess& child, Output& output, long long timeout, const Interruption& interruption)
{
    UniqueFd pidfd = open_pidfd(child.pid());
    if (!pidfd)
        return errno_error("cannot watch the hook");
    const long long deadline = monotonic_ms() + timeout * 1000;
    for (;;) {
        pollfd watched[3] = {{pidfd.get(), POLLIN, 0}, {output.fd(), POLLIN, 0}, {interruption.fd, POLLIN, 0}};
        const long long left = deadline - monotonic_ms();
        if (timeout > 0 && left <= 0)
            return Error{"timed out after " + std::to_string(timeout) + " s and was killed" + output.words()};
        if (::poll(watched, 3, timeout > 0 ? static_cast<int>(std::min(left, 1LL << 30)) : -1) < 0 && errno != EINTR)
            return errno_error("cannot wait for the hook");
        if (watched[2].revents != 0)
            TRY(interruption.check());
        if (watched[1].revents != 0)
            output.take();
        if (watched[0].revents != 0)
            return {};
    }
}

/// The file that `ocirun.hook-output` names for that stream; none: what is printed is for the error message alone.
static Result<UniqueFd> open_output(const Plan& plan, std::string_view stream)
{
    for (const Directive& line : plan.directives()) {
        if (!line.is("ocirun.hook-output") || line[0] != stream)
            continue;
        const std::string path(line[1]);
        UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0600));
        if (!file)
            return errno_error("cannot open '" + path + "'").with_pointer(line.pointer);
        return file;
    }
    return UniqueFd();
}

static Result<void> run_hook(const Plan& plan, const Directive& line, const std::string& state, const Interruption& interruption,
                             std::span<const std::string> otherwise)
{
    Hook hook = TRY(parse_hook(line));
    UniqueFd files[2];
    // A path of the host means nothing where the others run.
    if (line.is("ocirun.hook"))
        for (size_t i = 0; i < 2; i++)
            files[i] = TRY(open_output(plan, i == 0 ? "stdout" : "stderr"));
    // From memory, so that a hook which reads nothing cannot block us.
    UniqueFd input = TRY(memory_file("state", state));
    Pipe pipe = TRY(Pipe::create());
    if (::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK) < 0)
        return errno_error("cannot watch the hook's output");
    SpawnOptions options{.stdin_fd = input.get(), .stdout_fd = files[0] ? files[0].get() : pipe.write_end.get(),
                         .stderr_fd = files[1] ? files[1].get() : pipe.write_end.get()};
    options.environment = std::move(hook.environment);
    if (options.environment.empty())
        options.environment.assign(otherwise.begin(), otherwise.end());
    ChildProcess child = TRY(spawn(hook.path, hook.arguments, options));
    pipe.write_end.reset();
    Output output(std::move(pipe.read_end));
    // On every way out the child's owner kills it.
    TRY(wait_for(child, output, hook.timeout, interruption));
    output.take();
    ExitStatus status = TRY(child.wait());
    if (!status.signaled && status.number == 0)
        return {};
    return Error{status.words() + output.words()};
}

Result<void> run_hooks(const Plan& plan, std::string_view kind, const std::string& state, const Interruption& interruption,
                       std::span<const std::string> otherwise)
{
    for (const Directive& line : plan.directives()) {
        if (!(line.is("ocirun.hook") || line.is("init.hook")) || line[0] != kind)
            continue;
        std::string what = std::string(kind) + " hook #" + std::string(line[1]);
        stage::step("run the " + what);
        TRY(run_hook(plan, line, state, interruption, otherwise)
                .with_context("error running " + what + ": '" + std::string(line[2]) + "'")
                .with_pointer(line.pointer));
    }
    return {};
}

bool has_hooks(const Plan& plan, std::string_view kind)
{
    for (const Directive& line : plan.directives())
        if ((line.is("ocirun.hook") || line.is("init.hook")) && line[0] == kind)
            return true;
    return false;
}
