// Listens on a unix socket, takes one descriptor (a terminal's master or a pidfd), and shows it:
//   receive-terminal SOCKET          copies the terminal's output to stdout until its end
//   receive-terminal --name SOCKET   prints the message that came with the descriptor, and what it is; keeps it until it is killed
#include <cstdio>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char** argv)
{
    bool only_name = argc > 2 && std::strcmp(argv[1], "--name") == 0;
    if (argc != (only_name ? 3 : 2))
        return 2;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, argv[argc - 1], sizeof address.sun_path - 1);
    int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 || ::listen(listener, 1) < 0) {
        std::perror(argv[argc - 1]);
        return 1;
    }
    int connection = ::accept(listener, nullptr, nullptr);
    char name[256] = {};
    iovec part{name, sizeof name - 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (connection < 0 || ::recvmsg(connection, &message, 0) <= 0 || CMSG_FIRSTHDR(&message) == nullptr)
        return 1;
    int fd;
    std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    if (only_name) {
        char target[256] = {};
        std::string link = "/proc/self/fd/" + std::to_string(fd);
        (void)!::readlink(link.c_str(), target, sizeof target - 1);
        std::printf("%s %s\n", name, target);
        std::fflush(stdout);
        // A terminal whose master is closed is hung up: it is held until somebody ends us.
        ::pause();
        return 0;
    }
    char buffer[4096];
    for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
        if (::write(1, buffer, static_cast<size_t>(n)) != n)
            return 1;
    return 0;
}
