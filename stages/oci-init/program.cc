// Finding and executing the program.
#include "program.h"

#include "process/as_user.h"
#include "process/process.h"
#include "scan/scan.h"
#include "stage/stage.h"

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

static constexpr size_t max_passwd = 8 << 20;

std::vector<std::string> merge_environment(std::span<const std::string_view> variables)
{
    struct Variable {
        std::string_view name;
        size_t place;
    };
    std::vector<Variable> all;
    all.reserve(variables.size());
    for (size_t i = 0; i < variables.size(); i++)
        if (size_t equals = variables[i].find('='); equals != std::string_view::npos && equals != 0)
            all.push_back({variables[i].substr(0, equals), i});
    // Those of one name stand together then, and in their order. Not each beside each: engines pass thousands.
    std::sort(all.begin(), all.end(), [](const Variable& a, const Variable& b) {
        int order = a.name.compare(b.name);
        return order != 0 ? order < 0 : a.place < b.place;
    });
    // The last one of a name, in the place of the first.
    std::vector<std::string_view> merged(variables.size());
    for (size_t first = 0, i = 0; i < all.size(); i++) {
        if (all[i].name != all[first].name)
            first = i;
        merged[all[first].place] = variables[all[i].place];
    }
    std::vector<std::string> result;
    for (std::string_view variable : merged)
        if (!variable.empty())
            result.emplace_back(variable);
    return result;
}

std::optional<std::string> find_home(std::string_view passwd, uid_t uid)
{
    while (!passwd.empty()) {
        std::string_view line = take_line(passwd);
        // name:password:uid:gid:comment:home:shell
        std::string_view fields[7];
        size_t count = 0;
        for (; count < 7; count++) {
            size_t colon = line.find(':');
            fields[count] = line.substr(0, colon);
            if (colon == std::string_view::npos)
                break;
            line.remove_prefix(colon + 1);
        }
        if (count < 5)
            continue;
        Result<unsigned long long> number = parse_unsigned(fields[2]);
        if (number.has_value() && number.value() == uid && fields[5].starts_with('/'))
            return std::string(fields[5]);
    }
    return std::nullopt;
}

std::optional<Shebang> parse_shebang(std::string_view start)
{
    if (!start.starts_with("#!"))
        return std::nullopt;
    std::string_view line = start.substr(2, start.find('\n') == std::string_view::npos ? std::string_view::npos : start.find('\n') - 2);
    Shebang shebang;
    shebang.ends_with_carriage_return = line.ends_with('\r');
    if (shebang.ends_with_carriage_return)
        line.remove_suffix(1);
    size_t first = line.find_first_not_of(" \t");
    line.remove_prefix(first == std::string_view::npos ? line.size() : first);
    shebang.interpreter = line.substr(0, line.find_first_of(" \t"));
    // Only the interpreter's own name is spoilt: behind a blank the carriage return is part of the argument.
    shebang.ends_with_carriage_return = shebang.ends_with_carriage_return && shebang.interpreter.size() == line.size();
    return shebang;
}

// Read by offsets: a file for another machine may have another size of words and another order of bytes.
static uint64_t read_integer(std::string_view file, size_t at, size_t size, bool big_endian)
{
    uint64_t value = 0;
    if (at > file.size() || size > file.size() - at)
        return 0;
    for (size_t i = 0; i < size; i++) {
        size_t place = big_endian ? i : size - 1 - i;
        value = value << 8 | static_cast<unsigned char>(file[at + place]);
    }
    return value;
}

ElfFacts parse_elf(std::string_view file)
{
    ElfFacts facts;
    if (file.size() < 20 || !file.starts_with(ELFMAG))
        return facts;
    facts.is_elf = true;
    const bool is_64 = file[EI_CLASS] == ELFCLASS64;
    const bool big_endian = file[EI_DATA] == ELFDATA2MSB;
    facts.machine = static_cast<unsigned>(read_integer(file, 18, 2, big_endian));
    const uint64_t table = is_64 ? read_integer(file, 32, 8, big_endian) : read_integer(file, 28, 4, big_endian);
    const uint64_t entry_size = read_integer(file, is_64 ? 54 : 42, 2, big_endian);
    const uint64_t count = read_integer(file, is_64 ? 56 : 44, 2, big_endian);
    for (uint64_t i = 0; i < count && table < file.size(); i++) {
        const uint64_t entry = table + i * entry_size;
        if (entry + entry_size > file.size())
            break;
        if (read_integer(file, entry, 4, big_endian) != PT_INTERP)
            continue;
        const uint64_t offset = is_64 ? read_integer(file, entry + 8, 8, big_endian) : read_integer(file, entry + 4, 4, big_endian);
        const uint64_t size = is_64 ? read_integer(file, entry + 32, 8, big_endian) : read_integer(file, entry + 16, 4, big_endian);
        if (offset < file.size() && size <= file.size() - offset && size > 0)
            facts.interpreter = std::string(file.substr(offset, size - 1));
        break;
    }
    return facts;
}

static std::string_view value_of(const std::vector<std::string>& environment, std::string_view name)
{
    for (const std::string& variable : environment)
        if (variable.size() > name.size() && variable.starts_with(name) && variable[name.size()] == '=')
            return std::string_view(variable).substr(name.size() + 1);
    return {};
}

static void set_variable(std::vector<std::string>& environment, std::string_view name, std::string_view value)
{
    std::erase_if(environment, [&](const std::string& variable) { return variable.starts_with(name) && variable[name.size()] == '='; });
    environment.push_back(std::string(name) + "=" + std::string(value));
}

/// The home directory by the container's /etc/passwd. No name service: its libraries would be the container's.
static std::string read_home(const InRoot& root, uid_t uid)
{
    Result<UniqueFd> file = root.open("/etc/passwd", O_RDONLY | O_NONBLOCK);
    struct stat status;
    // Files of procfs and their like say that they are empty. Reading some of them does something, taking away the host's
    // kernel messages for one (/proc/kmsg).
    if (!file.has_value() || ::fstat(file.value().get(), &status) < 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
        return "/";
    Result<std::string> text = read_all(file.value().get(), max_passwd);
    return text.has_value() ? find_home(text.value(), uid).value_or("/") : "/";
}

Result<Program> read_program(const Plan& plan, std::span<char* const> instead, const InRoot& root, const User& user)
{
    Program program;
    std::vector<std::string_view> variables;
    for (const Directive& line : plan.directives()) {
        if (line.is("init.arg") && instead.empty())
            program.arguments.emplace_back(line[0]);
        else if (line.is("init.env"))
            variables.push_back(line[0]);
    }
    for (const char* argument : instead)
        program.arguments.emplace_back(argument);
    if (program.arguments.empty())
        return Error{"there is no program to execute: the plan has no 'init.arg' line"}.with_pointer("/process/args");
    program.environment = merge_environment(variables);
    if (value_of(program.environment, "HOME").empty())
        set_variable(program.environment, "HOME", read_home(root, user.uid));
    if (!value_of(program.environment, "LISTEN_FDS").empty())
        set_variable(program.environment, "LISTEN_PID", std::to_string(::getpid()));
    return program;
}

Result<void> make_working_directory(const Plan& plan, const InRoot& root)
{
    const Directive* line = plan.find("init.cwd");
    if (line == nullptr)
        return {};
    if (!(*line)[0].starts_with('/'))
        return Error{"the working directory '" + std::string((*line)[0]) + "' is not an absolute path"}.with_pointer(line->pointer);
    Result<UniqueFd> made = root.make_directories((*line)[0], 0755);
    // Whether it can be entered is found out later, as the user.
    if (!made.has_value() && made.error().error_number != EACCES && made.error().error_number != EROFS)
        return std::move(made).error().with_context("working directory").with_pointer(line->pointer);
    return {};
}

Result<void> verify_working_directory()
{
    // The system call itself: the kernel marks what is outside of the root with "(unreachable)".
    char path[PATH_MAX];
    long size = ::syscall(SYS_getcwd, path, sizeof path);
    if (size < 0)
        return errno_error("cannot tell the working directory");
    if (path[0] != '/')
        return Error{"the working directory is outside of the container's root; this looks like an attempt to break out"};
    return {};
}

static Result<void> enter(const InRoot& root, std::string_view path)
{
    UniqueFd directory = TRY(root.open(path, O_PATH | O_DIRECTORY));
    if (::fchdir(directory.get()) < 0)
        return errno_error("cannot enter '" + std::string(path) + "'");
    return {};
}

Result<void> enter_working_directory(const Plan& plan, const InRoot& root, const User& user)
{
    const Directive* line = plan.find("init.cwd");
    if (line == nullptr)
        return verify_working_directory();
    Result<void> entered;
    {
        AsUser as_user(user.uid, user.gid);
        entered = enter(root, (*line)[0]);
    }
    if (!entered.has_value() && entered.error().error_number == EACCES)
        entered = enter(root, (*line)[0]);
    if (!entered.has_value())
        return std::move(entered).error().with_context("working directory").with_pointer(line->pointer);
    return verify_working_directory().with_pointer(line->pointer);
}

/// The kernel's words as the field's engines match them: in lower case.
static std::string lower_words(int problem)
{
    const char* known = strerrordesc_np(problem);
    std::string words = known != nullptr ? known : "unknown error " + std::to_string(problem);
    if (words.size() > 1 && words[0] >= 'A' && words[0] <= 'Z' && words[1] >= 'a' && words[1] <= 'z')
        words[0] = static_cast<char>(words[0] - 'A' + 'a');
    return words;
}

static Error program_error(std::string sentence, int code)
{
    Error error{std::move(sentence)};
    error.exit_code = code;
    return error;
}

/// 0: it can be executed.
static int check_executable(const std::string& path)
{
    struct stat status;
    if (::stat(path.c_str(), &status) < 0)
        return errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    // With the ids for file access, which AsUser has changed; access(2) takes the real ones.
    if (::syscall(SYS_faccessat2, AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0)
        return 0;
    // Linux before 5.8, or a sandbox that does not know the call: at least somebody may execute it.
    if (errno == ENOSYS || errno == EPERM)
        return (status.st_mode & 0111) != 0 ? 0 : EACCES;
    return errno;
}

bool mode_lets_execute(mode_t mode, bool is_owner)
{
    return is_owner ? (mode & 0100) != 0 : (mode & 0011) == 0011;
}

static std::string mode_text(mode_t mode)
{
    char text[8];
    ::snprintf(text, sizeof text, "%04o", mode & 07777U);
    return text;
}

/// What about the file itself keeps the user from executing it.
static std::string find_denial_of_file(int file, const struct stat& status, uid_t uid)
{
    if (S_ISDIR(status.st_mode))
        return ": it is a directory";
    if (!S_ISREG(status.st_mode))
        return ": it is not a regular file";
    struct statvfs mount;
    if (::fstatvfs(file, &mount) == 0 && (mount.f_flag & ST_NOEXEC) != 0)
        return ": it is on a mount with the option noexec";
    // Otherwise it is an access control list, or a security module.
    return mode_lets_execute(status.st_mode, status.st_uid == uid) ? "" : ": its mode " + mode_text(status.st_mode) + " has no x for the user";
}

/// Why the user may not execute the file at `path`; empty: nothing that can be seen. All descriptors are O_PATH: opening
/// the container's files may do something.
static std::string find_denial(const std::string& path, const InRoot& root, const User& user)
{
    const uid_t uid = user.uid == static_cast<uid_t>(-1) ? ::geteuid() : user.uid;
    std::string whole;
    if (!path.starts_with('/')) {
        char directory[PATH_MAX];
        if (::syscall(SYS_getcwd, directory, sizeof directory) < 0)
            return "";
        whole = std::strcmp(directory, "/") != 0 ? directory : "";
    }
    // What is above the present directory is not searched.
    size_t end = whole.size();
    whole += path.starts_with('/') ? path : "/" + path;
    for (int links = 0;;) {
        const std::string name = whole.substr(0, std::max<size_t>(end, 1));
        Result<UniqueFd> place = root.open(name, O_PATH, Links::refuse_last);
        struct stat status;
        if (!place.has_value() || ::fstat(place.value().get(), &status) < 0)
            return "";
        if (S_ISLNK(status.st_mode)) {
            char target[PATH_MAX];
            const ssize_t size = ::readlinkat(place.value().get(), "", target, sizeof target);
            if (size <= 0 || ++links > 40)
                return "";
            const std::string rest = end == std::string::npos ? "" : whole.substr(end);
            end = target[0] == '/' ? 0 : name.rfind('/');
            whole = (target[0] == '/' ? "" : name.substr(0, end + 1)) + std::string(target, static_cast<size_t>(size)) + rest;
            continue;
        }
        if (end == std::string::npos)
            return find_denial_of_file(place.value().get(), status, uid);
        AsUser as_user(user.uid, user.gid);
        UniqueFd entered(::openat(place.value().get(), ".", O_PATH | O_CLOEXEC));
        if (!entered)
            // No link is left in the name.
            return errno != EACCES ? ""
                                   : ": the directory '" + printable(clean_path(name)) + "' (mode " + mode_text(status.st_mode) + ") cannot be entered by user " +
                                         std::to_string(uid);
        end = whole.find('/', end + 1);
    }
}

Result<void> find_program(Program& program, const InRoot& root, const User& user)
{
    const std::string& name = program.arguments[0];
    const std::string who = "exec: \"" + name + "\": ";
    if (name.find('/') != std::string::npos) {
        int problem;
        {
            AsUser as_user(user.uid, user.gid);
            problem = check_executable(name);
        }
        if (problem == EACCES || problem == EISDIR)
            return program_error(who + "permission denied" + find_denial(name, root, user), exit_cannot_execute);
        if (problem != 0)
            return program_error(who + "stat " + name + ": " + lower_words(problem), problem == ENOENT || problem == ENOTDIR ? exit_not_found : exit_cannot_execute);
        program.path = name;
        return {};
    }
    AsUser as_user(user.uid, user.gid);
    std::string_view path = value_of(program.environment, "PATH");
    while (!name.empty() && !path.empty()) {
        std::string_view directory = path.substr(0, path.find(':'));
        path.remove_prefix(std::min(path.size(), directory.size() + 1));
        std::string candidate = directory.empty() ? "./" + name : std::string(directory) + "/" + name;
        if (check_executable(candidate) == 0) {
            program.path = std::move(candidate);
            return {};
        }
    }
    return program_error(who + "executable file not found in $PATH", exit_not_found);
}

static const char* machine_name(unsigned machine)
{
    switch (machine) {
    case EM_386: return "i386";
    case EM_X86_64: return "x86_64";
    case EM_ARM: return "arm";
    case EM_AARCH64: return "aarch64";
    case EM_RISCV: return "riscv";
    case EM_S390: return "s390x";
    case EM_PPC64: return "ppc64";
    case EM_MIPS: return "mips";
    default: return nullptr;
    }
}

static bool is_missing(const std::string& path)
{
    struct stat status;
    return ::stat(path.c_str(), &status) < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP);
}

static bool is_on_noexec(const std::string& path)
{
    struct statvfs status;
    return ::statvfs(path.c_str(), &status) == 0 && (status.f_flag & ST_NOEXEC) != 0;
}

/// After a failed execve: what about the file made it fail. Empty: nothing that can be seen.
static std::string find_reason(const std::string& path, int problem)
{
    if (problem == EACCES && is_on_noexec(path))
        return ": it is on a mount with the option noexec";
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    char buffer[4096];
    ssize_t size = file ? ::read(file.get(), buffer, sizeof buffer) : -1;
    if (size < 0)
        return "";
    std::string_view start(buffer, static_cast<size_t>(size));
    if (std::optional<Shebang> shebang = parse_shebang(start)) {
        if (shebang->ends_with_carriage_return)
            return ": its first line asks for '" + printable(shebang->interpreter) +
                   "' followed by a carriage return: the file has line ends of DOS (CRLF)";
        if (is_missing(shebang->interpreter))
            return ": its interpreter '" + printable(shebang->interpreter) + "' is missing";
        if (problem == EACCES)
            return ": its interpreter '" + printable(shebang->interpreter) + "' cannot be executed" +
                   (is_on_noexec(shebang->interpreter) ? ": it is on a mount with the option noexec" : "");
        return "";
    }
    ElfFacts elf = parse_elf(start);
    if (!elf.is_elf)
        return problem == ENOEXEC ? ": it is neither a program nor a script that starts with '#!'" : "";
    if (!elf.interpreter.empty() && is_missing(elf.interpreter))
        return ": its loader '" + printable(elf.interpreter) + "' is missing (another C library, or another architecture)";
    utsname system;
    const char* machine = machine_name(elf.machine);
    if (problem == ENOEXEC && ::uname(&system) == 0)
        return ": it is for " + (machine != nullptr ? std::string(machine) : "machine " + std::to_string(elf.machine)) + ", this machine is " +
               std::string(system.machine);
    return "";
}

Error execute(const Program& program)
{
    std::vector<char*> arguments = pointers_to(program.arguments);
    std::vector<char*> environment = pointers_to(program.environment);
    ::execve(program.path.c_str(), arguments.data(), environment.data());
    int problem = errno;
    const bool not_found = problem == ENOENT || problem == ENOTDIR;
    return program_error("exec " + program.path + ": " + lower_words(problem) + find_reason(program.path, problem),
                         not_found ? exit_not_found : exit_cannot_execute);
}
