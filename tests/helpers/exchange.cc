// exchange A B [C]: exchanges the names A and B, then A and C, until it is killed.
#include <cstdio>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

int main(int argc, char** argv)
{
    if (argc < 3) {
        std::fprintf(stderr, "usage: exchange A B [C]\n");
        return 2;
    }
    // Whoever started it ends it; this is for a test that was killed.
    ::alarm(1800);
    for (int i = 0;; i++) {
        const char* other = argv[2 + i % (argc - 2)];
        // Twice, so that A is itself again before the next one.
        for (int back = 0; back < 2; back++)
            if (::syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, other, RENAME_EXCHANGE) < 0) {
                std::perror("exchange");
                return 1;
            }
    }
}
