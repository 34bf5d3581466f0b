// Processes: started, identified, waited for.
#include "process/process.h"

#include <csignal>
#include <doctest/doctest.h>
#include <sys/wait.h>

TEST_CASE("a child gets its arguments, its environment and its output, nothing else")
{
    Pipe output = std::move(Pipe::create()).value();
    Pipe other = std::move(Pipe::create()).value();
    SpawnOptions options;
    options.stdout_fd = output.write_end.get();
    options.environment = {"A=1"};
    ChildProcess child = spawn("/bin/sh", {"sh", "-c", "echo $1 $A $HOME; test -e /proc/self/fd/$2 && echo leaked; exit 3", "sh", "x", std::to_string(other.read_end.get())}, options).value();
    output.write_end.reset();
    CHECK(read_all(output.read_end.get(), 1000).value() == "x 1\n");
    ExitStatus status = child.wait().value();
    CHECK_FALSE(status.signaled);
    CHECK(status.number == 3);
    CHECK(status.words() == "exited with status 3");
}

TEST_CASE("a program that cannot be executed is an error at once")
{
    CHECK(spawn("/no/such", {"x"}, {}).error().message() == "cannot execute '/no/such': No such file or directory");
}

TEST_CASE("a death by signal is told as the shell tells it")
{
    ChildProcess child = spawn("/bin/sh", {"sh", "-c", "kill -KILL $$"}, {}).value();
    ExitStatus status = child.wait().value();
    CHECK(status.shell_status() == 137);
    CHECK(status.words() == "was killed by signal 9 (Killed)");
}

TEST_CASE("a child that nobody waits for is killed and reaped")
{
    pid_t pid;
    {
        ChildProcess child = spawn("/bin/sleep", {"sleep", "1000"}, {}).value();
        pid = child.pid();
    }
    CHECK(::kill(pid, 0) < 0);
}

TEST_CASE("a process is its number and its start time")
{
    ProcessId self{::getpid(), read_process_status(::getpid())->start_time};
    CHECK(is_alive(self));
    CHECK(open_process(self).value().has_value());
    ProcessId reused{self.pid, self.start_time + 1};
    CHECK_FALSE(is_alive(reused));
    CHECK_FALSE(open_process(reused).value().has_value());
}

TEST_CASE("a zombie is not alive but still that process")
{
    ChildProcess child = spawn("/bin/true", {"true"}, {}).value();
    siginfo_t info;
    REQUIRE(::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) == 0);
    ProcessId id{child.pid(), read_process_status(child.pid())->start_time};
    CHECK_FALSE(is_alive(id));
    CHECK(open_process(id).value().has_value());
}
