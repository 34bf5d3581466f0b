// Starting the stages and hearing what became of them.
#pragma once

#include "console.h"
#include "context.h"
#include "process/process.h"
#include "stage/stage.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The descriptors that all stages of one command share: a pipe for their errors, a memory file for their steps.
class Stages {
public:
    static Result<Stages> create(const Context& context);

    /// Starts `name` with `arguments` behind the common options.
    Result<ChildProcess> start(const std::string& name, const std::vector<std::string>& arguments, SpawnOptions options);

    /// Runs it to its end; what it printed, which is at most `limit` bytes. With `signals` one that asks us to end ends the wait.
    Result<std::string> run(const std::string& name, const std::vector<std::string>& arguments, SpawnOptions options, size_t limit,
                            const Signals* signals = nullptr);

    /// The words that start the stage at `path`, common options first.
    std::vector<std::string> command(const std::string& name, const std::string& path, const std::vector<std::string>& arguments) const;

    /// Everything that stages have reported up to now, as one Error; nothing: no word. Warnings go to the log, with --debug the steps, too.
    std::optional<Error> reported();

    /// The Error for a stage that ended so: what it reported, else how it ended and at which step.
    Error failure(const std::string& name, std::optional<ExitStatus> status);
    /// The same for the process in the container, which is oci-ns until it has executed oci-init.
    Error inner_failure(std::optional<ExitStatus> status);
    /// The same for oci-ns that has not told which process it started: status 0 means that this one died.
    Error outer_failure(ExitStatus status);

    int error_fd() const { return errors_.write_end.get(); }
    int null_fd() const { return null_.get(); }
    int step_fd() const { return steps_.get(); }

private:
    Stages(Pipe errors, UniqueFd steps, UniqueFd null, const Context& context)
        : errors_(std::move(errors)), steps_(std::move(steps)), null_(std::move(null)), context_(&context)
    {
    }
    void log_steps();
    /// What stages have reported, else `sentence` and the last step of `name`.
    Error reported_or(const std::string& name, const std::string& sentence);

    Pipe errors_;
    UniqueFd steps_;
    UniqueFd null_;
    const Context* context_;
    size_t logged_ = 0;  ///< of the steps, for the log
};
