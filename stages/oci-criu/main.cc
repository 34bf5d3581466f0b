// oci-criu(8): says whether checkpoint and restore work here.
#include "cli/cli.h"
#include "fd/fd.h"
#include "probe.h"
#include "report.h"
#include "version.h"

#include <unistd.h>

static Result<int> run_check(const Arguments&, const Arguments& arguments)
{
    Probe probe = TRY(probe_criu(arguments.value("criu", "criu")));
    std::string report = arguments.has("json") ? report_json(probe) : report_text(probe);
    TRY(write_all(STDOUT_FILENO, report).with_context("standard output"));
    return probe.works() ? exit_done : exit_failed;
}

static constexpr Option check_option_table[] = {
    {"criu", 0, "PATH", "the program to use, instead of criu in PATH"},
    {"json", 0, "", "print the report as JSON"},
};

static constexpr Command commands[] = {
    {"check", "", "say whether checkpoint and restore work here", check_option_table, OptionOrder::anywhere, 0, 0, run_check},
};

int main(int argc, char** argv)
{
    Program program{"oci-criu", "says whether checkpoint and restore with CRIU work here", stage_options, commands, OCIRUN_VERSION, exit_usage, prepare_stage, nullptr};
    return command_main(program, argc, argv);
}
