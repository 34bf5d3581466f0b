// deny-syscall NAME|NUMBER[:ERRNO]... -- CMD [ARG]...: runs CMD with these system calls failing
// (ENOSYS unless a number says otherwise), as on a kernel that does not have them.
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

// Numbers that are younger than the headers of some distributions; the same on every architecture.
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static constexpr struct {
    const char* name;
    long number;
} calls[] = {
    {"bpf", SYS_bpf},
    {"capset", SYS_capset},
    {"chroot", SYS_chroot},
    {"clone3", SYS_clone3},
    {"close_range", SYS_close_range},
    {"copy_file_range", SYS_copy_file_range},
    {"execveat", SYS_execveat},
    {"fsconfig", SYS_fsconfig},
    {"fsmount", SYS_fsmount},
    {"fsopen", SYS_fsopen},
    {"fspick", SYS_fspick},
    {"keyctl", SYS_keyctl},
    {"memfd_create", SYS_memfd_create},
    {"mount", SYS_mount},
    {"mount_setattr", SYS_mount_setattr},
    {"move_mount", SYS_move_mount},
    {"open_tree", SYS_open_tree},
    {"openat2", SYS_openat2},
    {"pidfd_getfd", SYS_pidfd_getfd},
    {"pidfd_open", SYS_pidfd_open},
    {"pidfd_send_signal", SYS_pidfd_send_signal},
    {"pivot_root", SYS_pivot_root},
    {"renameat2", SYS_renameat2},
    {"seccomp", SYS_seccomp},
    {"sendfile", SYS_sendfile},
    {"setgroups", SYS_setgroups},
    {"sethostname", SYS_sethostname},
    {"setns", SYS_setns},
    {"statx", SYS_statx},
    {"umount2", SYS_umount2},
    {"unshare", SYS_unshare},
};

static long number_of(const std::string& word)
{
    for (const auto& call : calls)
        if (word == call.name)
            return call.number;
    char* end = nullptr;
    long number = std::strtol(word.c_str(), &end, 10);
    if (word.empty() || *end != '\0') {
        std::fprintf(stderr, "deny-syscall: unknown system call '%s'\n", word.c_str());
        std::exit(2);
    }
    return number;
}

int main(int argc, char** argv)
{
    // The architecture is not looked at: tests run programs of this machine's own.
    std::vector<sock_filter> filter{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
    int i = 1;
    for (; i < argc && std::strcmp(argv[i], "--") != 0; i++) {
        std::string word = argv[i];
        unsigned error = ENOSYS;
        size_t colon = word.find(':');
        if (colon != std::string::npos) {
            error = static_cast<unsigned>(std::atoi(word.c_str() + colon + 1));
            word.resize(colon);
        }
        filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number_of(word)), 0, 1));
        filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
    }
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    if (i + 1 >= argc || i == 1) {
        std::fprintf(stderr, "usage: deny-syscall NAME|NUMBER[:ERRNO]... -- CMD [ARG]...\n");
        return 2;
    }
    sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    // As root without no_new_privs, so that set-user-ID programs below keep working.
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 &&
        (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)) {
        std::perror("deny-syscall: cannot load the filter");
        return 125;
    }
    ::execvp(argv[i + 1], argv + i + 1);
    std::perror(argv[i + 1]);
    return errno == ENOENT ? 127 : 126;
}
