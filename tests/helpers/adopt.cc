// adopt CMD [ARG]...: plays ocirun's part towards oci-ns. CMD gets the control socket as descriptor 6. Prints each message,
// with CHILD for the number of a process that is a child of ours, and then how CMD and that child ended.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int shell_status(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

int main(int argc, char** argv)
{
    int ends[2];
    if (argc < 2 || ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return 2;
    pid_t command = ::fork();
    if (command == 0) {
        if (ends[1] == 6)
            ::fcntl(6, F_SETFD, 0);
        else
            ::dup2(ends[1], 6);
        ::execvp(argv[1], argv + 1);
        std::perror(argv[1]);
        ::_exit(127);
    }
    ::close(ends[1]);
    pid_t child = -1;
    char buffer[4096];
    for (ssize_t n; (n = ::recv(ends[0], buffer, sizeof buffer, 0)) > 0;) {
        std::string text(buffer, static_cast<size_t>(n));
        siginfo_t info{};
        if (text.starts_with("pid\t")) {
            pid_t pid = std::atoi(text.c_str() + 4);
            // waitid succeeds only for a child of ours.
            if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
                child = pid;
                text = "pid\tCHILD";
            }
        }
        while (!text.empty() && text.back() == '\n')
            text.pop_back();
        std::printf("message: %s\n", text.c_str());
        std::fflush(stdout);
    }
    int status = 0;
    ::waitpid(command, &status, 0);
    std::printf("command: %d\n", shell_status(status));
    if (child > 0 && ::waitpid(child, &status, 0) == child)
        std::printf("child: %d\n", shell_status(status));
    while (::waitpid(-1, &status, 0) > 0)
        std::printf("another child: %d\n", shell_status(status));
    return 0;
}
