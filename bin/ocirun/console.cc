// Relaying a terminal, forwarding signals.
#include "console.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>

Result<Signals> Signals::block()
{
    sigset_t all;
    ::sigfillset(&all);
    // These tell of our own mistakes and must stay deadly.
    for (int fatal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS})
        ::sigdelset(&all, fatal);
    // Of children nothing is heard where the caller ignores their end: neither this signal nor what became of them (man 2 wait).
    if (std::signal(SIGCHLD, SIG_DFL) == SIG_ERR || ::sigprocmask(SIG_SETMASK, &all, nullptr) < 0)
        return errno_error("cannot block signals");
    UniqueFd fd(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd)
        return errno_error("cannot make a signalfd");
    return Signals(std::move(fd));
}

Result<void> Signals::check() const
{
    signalfd_siginfo info;
    while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        int number = static_cast<int>(info.ssi_signo);
        if (number == SIGHUP || number == SIGINT || number == SIGQUIT || number == SIGTERM)
            return Error{std::string("interrupted by signal ") + std::to_string(number) + " (" + sigdescr_np(number) + ")"};
    }
    return {};
}

Result<void> Signals::wait(int fd, short events) const
{
    for (;;) {
        pollfd watched[2] = {{fd, events, 0}, {fd_.get(), POLLIN, 0}};
        if (::poll(watched, 2, -1) < 0 && errno != EINTR)
            return errno_error("cannot wait");
        if (watched[1].revents != 0)
            TRY(check());
        if (watched[0].revents != 0)
            return {};
    }
}

Result<void> Signals::wait_readable(int fd) const { return wait(fd, POLLIN); }

Result<std::string> Signals::read_all(int pipe, size_t limit) const
{
    std::string text;
    for (size_t size = 0;;) {
        text.resize(size + std::max<size_t>(size, 8192));
        TRY(wait_readable(pipe));
        const ssize_t n = ::read(pipe, text.data() + size, text.size() - size);
        if (n < 0 && errno != EINTR)
            return errno_error("cannot read");
        size += n > 0 ? static_cast<size_t>(n) : 0;
        if (size > limit)
            return Error{"input is larger than " + std::to_string(limit) + " bytes"};
        if (n != 0)
            continue;
        text.resize(size);
        return text;
    }
}

Result<void> Signals::write_all(int pipe, std::string_view text) const
{
    if (::fcntl(pipe, F_SETFL, O_WRONLY | O_NONBLOCK) < 0)
        return errno_error("cannot write");
    while (!text.empty()) {
        const ssize_t n = ::write(pipe, text.data(), text.size());
        if (n < 0 && errno == EAGAIN)
            TRY(wait(pipe, POLLOUT));
        else if (n < 0 && errno != EINTR)
            return errno_error("cannot write");
        text.remove_prefix(n > 0 ? static_cast<size_t>(n) : 0);
    }
    return {};
}

Result<ExitStatus> Signals::wait_for(ChildProcess& child) const
{
    for (;;) {
        if (std::optional<ExitStatus> status = TRY(child.try_wait()))
            return *status;
        pollfd arrived{fd_.get(), POLLIN, 0};
        if (::poll(&arrived, 1, -1) < 0 && errno != EINTR)
            return errno_error("cannot wait");
        TRY(check());
    }
}

/// Gives the terminal behind `master` the window size of ours, if one of 0, 1, 2 is a terminal.
static void copy_window_size(int master)
{
    winsize size;
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::ioctl(fd, TIOCGWINSZ, &size) == 0) {
            // The terminal may be gone meanwhile: nothing to be done about it.
            (void)::ioctl(master, TIOCSWINSZ, &size);
            return;
        }
    }
}

void set_up_master(int master, bool take_size)
{
    termios settings;
    if (::tcgetattr(master, &settings) == 0) {
        settings.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
        (void)::tcsetattr(master, TCSANOW, &settings);
    }
    if (take_size)
        copy_window_size(master);
}

namespace {

/// Our own terminal in raw mode, for as long as this lives.
class RawTerminal {
public:
    RawTerminal()
    {
        if (::tcgetattr(STDIN_FILENO, &before_) < 0)
            return;
        termios raw = before_;
        ::cfmakeraw(&raw);
        // Output is still processed: the container's terminal leaves the carriage returns to us.
        raw.c_oflag |= OPOST;
        changed_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    }
    ~RawTerminal()
    {
        if (changed_)
            ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
    }
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    bool is_terminal() const { return changed_; }

private:
    termios before_{};
    bool changed_ = false;
};

/// One direction of the relay: at most one buffer is in flight, so a slow reader stops the writer.
struct Stream {
    int from;
    int to;
    char buffer[16384];
    size_t start = 0;
    size_t end = 0;
    bool open = true;

    bool is_empty() const { return start == end; }
    /// Reads when there is room. Returns false at end of file or a broken source.
    bool fill()
    {
        ssize_t n = ::read(from, buffer, sizeof buffer);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n <= 0)
            return false;
        start = 0;
        end = static_cast<size_t>(n);
        return true;
    }
    /// Writes a piece that a writable pipe takes without blocking (PIPE_BUF). False: the reader is gone.
    bool drain()
    {
        size_t piece = std::min<size_t>(end - start, 4096);
        ssize_t n = ::write(to, buffer + start, piece);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        start += static_cast<size_t>(n);
        return true;
    }
};

/// A pipe or file that is at its end: the program's terminal reads end of file, as from a person's ^D. That holds for
/// every read from now on, so it is said again and again: a program that sets up its terminal throws away what has come
/// before (a shell does), and behind half a line the first ^D only completes it (man 3 termios, VEOF).
class EndOfInput {
public:
    /// How long to wait before it is said again; -1: for ever.
    int milliseconds() const { return interval_; }
    void say(int master, bool behind_half_a_line)
    {
        // A program that edits lines by itself, as a shell does, takes ^D behind half a line for another command of its editor.
        termios now{};
        if (behind_half_a_line && !line_ended_ && ::tcgetattr(master, &now) == 0 && (now.c_lflag & ICANON) == 0) {
            line_ended_ = true;
            (void)!::write(master, "\r", 1);
        }
        // The terminal is full of them when nobody reads: then one less is no loss.
        (void)!::write(master, "\x04", 1);
        interval_ = interval_ < 0 ? 20 : std::min(2 * interval_, 1000);
    }

private:
    int interval_ = -1;
    bool line_ended_ = false;
};

/// Forwards what came in; true when a child has ended.
bool handle_signals(int signal_fd, pid_t pid, int master)
{
    bool child_ended = false;
    signalfd_siginfo info;
    while (::read(signal_fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        int number = static_cast<int>(info.ssi_signo);
        if (number == SIGCHLD)
            child_ended = true;
        else if (number == SIGWINCH && master >= 0)
            copy_window_size(master);
        else if (number == SIGPIPE || number == SIGTTIN || number == SIGTTOU || number == SIGURG)
            continue;  // about our own descriptors and terminal
        else
            // Our own child, not yet reaped: its number cannot have been reused.
            ::kill(pid, number);
    }
    return child_ended;
}

/// Reaps whatever has ended; how `pid` did, if it is among them.
std::optional<ExitStatus> reap(pid_t pid)
{
    std::optional<ExitStatus> found;
    int status;
    for (pid_t ended; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;)
        if (ended == pid)
            found = WIFSIGNALED(status) ? ExitStatus{true, WTERMSIG(status)} : ExitStatus{false, WEXITSTATUS(status)};
    return found;
}

/// After the end of the container: what is still in the terminal goes out, however slow the reader.
void flush(Stream& output)
{
    // What was written last may still be on its way through the kernel (a pty's bytes are moved by a worker): the end is
    // EIO, which comes when the last slave is closed and all has been read. Processes that outlive the first one may keep
    // a slave open; then a tenth of a second of silence is the end.
    for (;;) {
        if (output.is_empty()) {
            pollfd readable{output.from, POLLIN, 0};
            int ready = ::poll(&readable, 1, 100);
            if (ready == 0 || (ready < 0 && errno != EINTR))
                return;
            if (ready > 0 && !output.fill())
                return;
            continue;
        }
        pollfd writable{output.to, POLLOUT, 0};
        if (::poll(&writable, 1, -1) < 0 && errno != EINTR)
            return;
        if (!output.drain())
            return;
    }
}

}  // namespace

Result<ExitStatus> attend(pid_t pid, const Signals& signals, int master)
{
    std::optional<RawTerminal> terminal;
    Stream input{STDIN_FILENO, master, {}};
    Stream output{master, STDOUT_FILENO, {}};
    if (master >= 0) {
        terminal.emplace();
        if (::fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
            return errno_error("cannot set up the terminal");
    } else {
        input.open = output.open = false;
    }
    EndOfInput end_of_input;
    std::optional<ExitStatus> ended = reap(pid);
    while (!ended) {
        // A hang-up is level-triggered: a source is watched only while there is room for its bytes.
        pollfd watched[5] = {
            {signals.fd(), POLLIN, 0},
            {input.open && input.is_empty() ? STDIN_FILENO : -1, POLLIN, 0},
            {input.open && !input.is_empty() ? master : -1, POLLOUT, 0},
            {output.open && output.is_empty() ? master : -1, POLLIN, 0},
            {output.open && !output.is_empty() ? STDOUT_FILENO : -1, POLLOUT, 0},
        };
        int ready = ::poll(watched, 5, end_of_input.milliseconds());
        if (ready < 0 && errno != EINTR)
            return errno_error("cannot wait for the container");
        const bool half_a_line = input.end > 0 && input.buffer[input.end - 1] != '\n';
        if (ready == 0)
            end_of_input.say(master, half_a_line);
        if (watched[0].revents != 0 && handle_signals(signals.fd(), pid, master))
            ended = reap(pid);
        if (watched[1].revents != 0 && !input.fill()) {
            input.open = false;
            if (!terminal->is_terminal())
                end_of_input.say(master, half_a_line);
        }
        if (watched[2].revents != 0 && !input.drain())
            input.open = false;
        if (watched[3].revents != 0 && !output.fill()) {
            // EIO: no process has the terminal open now. Another may open it again (X30), or the
            // container ends: wait for either without spinning.
            pollfd only_signals{signals.fd(), POLLIN, 0};
            (void)::poll(&only_signals, 1, 20);
        }
        if (watched[4].revents != 0 && !output.drain()) {
            // Nobody reads our output: go on emptying the terminal, so that the program does not hang.
            output.to = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        }
    }
    if (master >= 0)
        flush(output);
    return *ended;
}
