// Command lines: a table of commands and options, read as runc's users write them, by cxxopts.
#pragma once

#include "result/result.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// One option. `value_name` empty: a flag.
struct Option {
    std::string_view name;
    char short_name;  ///< 0: none
    std::string_view value_name;
    std::string_view help;
    bool hidden = false;
};

/// What was given. Values are in the order given; a flag may be given as `--flag=false`.
class Arguments {
public:
    bool has(std::string_view option) const { return options_.find(option) != options_.end(); }
    /// The last value given, or `otherwise`.
    std::string value(std::string_view option, std::string_view otherwise = {}) const;
    std::vector<std::string> values(std::string_view option) const;
    /// The last value as a whole number; a missing option gives `otherwise`, a bad one an error of
    /// exit code 2 that names the option.
    Result<long long> number(std::string_view option, long long otherwise) const;
    /// The last value as an open descriptor's number; missing: -1; not open: an error.
    Result<int> descriptor(std::string_view option) const;
    const std::vector<std::string>& positionals() const { return positionals_; }

private:
    friend Result<Arguments> parse_arguments(std::string_view, std::span<const Option>, std::vector<std::string>, bool, size_t*);
    std::map<std::string, std::vector<std::string>, std::less<>> options_;
    std::vector<std::string> positionals_;
};

/// Where options may stand.
enum class OptionOrder {
    anywhere,           ///< also behind positional arguments, up to `--`
    before_positionals  ///< the first positional argument ends the options (exec, chain loaders)
};

/// A command (`ocirun create`) or a verb (`oci-ns new`).
struct Command {
    std::string_view name;
    std::string_view synopsis;  ///< what follows the options: "ID", "-- PROGRAM [ARG]..."
    std::string_view help;      ///< one line
    std::span<const Option> options;
    OptionOrder order;
    size_t min_positionals;
    size_t max_positionals;
    /// Does the work; `global` holds the options that came before the command.
    Result<int> (*run)(const Arguments& global, const Arguments& arguments);
};

/// A program of the toolkit.
struct Program {
    const char* name;
    std::string_view help;  ///< one line
    std::span<const Option> global_options;
    std::span<const Command> commands;
    /// What `--version` prints, without the program's name.
    std::string_view version;
    int usage_exit_code = exit_usage;
    /// Called with the global options before the command runs; may be null.
    Result<void> (*prepare)(const Arguments& global) = nullptr;
    /// Says an error and returns the exit code; null: stage::report.
    int (*report)(const Error& error) = nullptr;
};

/// Options that every stage takes from ocirun: --error-fd, --step-fd, --test-step (hidden).
extern const std::span<const Option> stage_options;
/// Applies them; the `prepare` of every stage.
Result<void> prepare_stage(const Arguments& global);

/// Reads `words`. Go's flag syntax is understood too: `-long`, `-b=VALUE`. `first_positional`
/// (may be null) receives the number of words that came before the first positional argument.
/// With `stop_at_positional` the options end there.
Result<Arguments> parse_arguments(std::string_view program, std::span<const Option> options, std::vector<std::string> words,
                                  bool stop_at_positional, size_t* first_positional);

/// Runs the program: global options, `--help`/`-h`, `--version`/`-v`, the command with its own
/// `--help`. Exceptions of libraries end here. Returns the exit status.
int command_main(const Program& program, int argc, char** argv);
