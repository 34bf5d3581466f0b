// drive STEP... -- CMD [ARG]...: plays ocirun's part towards a stage. CMD gets the control socket as descriptor 6 and a
// listening start socket as descriptor 7. Prints what CMD says, one message a line, and then what came out of the terminal
// that it sent, if it did. The exit status is that of CMD, or, when CMD is an oci-ns with --control-fd, that of the process
// that it names by its message `pid`.
//   hear:TEXT    wait for this message; another one ends the test with status 99
//   eof          wait for the end of the conversation on the control socket
//   say:TEXT     send a message (\t is a tab)
//   hang-up      close the control socket
//   start:TEXT   connect to the start socket, send TEXT, print the answers until it closes
//   knock        connect to the start socket and go away without a word
//   type:TEXT    write into the terminal (\n is a newline)
//   alive        CMD must still be running
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

static void fail(const std::string& what)
{
    std::printf("drive: %s\n", what.c_str());
    std::fflush(stdout);
    std::exit(99);
}

static std::string with_escapes(const std::string& text)
{
    std::string result;
    for (size_t i = 0; i < text.size(); i++) {
        if (text[i] == '\\' && i + 1 < text.size())
            result += text[++i] == 't' ? '\t' : '\n';
        else
            result += text[i];
    }
    return result;
}

/// One message; a descriptor that comes along is kept in `fd`. False: end of file.
static bool receive(int socket, std::string& text, int& fd)
{
    char buffer[65536];
    iovec part{buffer, sizeof buffer};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (size <= 0)
        return false;
    text.assign(buffer, static_cast<size_t>(size));
    if (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr && header->cmsg_type == SCM_RIGHTS)
        std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return true;
}

static pid_t pid = -1;

/// A conversation that stands still leaves nobody behind.
static void give_up(int)
{
    if (pid > 0)
        ::kill(pid, SIGKILL);
    ::_exit(98);
}

int main(int argc, char** argv)
{
    ::signal(SIGALRM, give_up);
    ::alarm(30);
    std::vector<std::string> steps;
    int i = 1;
    for (; i < argc && std::strcmp(argv[i], "--") != 0; i++)
        steps.emplace_back(argv[i]);
    if (i + 1 >= argc) {
        std::fprintf(stderr, "usage: drive STEP... -- CMD [ARG]...\n");
        return 2;
    }
    int pair[2];
    int listener = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // Autobind gives a name that nobody else has.
    socklen_t size = sizeof(sa_family_t);
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) < 0 ||
        ::listen(listener, 4) < 0)
        fail("no sockets");
    size = sizeof address;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);

    pid = ::fork();
    if (pid == 0) {
        int theirs = ::fcntl(pair[1], F_DUPFD, 20);
        int start = ::fcntl(listener, F_DUPFD, 20);
        ::dup2(theirs, 6);
        ::dup2(start, 7);
        ::close(theirs);
        ::close(start);
        ::execvp(argv[i + 1], argv + i + 1);
        ::_exit(127);
    }
    ::close(pair[1]);
    ::close(listener);

    int control = pair[0];
    int terminal = -1;
    std::string text;
    // oci-ns's own message is not for the steps: from then on its child, which is ours too, stands for CMD.
    auto hear = [&] {
        bool heard = receive(control, text, terminal);
        if (heard && text.starts_with("pid\t")) {
            int status = 0;
            if (::waitpid(pid, &status, 0) < 0 || status != 0)
                fail("oci-ns failed");
            pid = std::atoi(text.c_str() + 4);
            heard = receive(control, text, terminal);
        }
        return heard;
    };
    for (const std::string& step : steps) {
        std::fflush(stdout);
        const std::string argument = step.find(':') == std::string::npos ? "" : with_escapes(step.substr(step.find(':') + 1));
        if (step.starts_with("hear:")) {
            if (!hear())
                fail("end of file instead of '" + argument + "'");
            std::printf("%s\n", text.c_str());
            if (text != argument)
                fail("'" + text + "' instead of '" + argument + "'");
        } else if (step == "eof") {
            if (hear())
                fail("'" + text + "' instead of end of file");
            std::printf("eof\n");
        } else if (step.starts_with("say:")) {
            if (::send(control, argument.data(), argument.size(), MSG_NOSIGNAL) < 0)
                fail("cannot say it");
        } else if (step == "hang-up") {
            ::close(control);
        } else if (step.starts_with("start:") || step == "knock") {
            int starter = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
            if (::connect(starter, reinterpret_cast<sockaddr*>(&address), size) < 0)
                fail(std::string("cannot connect: ") + std::strerror(errno));
            if (step != "knock")
                ::send(starter, argument.data(), argument.size(), MSG_NOSIGNAL);
            int none = -1;
            while (step != "knock" && receive(starter, text, none))
                std::printf("starter: %s\n", text.c_str());
            ::close(starter);
        } else if (step.starts_with("type:")) {
            if (::write(terminal, argument.data(), argument.size()) < 0)
                fail("cannot type");
        } else if (step == "alive") {
            ::usleep(200000);
            if (::waitpid(pid, nullptr, WNOHANG) != 0)
                fail("it has ended");
        } else {
            fail("unknown step '" + step + "'");
        }
    }
    char buffer[4096];
    for (ssize_t n; terminal >= 0 && (n = ::read(terminal, buffer, sizeof buffer)) > 0;)
        std::fwrite(buffer, 1, static_cast<size_t>(n), stdout);
    std::fflush(stdout);
    int status = 0;
    if (::waitpid(pid, &status, 0) < 0)
        fail("cannot wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
