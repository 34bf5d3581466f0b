// ocirun(8): runs the lifecycle of containers, one stage after the other.
#include "cli/cli.h"
#include "commands.h"
#include "context.h"
#include "launch.h"
#include "version.h"

#include <csignal>
#include <unistd.h>

static constexpr Option global_options[] = {
    {"root", 0, "DIR", "state root (default /run/ocirun, or $XDG_RUNTIME_DIR/ocirun)"},
    {"log", 0, "FILE", "append errors there, too (default: stderr alone)"},
    {"log-format", 0, "FORMAT", "text (default) or json"},
    {"debug", 0, "", "log what is done"},
    {"cgroup-manager", 0, "MANAGER", "cgroupfs (default), systemd, auto (systemd where it can be reached) or disabled"},
    {"systemd-cgroup", 0, "", "the same as --cgroup-manager systemd"},
    {"rootless", 0, "BOOL", "accepted for compatibility; what is permitted is found out", true},
    {"criu", 0, "PATH", "accepted for compatibility", true},
    {"log-level", 0, "LEVEL", "accepted for compatibility", true},
    {"resctrl", 0, "DIR", "for tests: another place of resctrl", true},
    {"test-step", 0, "PROGRAM:N:SIGNAL", "for tests", true},
};

/// The options about the log, for errors alone: a command opens the log by itself (Context::from), and most have no error.
static const Arguments* log_options = nullptr;

static Result<void> remember_log_options(const Arguments& global)
{
    static Arguments remembered;
    remembered = global;
    log_options = &remembered;
    return {};
}

// Engines read errors in the log; whoever has no log reads stderr.
static int report(const Error& error)
{
    Result<Log> log = log_options != nullptr ? Log::from(*log_options) : Result<Log>(Log());
    // A log that cannot be opened is the command's business (delete --force goes on without); its errors are said on stderr.
    if (log.has_value())
        log.value().error(error.message());
    else
        Log().error(error.message());
    return error.exit_code;
}

int main(int argc, char** argv)
{
    secure_descriptors();
    std::signal(SIGPIPE, SIG_IGN);

    // Copied so that the table, and not the linker, decides the order of `--help`.
    const Command commands[] = {create_command, start_command, run_command,   exec_command, kill_command,
                                delete_command, state_command, list_command, spec_command, pause_command, resume_command,
                                ps_command,     features_command, events_command, top_command, update_command};
    static const std::string version = OCIRUN_VERSION "\ncommit: " OCIRUN_COMMIT "\nspec: " OCIRUN_SPEC_VERSION;
    Program program{"ocirun", "run OCI containers", global_options, commands, version};
    program.usage_exit_code = exit_failed;
    program.prepare = remember_log_options;
    program.report = report;
    return command_main(program, argc, argv);
}
