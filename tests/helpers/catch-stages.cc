// catch-stages: tries to trace every process it can see but its own, again and again, until its stdin ends. Prints `caught NAME`
// for each that is a stage of ocirun at that moment, and at the end `tried`, if anything was refused.
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static std::string name_of(int pid)
{
    std::string path = "/proc/" + std::to_string(pid) + "/comm";
    char name[64] = {};
    int fd = ::open(path.c_str(), O_RDONLY);
    ssize_t n = fd >= 0 ? ::read(fd, name, sizeof name - 1) : -1;
    if (fd >= 0)
        ::close(fd);
    return n > 0 ? std::string(name, static_cast<size_t>(n - 1)) : std::string();
}

enum : int { ended = 1, refused = 2 };

/// Until one is caught, which goes on when its tracer ends, or stdin ends. Tells what happened.
static int hunt(int parent)
{
    int happened = 0;
    pollfd input{0, POLLIN, 0};
    for (;;) {
        if (::poll(&input, 1, 0) != 0)
            return happened | ended;
        for (int pid = 2; pid < 1000; pid++) {
            if (pid == ::getpid() || pid == parent)
                continue;
            if (::ptrace(PTRACE_SEIZE, pid, 0, 0) != 0) {
                if (errno == EPERM)
                    happened |= refused;
                continue;
            }
            // The name is that of the program that is executed now: a copy in memory is "memfd:oci-init", before Linux 6.14 the
            // number of its descriptor.
            std::string name = name_of(pid);
            if (name.find("oci-") != std::string::npos || name.find_first_not_of("0123456789") == std::string::npos)
                std::printf("caught %s\n", name.c_str());
            std::fflush(stdout);
            return happened;
        }
    }
}

int main()
{
    std::puts("ready");
    std::fflush(stdout);
    int happened = 0;
    while ((happened & ended) == 0) {
        int parent = ::getpid();
        pid_t child = ::fork();
        if (child == 0)
            ::_exit(hunt(parent));
        int status = 0;
        ::waitpid(child, &status, 0);
        happened |= WIFEXITED(status) ? WEXITSTATUS(status) : ended;
    }
    if ((happened & refused) != 0)
        std::puts("tried");
}
