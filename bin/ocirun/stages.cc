// Stages: start, collect errors.
#include "stages.h"

#include "scan/scan.h"

#include <fcntl.h>

Result<Stages> Stages::create(const Context& context)
{
    Pipe errors = TRY(Pipe::create());
    // Read only when something has failed, and then without waiting for more.
    if (::fcntl(errors.read_end.get(), F_SETFL, O_NONBLOCK) < 0)
        return errno_error("cannot set up the error pipe");
    UniqueFd steps = TRY(memory_file("ocirun-steps"));
    TRY(stage::prepare_step_file(steps.get(), context.log.is_debugging()));
    UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null)
        return errno_error("cannot open '/dev/null'");
    return Stages(std::move(errors), std::move(steps), std::move(null), context);
}

std::vector<std::string> Stages::command(const std::string& name, const std::string& path, const std::vector<std::string>& arguments) const
{
    std::vector<std::string> words{path, "--error-fd=" + std::to_string(error_fd()), "--step-fd=" + std::to_string(step_fd())};
    if (context_->test_program == name)
        words.push_back("--test-step=" + context_->test_step);
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
}

Result<ChildProcess> Stages::start(const std::string& name, const std::vector<std::string>& arguments, SpawnOptions options)
{
    std::string path = TRY(find_stage_program(name));
    std::vector<std::string> words = command(name, path, arguments);
    if (context_->log.is_debugging()) {
        std::string line = "starting " + name;
        for (const std::string& argument : arguments)
            line += " " + argument;
        context_->log.debug(line);
    }
    options.inherit.push_back(error_fd());
    options.inherit.push_back(step_fd());
    return spawn(path, words, options);
}

Result<std::string> Stages::run(const std::string& name, const std::vector<std::string>& arguments, SpawnOptions options, size_t limit,
                                const Signals* signals)
{
    Pipe output = TRY(Pipe::create());
    options.stdout_fd = output.write_end.get();
    ChildProcess stage = TRY(start(name, arguments, std::move(options)));
    output.write_end.reset();
    std::string text = TRY(signals != nullptr ? signals->read_all(output.read_end.get(), limit) : read_all(output.read_end.get(), limit));
    ExitStatus status = TRY(signals != nullptr ? signals->wait_for(stage) : stage.wait());
    if (status.shell_status() != 0)
        return failure(name, status);
    log_steps();
    return text;
}

void Stages::log_steps()
{
    if (!context_->log.is_debugging())
        return;
    std::string steps = stage::steps_since(step_fd(), logged_);
    for (std::string_view rest = steps; !rest.empty();)
        context_->log.debug(take_line(rest));
}

std::optional<Error> Stages::reported()
{
    log_steps();
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::read(errors_.read_end.get(), buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<size_t>(n));
    std::optional<Error> whole;
    for (size_t at = 0; at < text.size();) {
        size_t line_end = std::min(text.find('\n', at), text.size());
        Result<stage::StageError> line = stage::parse_error_line(std::string_view(text).substr(at, line_end - at));
        at = line_end + 1;
        if (!line.has_value())
            continue;
        const Error& error = line.value().error;
        std::string sentence = line.value().stage + ": " + error.message();
        if (error.exit_code == exit_done) {
            context_->log.warning(sentence);
        } else if (whole) {
            whole->attempted += "\n" + sentence;
        } else {
            whole = Error{sentence, 0, {}, error.exit_code};
        }
    }
    return whole;
}

Error Stages::inner_failure(std::optional<ExitStatus> status)
{
    return failure(stage::last_step(step_fd(), "oci-init").empty() ? "oci-ns" : "oci-init", status);
}

Error Stages::outer_failure(ExitStatus status)
{
    if (status.shell_status() != 0)
        return failure("oci-ns", status);
    return reported_or("oci-ns", "the process that oci-ns started in the container ended before it was ready");
}

Error Stages::failure(const std::string& name, std::optional<ExitStatus> status)
{
    return reported_or(name, name + " " + (status ? status->words() : "ended without a word"));
}

Error Stages::reported_or(const std::string& name, const std::string& sentence)
{
    if (std::optional<Error> error = reported())
        return std::move(*error);
    const std::string step = stage::last_step(step_fd(), name);
    return Error{sentence + (step.empty() ? " before its first step" : "; its last step was: " + step)};
}
