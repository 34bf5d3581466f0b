// open-exe SECONDS: in a container, tries to open the executable of every other process for writing, as CVE-2019-5736 did;
// also later, by a descriptor that it kept, when the process is gone. Says `opened` for each that works.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <set>
#include <string>
#include <time.h>
#include <unistd.h>
#include <vector>

static void try_all(std::vector<int>& kept)
{
    for (int fd : kept) {
        const std::string path = "/proc/self/fd/" + std::to_string(fd);
        int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (file >= 0) {
            std::printf("opened %s\n", path.c_str());
            std::fflush(stdout);
            ::close(file);
        }
    }
}

int main(int argc, char** argv)
{
    const time_t end = ::time(nullptr) + (argc > 1 ? std::atoi(argv[1]) : 5);
    std::vector<int> kept;
    std::set<std::string> seen;
    while (::time(nullptr) < end) {
        DIR* proc = ::opendir("/proc");
        while (const dirent* entry = ::readdir(proc)) {
            if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || std::atoi(entry->d_name) == ::getpid())
                continue;
            const std::string path = std::string("/proc/") + entry->d_name + "/exe";
            char target[256] = "";
            if (::readlink(path.c_str(), target, sizeof target - 1) > 0 && seen.insert(target).second) {
                std::printf("saw %s\n", target);
                std::fflush(stdout);
            }
            if (std::strncmp(target, "/bin/", 5) == 0)
                continue;  // the image's own
            int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
            if (file >= 0)
                std::printf("opened %s (%s)\n", path.c_str(), target);
            int held = ::open(path.c_str(), O_PATH | O_CLOEXEC);
            if (held >= 0 && kept.size() < 500)
                kept.push_back(held);
        }
        ::closedir(proc);
        try_all(kept);
    }
    return 0;
}
