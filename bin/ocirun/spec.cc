// ocirun spec: oci-spec writes the file.
#include "commands.h"

#include "process/process.h"

#include <cerrno>
#include <unistd.h>

static constexpr Option spec_options[] = {
    {"bundle", 'b', "DIR", "write config.json there (default: the working directory)"},
    {"rootless", 0, "", "for a user who is not root"},
};

static Result<int> spec(const Arguments&, const Arguments& arguments)
{
    std::string program = TRY(find_stage_program("oci-spec"));
    std::string bundle = arguments.value("bundle", ".");
    std::string output = "--output=" + bundle + "/config.json";
    if (bundle == ".")
        output = "--output=config.json";
    // In place: there is nothing left to do here.
    if (arguments.has("rootless"))
        ::execl(program.c_str(), program.c_str(), "new", output.c_str(), "--rootless", nullptr);
    else
        ::execl(program.c_str(), program.c_str(), "new", output.c_str(), nullptr);
    return errno_error("cannot execute '" + program + "'");
}

constexpr Command spec_command{"spec", "", "write a default config.json", spec_options, OptionOrder::anywhere, 0, 0, spec};
