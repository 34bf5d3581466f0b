// oci-seccomp(8): compiles and loads system-call filters.
#include "cli/cli.h"
#include "compile.h"
#include "fd/fd.h"
#include "load.h"
#include "plan/plan.h"
#include "profile.h"
#include "seccomp/filter.h"
#include "stage/stage.h"
#include "version.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/stat.h>
#include <unistd.h>

/// Writes the file by rename, so that nobody reads half a filter; what is no file (a terminal, a
/// pipe) is written as it is.
static Result<void> write_output(const std::string& path, const std::string& raw)
{
    struct stat status;
    if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
        UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
        if (!file)
            return errno_error("cannot open '" + path + "'");
        return write_all(file.get(), raw).with_context("'" + path + "'");
    }
    std::string temporary = path + "." + std::to_string(::getpid()) + ".tmp";
    stage::step("write '" + path + "'");
    UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file)
        return errno_error("cannot create '" + temporary + "'");
    ScopeExit remove_again([&] { ::unlink(temporary.c_str()); });
    TRY(write_all(file.get(), raw).with_context("'" + temporary + "'"));
    if (::rename(temporary.c_str(), path.c_str()) < 0)
        return errno_error("cannot rename '" + temporary + "' to '" + path + "'");
    remove_again.dismiss();
    return {};
}

static Result<int> run_compile(const Arguments&, const Arguments& arguments)
{
    int plan_fd = arguments.has("plan-fd") ? TRY(arguments.descriptor("plan-fd")) : STDIN_FILENO;
    CompileOptions options;
    options.enosys = !arguments.has("no-enosys");
    options.strict = arguments.has("strict");

    Plan plan = TRY(Plan::read(plan_fd, "seccomp"));
    std::optional<Profile> profile = TRY(read_profile(plan));
    Compiled compiled;
    if (profile.has_value())
        compiled = TRY(compile(*profile, options));
    else
        stage::warn("the plan asks for no filter (no linux.seccomp in config.json): the output is empty, and 'load' refuses it");
    if (arguments.has("verbose"))
        for (const std::string& note : compiled.notes)
            stage::warn(note);
    if (arguments.has("output")) {
        TRY(write_output(arguments.value("output"), compiled.raw));
        return exit_done;
    }
    stage::step("write the filter");
    TRY(write_all(STDOUT_FILENO, compiled.raw).with_context("standard output"));
    return exit_done;
}

static Result<LoadOptions> load_options(const Arguments& arguments)
{
    LoadOptions options;
    for (const std::string& name : arguments.values("flag"))
        options.flags |= TRY(filter_flag(name).with_exit_code(exit_usage));
    options.listener_fd = TRY(arguments.descriptor("listener-fd"));
    std::string wish = arguments.value("no-new-privs", "auto");
    if (wish == "yes")
        options.no_new_privileges = NoNewPrivileges::always;
    else if (wish == "no")
        options.no_new_privileges = NoNewPrivileges::never;
    else if (wish != "auto")
        return Error{"--no-new-privs takes auto, yes or no, not '" + wish + "'", 0, {}, exit_usage};
    return options;
}

static Result<std::string> read_filter_file(const std::string& path)
{
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        return errno_error("cannot open '" + path + "'");
    return read_filter(file.get()).with_context("'" + path + "'");
}

static Result<int> run_load(const Arguments&, const Arguments& arguments)
{
    LoadOptions options = TRY(load_options(arguments));
    std::vector<std::string> program(arguments.positionals().begin() + 1, arguments.positionals().end());
    if (program[0] == "--")
        program.erase(program.begin());
    if (program.empty())
        return Error{"'load' needs a PROGRAM", 0, {}, exit_usage};
    std::string filter = TRY(read_filter_file(arguments.positionals()[0]).with_exit_code(exit_stage_failed));
    return load_and_execute(filter, program, options);
}

static constexpr Option compile_option_table[] = {
    {"plan-fd", 0, "FD", "read the plan from this descriptor, not from standard input"},
    {"output", 'o', "FILE", "write the filter to FILE, not to standard output"},
    {"strict", 0, "", "refuse names of system calls that are not known"},
    {"no-enosys", 0, "", "no ENOSYS for calls that are newer than the profile"},
    {"verbose", 0, "", "say on stderr what was passed over"},
};

static constexpr Option load_option_table[] = {
    {"flag", 0, "NAME", "TSYNC, LOG, SPEC_ALLOW, WAIT_KILLABLE_RECV; may be repeated"},
    {"no-new-privs", 0, "WHEN", "auto (when the kernel demands it), yes or no"},
    {"listener-fd", 0, "FD", "socket that takes the descriptor of a filter with NOTIFY"},
};

static constexpr Command commands[] = {
    {"compile", "", "turn the seccomp lines of a plan into a filter", compile_option_table, OptionOrder::anywhere, 0, 0, run_compile},
    {"load", "FILE [--] PROGRAM [ARG]...", "execute PROGRAM under the filter in FILE", load_option_table,
     OptionOrder::before_positionals, 2, SIZE_MAX, run_load},
};

int main(int argc, char** argv)
{
    const scmp_version* library = seccomp_version();
    std::string version = OCIRUN_VERSION " (libseccomp " + std::to_string(library->major) + "." + std::to_string(library->minor) + "." +
                          std::to_string(library->micro) + ")";
    Program program{"oci-seccomp", "compiles and loads system-call filters", stage_options, commands, version, exit_usage, prepare_stage, nullptr};
    return command_main(program, argc, argv);
}
