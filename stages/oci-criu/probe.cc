// The probes: the program, its version, our privileges, the kernel, and CRIU's own check.
#include "probe.h"

#include "fd/fd.h"
#include "process/process.h"
#include "process/program.h"
#include "stage/stage.h"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <sys/utsname.h>

// A check takes well under a second; an emulated machine may need some.
static constexpr int criu_seconds = 60;
static constexpr size_t max_output = 1 << 20;
static constexpr size_t kept_errors = 5;

std::string parse_version(std::string_view text)
{
    // "Version: 3.17.1", then perhaps "GitID: v3.17.1".
    size_t at = text.find("Version: ");
    if (at == std::string_view::npos)
        return {};
    text.remove_prefix(at + std::strlen("Version: "));
    return std::string(text.substr(0, text.find_first_not_of("0123456789.")));
}

std::vector<std::string> error_lines(std::string_view output)
{
    std::vector<std::string> lines;
    while (!output.empty() && lines.size() < kept_errors) {
        size_t newline = output.find('\n');
        std::string_view line = output.substr(0, newline);
        output.remove_prefix(newline == std::string_view::npos ? output.size() : newline + 1);
        // "(00.012345) Error (criu/vdso.c:381): ..."
        size_t error = line.find("Error (");
        if (error != std::string_view::npos)
            lines.emplace_back(line.substr(error));
    }
    return lines;
}

static bool contains(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

std::string remedy_for(std::string_view error, std::string_view version, std::string_view kernel)
{
    if (contains(error, "vdso"))
        return "install a newer CRIU: " + std::string(version.empty() ? "this one" : version) +
               " does not know the vDSO of Linux " + std::string(kernel);
    if (contains(error, "CONFIG_") || contains(error, "ns_last_pid") || contains(error, "map_files"))
        return "boot a kernel with the options that https://criu.org/Linux_kernel lists, CONFIG_CHECKPOINT_RESTORE above all";
    if (contains(error, "permitted") || contains(error, "ermission denied") || contains(error, "root") || contains(error, "capabilit"))
        return "run it as root, and in no container that takes privileges away";
    return "'criu check -v4' tells more";
}

std::vector<std::string> missing_kernel_options(std::string_view configuration)
{
    // https://criu.org/Linux_kernel, "Configuration": what a plain process tree needs. Either built in or a module.
    static constexpr std::string_view needed[] = {
        "CHECKPOINT_RESTORE", "NAMESPACES", "UTS_NS", "IPC_NS", "PID_NS", "NET_NS", "FHANDLE", "EVENTFD", "EPOLL", "UNIX_DIAG",
        "INET_DIAG", "INET_UDP_DIAG", "PACKET_DIAG", "NETLINK_DIAG", "INOTIFY_USER", "TUN", "NETFILTER_XT_MARK",
    };
    std::vector<std::string> missing;
    for (std::string_view option : needed) {
        std::string line = "\nCONFIG_" + std::string(option) + "=";
        size_t at = configuration.find(line);
        bool is_set = at != std::string_view::npos && at + line.size() < configuration.size() &&
                      (configuration[at + line.size()] == 'y' || configuration[at + line.size()] == 'm');
        if (!is_set)
            missing.push_back("CONFIG_" + std::string(option));
    }
    return missing;
}

namespace {

struct Output {
    ExitStatus status;
    std::string text;  ///< standard output and standard error, as they came
};

std::vector<std::string> environment()
{
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; variable++)
        variables.emplace_back(*variable);
    return variables;
}

/// Reads until all writers are gone; a program that writes no end of it, or never ends, is an error.
Result<std::string> read_output(int fd, const std::string& what)
{
    std::string text;
    char buffer[4096];
    time_t deadline = ::time(nullptr) + criu_seconds;
    for (;;) {
        pollfd waiting{fd, POLLIN, 0};
        int ready = ::poll(&waiting, 1, 1000);
        if (ready < 0 && errno != EINTR)
            return errno_error("cannot wait for '" + what + "'");
        if (ready <= 0) {
            if (::time(nullptr) > deadline)
                return Error{"'" + what + "' did not end within " + std::to_string(criu_seconds) + " seconds"};
            continue;
        }
        ssize_t size = ::read(fd, buffer, sizeof buffer);
        if (size < 0 && errno != EINTR)
            return errno_error("cannot read from '" + what + "'");
        if (size == 0)
            return text;
        if (size > 0)
            text.append(buffer, static_cast<size_t>(size));
        if (text.size() > max_output)
            return Error{"'" + what + "' printed more than 1 MiB"};
    }
}

Result<Output> run(const std::string& program, std::vector<std::string> arguments, int stdin_fd)
{
    Pipe pipe = TRY(Pipe::create());
    std::string what = program;
    for (const std::string& argument : arguments)
        what += " " + argument;
    arguments.insert(arguments.begin(), program);
    SpawnOptions options;
    options.stdin_fd = stdin_fd;
    options.stdout_fd = pipe.write_end.get();
    options.stderr_fd = pipe.write_end.get();
    options.environment = environment();
    stage::step("run '" + what + "'");
    ChildProcess child = TRY(spawn(program, arguments, options));
    pipe.write_end.reset();
    Output output;
    output.text = TRY(read_output(pipe.read_end.get(), what));
    output.status = TRY(child.wait());
    return output;
}

Result<Output> run(const std::string& program, std::vector<std::string> arguments)
{
    UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null)
        return errno_error("cannot open '/dev/null'");
    return run(program, std::move(arguments), null.get());
}

/// The running kernel's configuration from the places where distributions keep it; empty: none.
std::string read_kernel_configuration(const std::string& release)
{
    for (const std::string& path : {"/boot/config-" + release, "/lib/modules/" + release + "/config"}) {
        UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file)
            continue;
        Result<std::string> text = read_whole(file.get(), max_output);
        if (text.has_value())
            return "\n" + text.value();
    }
    // CONFIG_IKCONFIG_PROC; only gzip(1) can read it.
    UniqueFd packed(::open("/proc/config.gz", O_RDONLY | O_CLOEXEC));
    Result<std::string> gzip = find_in_path("gzip");
    if (!packed || !gzip.has_value())
        return {};
    Result<Output> unpacked = run(gzip.value(), {"-dc"}, packed.get());
    return unpacked.has_value() && unpacked.value().status.shell_status() == 0 ? "\n" + unpacked.value().text : std::string();
}

/// In PATH, and where distributions put it: the PATH of a user may lack the folders for administrators.
Result<std::string> find_criu(const std::string& criu)
{
    Result<std::string> found = find_in_path(criu);
    if (found.has_value() || criu.find('/') != std::string::npos)
        return found;
    for (const char* folder : {"/usr/local/sbin/", "/usr/sbin/"}) {
        Result<std::string> elsewhere = find_in_path(folder + criu);
        if (elsewhere.has_value())
            return elsewhere;
    }
    return found;
}

/// Finds the program and asks for its version; false: there is nothing to go on with.
Result<bool> probe_program(const std::string& criu, Probe& probe)
{
    Result<std::string> found = find_criu(criu);
    if (!found.has_value()) {
        bool is_missing = found.error().exit_code == exit_not_found;
        probe.obstacles.push_back({is_missing ? "there is no CRIU: " + found.error().message() : found.error().message(),
                                   is_missing ? "install CRIU (the package is called criu), or name it with --criu"
                                              : "name another program with --criu"});
        return false;
    }
    probe.program = found.value();
    Result<Output> output = run(probe.program, {"--version"});
    if (!output.has_value()) {
        probe.obstacles.push_back({output.error().message(), "name another program with --criu"});
        return false;
    }
    probe.version = parse_version(output.value().text);
    if (probe.version.empty()) {
        probe.obstacles.push_back({"'" + probe.program + " --version' names no version and " + output.value().status.words(),
                                   "name another program with --criu"});
        return false;
    }
    return true;
}

/// CRIU's own check. Its first error is the reason.
Result<void> probe_check(Probe& probe)
{
    Output output = TRY(run(probe.program, {"check"}));
    if (output.status.shell_status() == 0)
        return {};
    probe.errors = error_lines(output.text);
    std::string reason = probe.errors.empty() ? "'" + probe.program + " check' " + output.status.words()
                                              : "'" + probe.program + " check' says: " + probe.errors[0];
    std::string all;
    for (const std::string& line : probe.errors)
        all += line + "\n";
    probe.obstacles.push_back({std::move(reason), remedy_for(all, probe.version, probe.kernel)});
    return {};
}

Result<void> probe_features(Probe& probe)
{
    probe.features = {{"pre-dump", "mem_dirty_track"}, {"lazy-pages", "uffd-noncoop"}};
    for (Feature& feature : probe.features)
        feature.works = TRY(run(probe.program, {"check", "--feature", std::string(feature.criu_name)})).status.shell_status() == 0;
    return {};
}

}  // namespace

Result<Probe> probe_criu(const std::string& criu)
{
    Probe probe;
    utsname names{};
    ::uname(&names);
    probe.kernel = names.release;
    std::string configuration = read_kernel_configuration(probe.kernel);
    if (!configuration.empty()) {
        std::vector<std::string> missing = missing_kernel_options(configuration);
        if (std::find(missing.begin(), missing.end(), "CONFIG_CHECKPOINT_RESTORE") != missing.end())
            probe.obstacles.push_back({"this kernel was built without CONFIG_CHECKPOINT_RESTORE", "boot a kernel that has it"});
        probe.missing_options = std::move(missing);
    }

    if (!TRY(probe_program(criu, probe)))
        return probe;
    if (::geteuid() != 0) {
        probe.obstacles.push_back({"CRIU needs root", "run this as root"});
        return probe;
    }
    TRY(probe_check(probe));
    if (probe.works())
        TRY(probe_features(probe));
    return probe;
}
