// ocirun features: oci-spec knows them.
#include "commands.h"

#include "process/process.h"

#include <cerrno>
#include <unistd.h>

static Result<int> features(const Arguments&, const Arguments&)
{
    std::string program = TRY(find_stage_program("oci-spec"));
    // In place: there is nothing left to do here.
    ::execl(program.c_str(), program.c_str(), "features", nullptr);
    return errno_error("cannot execute '" + program + "'");
}

constexpr Command features_command{"features", "", "print what the runtime can do, as the runtime-spec has it", {}, OptionOrder::anywhere, 0, 0, features};
