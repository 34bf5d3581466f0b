// notify-listener ERRNO CMD [ARG]...: runs CMD with a socket as descriptor 5, receives the descriptor of a filter's
// listener on it, answers the first call that the filter asks about with ERRNO (0: lets it take place), prints its
// number and its first argument, and ends as CMD does.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int receive_listener(int socket)
{
    char text[16];
    iovec part{text, sizeof text};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (size != 8 || std::memcmp(text, "listener", 8) != 0 || header == nullptr)
        return -1;
    int fd;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

static bool answer(int listener, int error_number)
{
    seccomp_notif call{};
    if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
        return false;
    std::printf("asked %d %llu\n", call.data.nr, static_cast<unsigned long long>(call.data.args[0]));
    std::fflush(stdout);
    seccomp_notif_resp response{};
    response.id = call.id;
    response.error = -error_number;
    response.flags = error_number == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
    return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

int main(int argc, char** argv)
{
    int ends[2];
    if (argc < 3 || ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return 2;
    pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], 5);
        ::execvp(argv[2], argv + 2);
        ::_exit(127);
    }
    ::close(ends[1]);
    int listener = receive_listener(ends[0]);
    if (listener < 0 || !answer(listener, std::atoi(argv[1])))
        std::fprintf(stderr, "notify-listener: no listener or no call: %s\n", std::strerror(errno));
    ::close(listener);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
