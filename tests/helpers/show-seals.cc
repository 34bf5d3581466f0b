// show-seals: prints the seals of its own executable, and how opening that for writing fails.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

int main()
{
    int own = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int seals = own < 0 ? -1 : ::fcntl(own, F_GET_SEALS);
    if (seals < 0) {
        std::printf("not sealed: %s\n", std::strerror(errno));
        return 1;
    }
    std::printf("seals:%s%s%s%s\n", (seals & F_SEAL_SEAL) != 0 ? " seal" : "", (seals & F_SEAL_SHRINK) != 0 ? " shrink" : "",
                (seals & F_SEAL_GROW) != 0 ? " grow" : "", (seals & F_SEAL_WRITE) != 0 ? " write" : "");
    int writable = ::open("/proc/self/exe", O_WRONLY | O_CLOEXEC);
    if (writable >= 0 && ::write(writable, "x", 1) == 1)
        std::printf("overwritten\n");
    else
        std::printf("not writable\n");
    return 0;
}
