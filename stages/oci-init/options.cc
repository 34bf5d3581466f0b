// Reading the command line: a table of options and a loop.
#include "options.h"

#include "plan/plan.h"
#include "stage/stage.h"

#include <climits>
#include <fcntl.h>
#include <string_view>

const char* const usage_text =
    "oci-init - build a container's root file system, drop privileges, execute the program\n"
    "\n"
    "usage: oci-init run --plan-fd FD [OPTION]... [-- ARG...]\n"
    "       oci-init exec --plan-fd FD [OPTION]...\n"
    "\n"
    "Runs inside the namespaces that oci-ns makes.\n"
    "\n"
    "commands:\n"
    "  run   build the root file system, then as exec\n"
    "  exec  drop privileges and execute the program, in a container that runs already\n"
    "\n"
    "options:\n"
    "  --plan-fd FD       the plan (oci-spec plan)\n"
    "  --bundle DIR       relative paths of the root file system and of bind sources start here (default: .)\n"
    "  --seccomp-fd FD    a compiled filter (oci-seccomp compile)\n"
    "  --control-fd FD    ocirun's control socket\n"
    "  --start-fd FD      listening socket on which 'start' is awaited\n"
    "  --preserve-fds N   descriptors 3 to N+2 stay open for the program\n"
    "  -h, --help         this help\n"
    "  -v, --version      print the version\n";

static Error usage_error(std::string sentence) { return Error{std::move(sentence), 0, {}, exit_usage}; }

static Result<int> descriptor(std::string_view option, const char* value)
{
    Result<long long> fd = parse_number(value);
    if (!fd.has_value() || fd.value() < 0 || fd.value() > INT_MAX ||
        ::fcntl(static_cast<int>(fd.value()), F_SETFD, fd.value() > 2 ? FD_CLOEXEC : 0) < 0)
        return usage_error("--" + std::string(option) + ": descriptor " + value + " is not open");
    return static_cast<int>(fd.value());
}

/// Takes one option; false: there is none of that name.
static Result<bool> take(Options& options, std::string_view name, const char* value)
{
    struct {
        std::string_view name;
        int Options::*member;
    } static constexpr descriptors[] = {
        {"plan-fd", &Options::plan_fd},
        {"control-fd", &Options::control_fd},
        {"start-fd", &Options::start_fd},
        {"seccomp-fd", &Options::seccomp_fd},
    };
    for (const auto& known : descriptors) {
        if (name == known.name) {
            options.*known.member = TRY(descriptor(name, value));
            return true;
        }
    }
    if (name == "bundle") {
        options.bundle = value;
    } else if (name == "preserve-fds") {
        Result<long long> count = parse_number(value);
        if (!count.has_value() || count.value() < 0 || count.value() > 1 << 20)
            return usage_error("--preserve-fds: '" + std::string(value) + "' is not a number of descriptors");
        options.preserve_fds = static_cast<int>(count.value());
    } else if (name == "error-fd") {
        stage::set_error_fd(TRY(descriptor(name, value)));
    } else if (name == "step-fd") {
        stage::set_step_fd(TRY(descriptor(name, value)));
    } else if (name == "test-step") {
        TRY(stage::set_test_step(value));
    } else {
        return false;
    }
    return true;
}

Result<Options> parse_options(std::span<char* const> argv)
{
    Options options;
    bool has_verb = false;
    for (size_t i = 1; i < argv.size(); i++) {
        std::string_view word = argv[i];
        if (word == "--") {
            options.program = argv.subspan(i + 1);
            break;
        }
        if (word == "--version" || word == "-v") {
            options.verb = Verb::version;
            return options;
        }
        if (word == "--help" || word == "-h" || (word == "help" && !has_verb)) {
            // The verb's own help, when there is one already.
            options.help_on = has_verb ? (options.verb == Verb::run ? "run" : "exec") : "";
            options.verb = Verb::help;
            return options;
        }
        if (!word.starts_with("--")) {
            if (has_verb)
                return usage_error("unexpected argument '" + std::string(word) + "'; the program comes behind '--'");
            if (word != "run" && word != "exec")
                return usage_error("No help topic for '" + std::string(word) + "'; 'oci-init --help' lists the commands");
            options.verb = word == "run" ? Verb::run : Verb::exec;
            has_verb = true;
            continue;
        }
        size_t equals = word.find('=');
        std::string_view name = word.substr(2, equals == std::string_view::npos ? equals : equals - 2);
        const char* value = equals == std::string_view::npos ? nullptr : argv[i] + equals + 1;
        if (value == nullptr) {
            if (i + 1 == argv.size())
                return usage_error("flag needs an argument: " + std::string(word));
            value = argv[++i];
        }
        if (!TRY(take(options, name, value)))
            return usage_error("unknown option '" + std::string(word) + "'; 'oci-init --help' tells more");
    }
    if (!has_verb)
        return usage_error("no command given; 'oci-init --help' lists them");
    if (options.plan_fd < 0)
        return usage_error("--plan-fd is missing: oci-init does what a plan says ('oci-spec plan <config.json')");
    if (options.verb == Verb::exec && (options.start_fd >= 0 || !options.program.empty()))
        return usage_error("'exec' takes neither --start-fd nor a program: it executes the plan's at once");
    return options;
}
