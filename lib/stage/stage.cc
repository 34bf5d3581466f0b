// Errors and steps of a program.
#include "stage/stage.h"

#include "fd/fd.h"
#include "plan/plan.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <iterator>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stage {

// Process-wide on purpose: they are set once, in main, before anything else happens, and an error
// or a step may come from the depth of any function.
static const char* program_name = "ocirun";
static int error_fd = -1;
static int step_file = -1;
static char* steps = nullptr;
static size_t steps_mapped = 0;
static unsigned long test_step = 0;
static int test_signal = 0;
static unsigned long steps_done = 0;

// Each program has its own slot in the step file, so that stages which run at the same time do not
// overwrite each other's record.
static constexpr size_t slot_size = 256;
static constexpr const char* slots[] = {"oci-spec", "oci-cgroup", "oci-seccomp", "oci-ns", "oci-init", "oci-criu", "oci-cgroup-systemd"};
static constexpr size_t steps_size = 4096;
static_assert(std::size(slots) * slot_size <= steps_size);

// A file that keeps all steps is larger: behind the slots stand the size of the lines that follow, and the lines.
static constexpr size_t all_steps_size = 256 * 1024;
static constexpr size_t lines_at = steps_size + sizeof(uint64_t);

static off_t slot_of(std::string_view stage_name)
{
    off_t offset = 0;
    for (const char* slot : slots) {
        if (stage_name == slot)
            return offset;
        offset += slot_size;
    }
    return -1;
}

void set_name(const char* name) { program_name = name; }
const char* name() { return program_name; }
void set_error_fd(int fd) { error_fd = fd; }
void set_step_fd(int fd)
{
    step_file = fd;
    steps = nullptr;
    if (fd < 0)
        return;
    // Mapped: a step costs no system call then, and no filter can forbid the last ones. Without a record a message lacks a word,
    // and the container nothing.
    struct stat status;
    if (::fstat(fd, &status) < 0 || (status.st_size < static_cast<off_t>(steps_size) && ::ftruncate(fd, steps_size) < 0))
        return;
    steps_mapped = status.st_size == static_cast<off_t>(all_steps_size) ? all_steps_size : steps_size;
    void* mapped = ::mmap(nullptr, steps_mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED)
        steps = static_cast<char*>(mapped);
}

Result<void> prepare_step_file(int fd, bool keep_all)
{
    if (::ftruncate(fd, keep_all ? all_steps_size : steps_size) < 0)
        return errno_error("cannot make a record of steps");
    return {};
}

/// Adds a line to those that are kept; what does not fit any more is left out. Several programs do so at a time. Nothing is
/// allocated: a filter that is in force already may forbid what that needs.
static void keep_step(std::string_view what)
{
    const std::string_view parts[] = {program_name, ": ", what, "\n"};
    size_t size = 0;
    for (std::string_view part : parts)
        size += part.size();
    std::atomic_ref<uint64_t> used(*reinterpret_cast<uint64_t*>(steps + steps_size));
    uint64_t at = used.load();
    do {
        if (at > all_steps_size - lines_at || size > all_steps_size - lines_at - at)
            return;
    } while (!used.compare_exchange_weak(at, at + size));
    char* to = steps + lines_at + at;
    for (std::string_view part : parts)
        to = std::copy(part.begin(), part.end(), to);
    std::replace(to - what.size() - 1, to - 1, '\n', ' ');
}

std::string steps_since(int fd, size_t& position)
{
    uint64_t used = 0;
    if (::pread(fd, &used, sizeof used, steps_size) != static_cast<ssize_t>(sizeof used) || used <= position || used > all_steps_size - lines_at)
        return {};
    std::string lines(used - position, '\0');
    if (::pread(fd, lines.data(), lines.size(), static_cast<off_t>(lines_at + position)) != static_cast<ssize_t>(lines.size()))
        return {};
    // Somebody may be about to write a line that is counted already.
    lines.resize(std::min(lines.find('\0'), lines.size()));
    lines.resize(lines.rfind('\n') + 1);
    position += lines.size();
    return lines;
}

int step_fd() { return step_file; }

Result<void> set_test_step(std::string_view text)
{
    size_t colon = text.find(':');
    if (colon == std::string_view::npos)
        return Error{"--test-step takes N:SIGNAL", 0, {}, exit_usage};
    test_step = TRY(parse_unsigned(text.substr(0, colon)));
    test_signal = static_cast<int>(TRY(parse_number(text.substr(colon + 1))));
    return {};
}

Result<void> refuse_set_id()
{
    if (::getuid() != ::geteuid() || ::getgid() != ::getegid())
        return Error{"refused: not made to be a set-user-ID or set-group-ID program"};
    return {};
}

void step(std::string_view what)
{
    if (off_t slot = slot_of(program_name); steps != nullptr && slot >= 0) {
        const size_t size = std::min(what.size(), slot_size - 1);
        std::memcpy(steps + slot, what.data(), size);
        steps[slot + static_cast<off_t>(size)] = '\0';
        if (steps_mapped == all_steps_size)
            keep_step(what);
    }
    if (test_step != 0 && ++steps_done == test_step) {
        ::raise(test_signal);
        // The first process of a pid namespace is immune to signals from inside (man 7 pid_namespaces), but not to those
        // that the kernel forces upon it.
        if (::getpid() == 1 && (test_signal == SIGKILL || test_signal == SIGTERM))
            __builtin_trap();
    }
}

std::string last_step(int fd, std::string_view stage_name)
{
    char record[slot_size] = {};
    off_t slot = slot_of(stage_name);
    if (slot < 0 || ::pread(fd, record, sizeof record - 1, slot) <= 0)
        return {};
    return record;
}

std::string error_line(const Error& error)
{
    return join_fields({program_name, std::to_string(error.error_number), std::to_string(error.exit_code), error.pointer,
                        error.attempted}) +
           "\n";
}

Result<StageError> parse_error_line(std::string_view line)
{
    std::vector<std::string> fields = TRY(split_fields(line));
    if (fields.size() != 5)
        return Error{"malformed error message from a stage"};
    StageError parsed{fields[0], Error{fields[4]}};
    parsed.error.error_number = static_cast<int>(TRY(parse_number(fields[1])));
    parsed.error.exit_code = static_cast<int>(TRY(parse_number(fields[2])));
    parsed.error.pointer = fields[3];
    return parsed;
}

int report(const Error& error)
{
    // A failed write of the error itself leaves only the exit status to tell it.
    if (error_fd >= 0) {
        if (write_all(error_fd, error_line(error)).has_value())
            return error.exit_code;
    }
    std::string line = std::string(program_name) + ": " + error.message() + "\n";
    (void)!::write(STDERR_FILENO, line.data(), line.size());
    return error.exit_code;
}

void warn(std::string_view text)
{
    if (error_fd >= 0) {
        // Cut: the pipe is read when all is done, and many long warnings would fill it.
        (void)write_all(error_fd, error_line(Error{std::string(text.substr(0, 512)), 0, {}, exit_done}));
        return;
    }
    std::string line = std::string(program_name) + ": warning: " + std::string(text) + "\n";
    (void)!::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace stage

// What std::terminate calls. The standard library's own prints the type of the exception, for which it brings in a
// demangler and stdio: 40 KB and three page faults for every start. An exception that nobody catches is a broken promise of
// our own code.
namespace __gnu_cxx {
void __verbose_terminate_handler() { abort(); }
}  // namespace __gnu_cxx
