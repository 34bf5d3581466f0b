// The reading of command lines and the printing of help.
#include "cli/cli.h"

#include "plan/plan.h"
#include "stage/stage.h"
#include "version.h"

#include <fcntl.h>

// cxxopts needs std::regex only for its own syntax checks; it would double the binary.
#define CXXOPTS_NO_REGEX
// It asks the classic locale whether a character is a letter, which sets up all of C++'s locales at every start (30 µs of
// 330, and 600 KB of the binary). Ours is always the "C" locale, where <cctype> gives the same answer.
#include <locale>  // lint: cxxopts includes it; before the macro, whose name it declares
#define isalnum(character, locale) isalnum(static_cast<unsigned char>(character))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"  // what clang calls it
#pragma GCC diagnostic ignored "-Wrestrict"  // g++ 12 reports a false overlap inside cxxopts.hpp at -O2
#include <cxxopts.hpp>
#pragma GCC diagnostic pop
#undef isalnum

static constexpr Option stage_option_table[] = {
    {"error-fd", 0, "FD", "descriptor that takes errors in wire form", true},
    {"step-fd", 0, "FD", "memory file that takes the present step", true},
    {"test-step", 0, "N:SIGNAL", "send oneself SIGNAL at step N", true},
};
const std::span<const Option> stage_options = stage_option_table;

std::string Arguments::value(std::string_view option, std::string_view otherwise) const
{
    auto found = options_.find(option);
    return std::string(found == options_.end() ? otherwise : found->second.back());
}

std::vector<std::string> Arguments::values(std::string_view option) const
{
    auto found = options_.find(option);
    return found == options_.end() ? std::vector<std::string>() : found->second;
}

Result<long long> Arguments::number(std::string_view option, long long otherwise) const
{
    if (!has(option))
        return otherwise;
    return parse_number(value(option)).with_context("--" + std::string(option)).with_exit_code(exit_usage);
}

Result<int> Arguments::descriptor(std::string_view option) const
{
    if (!has(option))
        return -1;
    long long fd = TRY(number(option, -1));
    // Passed for us alone: PROGRAM gets only what is listed for it.
    if (fd < 0 || fd > 0x7fffffff || ::fcntl(static_cast<int>(fd), F_SETFD, fd > 2 ? FD_CLOEXEC : 0) < 0)
        return Error{"--" + std::string(option) + ": descriptor " + value(option) + " is not open", 0, {}, exit_usage};
    return static_cast<int>(fd);
}

Result<void> prepare_stage(const Arguments& global)
{
    stage::set_error_fd(TRY(global.descriptor("error-fd")));
    stage::set_step_fd(TRY(global.descriptor("step-fd")));
    if (global.has("test-step"))
        return stage::set_test_step(global.value("test-step"));
    return {};
}

static Error usage_error(const std::string& what) { return Error{what, 0, {}, exit_usage}; }

/// Without a command: to the program's.
static Error pointing_to_help(Error error, std::string_view program, std::string_view command = "")
{
    error.attempted += "; '" + std::string(program) + (command.empty() ? "" : " ") + std::string(command) + " --help' tells more";
    return error;
}

static const Option* find_option(std::span<const Option> options, std::string_view name)
{
    for (const Option& option : options)
        if (option.name == name || (name.size() == 1 && option.short_name == name[0]))
            return &option;
    return nullptr;
}

static std::string display(const Option& option)
{
    std::string text = "--" + std::string(option.name);
    if (option.short_name != 0)
        text = std::string("-") + option.short_name + ", " + text;
    return text;
}

/// The words as cxxopts understands them: every option as `--name=value`, every value attached, so
/// that a value may start with a dash (`--memory-swap -1`) and Go's `-name` is accepted.
struct Normalized {
    std::vector<std::string> options;
    std::vector<std::string> positionals;
    size_t first_positional = 0;
};

static Result<Normalized> normalize(std::span<const Option> options, const std::vector<std::string>& words, bool stop_at_positional)
{
    Normalized result;
    bool seen_positional = false;
    size_t i = 0;
    for (; i < words.size(); i++) {
        const std::string& word = words[i];
        if (word == "--") {
            if (!seen_positional)
                result.first_positional = i + 1;
            seen_positional = true;
            i++;
            break;
        }
        if (word.size() < 2 || word[0] != '-') {
            if (!seen_positional)
                result.first_positional = i;
            seen_positional = true;
            if (stop_at_positional)
                break;
            result.positionals.push_back(word);
            continue;
        }
        std::string_view body = std::string_view(word).substr(word[1] == '-' ? 2 : 1);
        size_t equals = body.find('=');
        std::string_view name = body.substr(0, equals);
        const Option* option = find_option(options, name);
        if (option == nullptr && word[1] != '-' && equals == std::string_view::npos) {
            // Short flags in one word: -it. The last one may take a value from the next word.
            for (size_t k = 0; k < body.size(); k++) {
                option = find_option(options, body.substr(k, 1));
                if (option == nullptr || (!option->value_name.empty() && k + 1 < body.size()))
                    return usage_error("unknown option '" + word + "'");
                if (option->value_name.empty()) {
                    result.options.push_back("--" + std::string(option->name) + "=true");
                    continue;
                }
                if (i + 1 == words.size())
                    return usage_error("flag needs an argument: " + word);
                result.options.push_back("--" + std::string(option->name) + "=" + words[++i]);
            }
            continue;
        }
        if (option == nullptr)
            return usage_error("unknown option '" + word + "'");
        std::string normal = "--" + std::string(option->name) + "=";
        if (option->value_name.empty()) {
            std::string_view given = equals == std::string_view::npos ? "true" : body.substr(equals + 1);
            if (given != "true" && given != "false" && given != "1" && given != "0")
                return usage_error("option '" + word + "': expected true or false");
            if (given == "false" || given == "0")
                continue;
            result.options.push_back(normal + "true");
        } else if (equals != std::string_view::npos) {
            result.options.push_back(normal + std::string(body.substr(equals + 1)));
        } else {
            if (i + 1 == words.size())
                return usage_error("flag needs an argument: " + word);
            result.options.push_back(normal + words[++i]);
        }
    }
    if (!seen_positional)
        result.first_positional = words.size();
    for (; i < words.size(); i++)
        result.positionals.push_back(words[i]);
    return result;
}

Result<Arguments> parse_arguments(std::string_view program, std::span<const Option> options, std::vector<std::string> words,
                                  bool stop_at_positional, size_t* first_positional)
{
    Normalized normal = TRY(normalize(options, words, stop_at_positional));
    if (first_positional != nullptr)
        *first_positional = normal.first_positional;
    Arguments arguments;
    arguments.positionals_ = std::move(normal.positionals);
    if (normal.options.empty())
        return arguments;

    cxxopts::Options parser{std::string(program)};
    // Only those that are given: each option costs a dozen allocations. As plain strings: splitting lists at
    // commas, which a vector would mean, wakes up the whole of C++'s locales.
    for (const Option& option : options) {
        std::string start = "--" + std::string(option.name) + "=";
        for (const std::string& word : normal.options) {
            if (!word.starts_with(start))
                continue;
            parser.add_options()(std::string(option.name), "", cxxopts::value<std::string>());
            break;
        }
    }
    std::vector<const char*> argv{program.data()};
    for (const std::string& word : normal.options)
        argv.push_back(word.c_str());
    cxxopts::ParseResult parsed = parser.parse(static_cast<int>(argv.size()), argv.data());
    for (const cxxopts::KeyValue& given : parsed.arguments())
        arguments.options_[given.key()].push_back(given.value());
    return arguments;
}

static std::string option_help(std::span<const Option> options)
{
    std::string text;
    for (const Option& option : options) {
        if (option.hidden)
            continue;
        std::string left = "  " + display(option) + (option.value_name.empty() ? "" : " " + std::string(option.value_name));
        left.resize(std::max<size_t>(left.size() + 2, 34), ' ');
        text += left + std::string(option.help) + "\n";
    }
    return text;
}

static void print(const std::string& text) { (void)!::write(STDOUT_FILENO, text.data(), text.size()); }

static std::string program_help(const Program& program)
{
    std::string name(program.name);
    std::string text = name + " - " + std::string(program.help) + "\n\nusage: " + name + " [OPTION]... COMMAND [ARGUMENT]...\n\ncommands:\n";
    for (const Command& command : program.commands) {
        if (command.help.empty())
            continue;
        std::string left = "  " + std::string(command.name);
        left.resize(std::max<size_t>(left.size() + 2, 16), ' ');
        text += left + std::string(command.help) + "\n";
    }
    text += "\noptions:\n" + option_help(program.global_options) + "  -h, --help                      this help, or that of a command\n" +
            "  -v, --version                   print the version\n\n'" + name + " COMMAND --help' tells more; so does the man page " + name + "(8).\n";
    return text;
}

static std::string command_help(const Program& program, const Command& command)
{
    std::string text = std::string(program.name) + " " + std::string(command.name) + " - " + std::string(command.help) + "\n\nusage: " +
                       std::string(program.name) + " " + std::string(command.name) + (command.options.empty() ? "" : " [OPTION]...") +
                       (command.synopsis.empty() ? "" : " " + std::string(command.synopsis)) + "\n";
    std::string options = option_help(command.options);
    if (!options.empty())
        text += "\noptions:\n" + options;
    return text;
}

static bool asks_for_help(const std::vector<std::string>& words, size_t end)
{
    for (size_t i = 0; i < end && i < words.size() && words[i] != "--"; i++)
        if (words[i] == "--help" || words[i] == "-h" || words[i] == "-help")
            return true;
    return false;
}

static std::string version_line(const Program& program)
{
    return std::string(program.name) + " version " + std::string(program.version) + "\n";
}

static Result<int> dispatch(const Program& program, std::vector<std::string> words)
{
    // Global options end at the command's name.
    size_t command_at = 0;
    std::vector<Option> global_options(program.global_options.begin(), program.global_options.end());
    global_options.push_back({"help", 'h', "", ""});
    global_options.push_back({"version", 'v', "", ""});
    Result<Arguments> global_arguments = parse_arguments(program.name, global_options, words, true, &command_at);
    if (!global_arguments.has_value())
        return pointing_to_help(std::move(global_arguments).error(), program.name);
    const Arguments global = std::move(global_arguments).value();
    if (global.has("help")) {
        print(program_help(program));
        return exit_done;
    }
    if (global.has("version")) {
        print(version_line(program));
        return exit_done;
    }
    if (command_at >= words.size())
        return usage_error("no command given; '" + std::string(program.name) + " --help' lists them");
    std::string name = words[command_at];
    std::vector<std::string> rest(words.begin() + static_cast<ptrdiff_t>(command_at) + 1, words.end());
    if (name == "help") {
        if (rest.empty()) {
            print(program_help(program));
            return exit_done;
        }
        name = rest[0];
        rest = {"--help"};
    }
    for (const Command& command : program.commands) {
        if (command.name != name)
            continue;
        bool stop = command.order == OptionOrder::before_positionals;
        std::vector<Option> options(command.options.begin(), command.options.end());
        options.push_back({"help", 'h', "", ""});
        options.push_back({"version", 'v', "", ""});
        size_t first_positional = rest.size();
        Result<Arguments> arguments = parse_arguments(program.name, options, rest, stop, &first_positional);
        if (asks_for_help(rest, stop && arguments.has_value() ? first_positional : rest.size())) {
            print(command_help(program, command));
            return exit_done;
        }
        if (!arguments.has_value())
            return pointing_to_help(std::move(arguments).error(), program.name, name);
        const Arguments given = std::move(arguments).value();
        if (given.has("version")) {
            print(version_line(program));
            return exit_done;
        }
        size_t count = given.positionals().size();
        if (count < command.min_positionals)
            return pointing_to_help(usage_error("'" + name + "' needs " + std::string(command.synopsis)), program.name, name);
        if (count > command.max_positionals)
            return pointing_to_help(usage_error("'" + name + "': unexpected argument '" + given.positionals()[command.max_positionals] + "'"), program.name, name);
        if (program.prepare != nullptr)
            TRY(program.prepare(global));
        return command.run(global, given);
    }
    return usage_error("No help topic for '" + name + "'; '" + std::string(program.name) + " --help' lists the commands");
}

int command_main(const Program& program, int argc, char** argv)
{
    stage::set_name(program.name);
    auto report = program.report != nullptr ? program.report : stage::report;
    if (Result<void> allowed = stage::refuse_set_id(); !allowed.has_value())
        return report(allowed.error());
    // cxxopts and the standard library throw; nothing of ours does. This is the one place that catches.
    try {
        Result<int> status = dispatch(program, std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
        if (status.has_value())
            return status.value();
        if (status.error().exit_code == exit_usage)
            status.error().exit_code = program.usage_exit_code;
        return report(status.error());
    } catch (const std::exception& exception) {
        return report(Error{std::string("cannot go on: ") + exception.what()});
    }
}
