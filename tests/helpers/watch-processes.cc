// watch-processes: in a container, looks at every process that appears there, as CVE-2016-9962 did: at its descriptors, and
// whether it can be traced. Says once per kind of event: `outside PATH` for a descriptor of a directory that is not the
// container's, `traced` when it could attach to a process before it is a program of the image, `refused` when not.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <set>
#include <string>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static std::set<std::string> said;

static void say(const std::string& what)
{
    if (said.insert(what).second) {
        std::printf("%s\n", what.c_str());
        std::fflush(stdout);
    }
}

static bool is_of_image(const std::string& process)
{
    char target[256] = "";
    return ::readlink((process + "/exe").c_str(), target, sizeof target - 1) > 0 && std::strncmp(target, "/bin/", 5) == 0;
}

static void look_at_descriptors(const std::string& process)
{
    const std::string folder = process + "/fd";
    DIR* list = ::opendir(folder.c_str());
    if (list == nullptr)
        return say(std::string("refused: descriptors: ") + std::strerror(errno));
    while (const dirent* entry = ::readdir(list)) {
        struct stat status;
        const std::string path = folder + "/" + entry->d_name;
        char target[256] = "";
        if (entry->d_name[0] == '.' || ::readlink(path.c_str(), target, sizeof target - 1) <= 0)
            continue;
        if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && ::access(path.c_str(), F_OK) == 0 && !is_of_image(process))
            say("outside " + std::string(target));
    }
    ::closedir(list);
}

int main()
{
    for (;;) {
        DIR* proc = ::opendir("/proc");
        while (const dirent* entry = ::readdir(proc)) {
            const int pid = std::atoi(entry->d_name);
            if (pid <= 0 || pid == ::getpid())
                continue;
            const std::string process = std::string("/proc/") + entry->d_name;
            if (is_of_image(process))
                continue;
            look_at_descriptors(process);
            if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0) {
                // By now it may be the program, which is ours to trace, or its end. Who can trace it can read this link.
                char target[256] = "";
                if (::readlink((process + "/exe").c_str(), target, sizeof target - 1) > 0 && std::strncmp(target, "/bin/", 5) != 0)
                    say(std::string("traced ") + target);
                ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
            } else if (errno == EPERM) {
                say("refused: trace");
            }
        }
        ::closedir(proc);
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
    }
}
