// make-syscall [--x86] [--thread] NAME|NUMBER [ARG]...: makes one system call and prints what came back: `ok RESULT`,
// the errno's name, or `SIGSYS NUMBER ERRNO` when the signal came and the number in it.
//   ARG       a number, or `root-handle`: a file handle of inode 2, the root of an ext file system
//   --x86     by the 32-bit entry (int $0x80) of an x86-64 kernel
//   --thread  in a second thread; then `survived` if the first one is still there afterwards
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

static constexpr struct {
    const char* name;
    long number;
} names[] = {{"close", SYS_close}, {"getpid", SYS_getpid}, {"getppid", SYS_getppid}, {"ioctl", SYS_ioctl}, {"open_by_handle_at", SYS_open_by_handle_at},
             {"personality", SYS_personality}, {"socket", SYS_socket}};

// struct file_handle: size, type (FILEID_INO32_GEN), inode, generation.
static unsigned root_handle[] = {8, 1, 2, 0};

static bool by_x86;
static long number;
static unsigned long arguments[6];

static void print(const char* text) { (void)!::write(STDOUT_FILENO, text, std::strlen(text)); }

static void on_sigsys(int, siginfo_t* info, void*)
{
    char line[64];
    std::snprintf(line, sizeof line, "SIGSYS %d %d\n", info->si_syscall, info->si_errno);
    print(line);
    ::_exit(0);
}

static long make_call()
{
#ifdef __x86_64__
    if (by_x86) {
        long result;
        asm volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(arguments[0]), "c"(arguments[1]), "d"(arguments[2]), "S"(arguments[3]), "D"(arguments[4])
                     : "memory", "r8", "r9", "r10", "r11");
        errno = result < 0 ? static_cast<int>(-result) : 0;
        return result < 0 ? -1 : result;
    }
#endif
    return ::syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

static void* report(void*)
{
    errno = 0;
    long result = make_call();
    char line[64];
    if (result == -1 && errno != 0)
        std::snprintf(line, sizeof line, "%s\n", ::strerrorname_np(errno) != nullptr ? ::strerrorname_np(errno) : "unknown");
    else
        std::snprintf(line, sizeof line, "ok %ld\n", result);
    print(line);
    return nullptr;
}

int main(int argc, char** argv)
{
    bool in_thread = false;
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] == '-'; at++) {
        by_x86 |= std::strcmp(argv[at], "--x86") == 0;
        in_thread |= std::strcmp(argv[at], "--thread") == 0;
    }
    if (at >= argc || argc - at > 7)
        return 2;
    number = std::strtol(argv[at], nullptr, 0);
    for (const auto& known : names)
        if (std::strcmp(known.name, argv[at]) == 0)
            number = known.number;
    for (int i = at + 1; i < argc; i++)
        arguments[i - at - 1] = std::strcmp(argv[i], "root-handle") == 0 ? reinterpret_cast<unsigned long>(root_handle) : std::strtoul(argv[i], nullptr, 0);

    struct sigaction action {};
    action.sa_sigaction = on_sigsys;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGSYS, &action, nullptr);

    if (!in_thread) {
        report(nullptr);
        return 0;
    }
    pthread_t thread;
    if (::pthread_create(&thread, nullptr, report, nullptr) != 0)
        return 1;
    ::usleep(200000);  // not pthread_join: a killed thread never says that it is gone
    print("survived\n");
    ::_exit(0);
}
