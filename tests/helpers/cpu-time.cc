// cpu-time ROUNDS COMMAND [ARG]... [, COMMAND [ARG]...]...
// Runs the commands in turn, ROUNDS times, and prints for each one the median of the CPU time that it took, in microseconds, a
// line each. In turn, as a machine that others use is fast and slow by the minute. Input and output are /dev/null.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

int main(int argc, char** argv)
{
    std::vector<std::vector<char*>> commands(1);
    for (int i = 2; i < argc; i++) {
        if (std::strcmp(argv[i], ",") == 0)
            commands.emplace_back();
        else
            commands.back().push_back(argv[i]);
    }
    int rounds = argc > 2 ? std::atoi(argv[1]) : 0;
    if (rounds <= 0)
        return 2;
    std::vector<std::vector<long>> times(commands.size());
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < commands.size(); i++) {
            std::vector<char*> words = commands[i];
            words.push_back(nullptr);
            pid_t pid = ::fork();
            if (pid == 0) {
                int null = ::open("/dev/null", O_RDWR);
                ::dup2(null, STDIN_FILENO);
                ::dup2(null, STDOUT_FILENO);
                ::execvp(words[0], words.data());
                ::_exit(127);
            }
            int status = 0;
            struct rusage usage;
            if (pid < 0 || ::wait4(pid, &status, 0, &usage) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
                std::fprintf(stderr, "%s failed\n", words[0]);
                return 1;
            }
            times[i].push_back((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
        }
    }
    for (std::vector<long>& of_one : times) {
        std::sort(of_one.begin(), of_one.end());
        std::printf("%ld\n", of_one[of_one.size() / 2]);
    }
}
