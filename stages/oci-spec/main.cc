// oci-spec(8): turns config.json into a checked plan; writes and checks configurations.
#include "cli/cli.h"
#include "config.h"
#include "fd/fd.h"
#include "planner.h"
#include "properties.h"
#include "stage/stage.h"
#include "version.h"

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>

static Result<std::string> read_input(const Arguments& arguments)
{
    UniqueFd file;
    std::string name = "standard input";
    if (!arguments.positionals().empty() && arguments.positionals()[0] != "-") {
        name = "'" + arguments.positionals()[0] + "'";
        file = UniqueFd(::open(arguments.positionals()[0].c_str(), O_RDONLY | O_CLOEXEC));
        if (!file)
            return errno_error("cannot open " + name);
    }
    return read_whole(file ? file.get() : STDIN_FILENO, max_json_size).with_context(name);
}

/// Reads, checks and plans; every problem is reported. No plan: there was at least one.
static Result<std::optional<std::string>> plan_input(const Arguments& arguments, Subject subject, bool is_strict)
{
    std::string text = TRY(read_input(arguments));
    Problems problems;
    Document document = Document::parse(std::move(text), subject == Subject::process ? "/process" : "", problems);
    Planner planner(document, subject, is_strict, problems);
    planner.run();
    for (const Error& error : problems.to_errors(document))
        stage::report(error);
    if (problems.count() > 0)
        return std::optional<std::string>();
    return std::optional(std::move(planner).take_plan());
}

static Result<int> check(const Arguments&, const Arguments& arguments)
{
    std::optional<std::string> plan = TRY(plan_input(arguments, Subject::config, arguments.has("strict")));
    return plan ? exit_done : exit_failed;
}

static Result<int> plan(const Arguments&, const Arguments& arguments)
{
    stage::step("read the configuration");
    std::optional<std::string> plan =
        TRY(plan_input(arguments, arguments.has("process") ? Subject::process : Subject::config, false));
    if (!plan)
        return exit_failed;
    stage::step("write the plan");
    TRY(write_all(STDOUT_FILENO, *plan).with_context("the plan"));
    return exit_done;
}

/// Makes a file that was not there, complete or not at all.
static Result<void> write_new_file(const std::string& path, std::string_view text)
{
    struct stat status;
    std::string exists = "'" + path + "' already exists; it is left as it is";
    if (::lstat(path.c_str(), &status) == 0)
        return Error{exists};

    std::string temporary = path + ".new-" + std::to_string(::getpid());
    stage::step("create " + temporary);
    UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!file)
        return errno_error("cannot create '" + temporary + "'");
    ScopeExit remove_again([&] { ::unlink(temporary.c_str()); });
    TRY(write_all(file.get(), text).with_context("'" + temporary + "'"));
    stage::step("link " + path);
    // link(2), not rename(2): it does not replace what somebody else may have made meanwhile.
    if (::link(temporary.c_str(), path.c_str()) < 0)
        return errno == EEXIST ? Error{exists} : errno_error("cannot create '" + path + "'");
    return {};
}

static Result<int> make_new(const Arguments&, const Arguments& arguments)
{
    std::string text = arguments.has("rootless") ? rootless_config(::geteuid(), ::getegid()) : default_config();
    if (arguments.has("output"))
        TRY(write_new_file(arguments.value("output"), text));
    else
        TRY(write_all(STDOUT_FILENO, text).with_context("the configuration"));
    return exit_done;
}

/// The rows of the table in spec/plan.md. Hidden: for its test.
static Result<int> grammar(const Arguments&, const Arguments&)
{
    std::string text = "| directive | fields | from | meaning |\n| --- | --- | --- | --- |\n";
    for (const DirectiveType& type : directive_types) {
        std::string fields;
        // A bar would end the table's cell.
        for (char c : type.fields)
            fields += c == '|' ? std::string("\\|") : std::string(1, c);
        text += "| `" + std::string(type.name) + "` | " + (fields.empty() ? "" : "`" + fields + "`") + " | " +
                (type.property.starts_with('/') ? "`" + std::string(type.property) + "`" : std::string(type.property)) + " | " +
                std::string(type.meaning) + " |\n";
    }
    TRY(write_all(STDOUT_FILENO, text));
    return exit_done;
}

/// The property table, one row a line: PATTERN SINCE FATE NOTE. Hidden: for spec/coverage.md's test.
static Result<int> properties(const Arguments&, const Arguments&)
{
    std::string text;
    std::vector<Property> open{Property::root().first()};
    while (!open.empty()) {
        Property property = open.back();
        open.pop_back();
        if (!property)
            continue;
        static constexpr const char* fates[] = {"planned", "container", "ignored", "refused"};
        text += join_fields({property.pattern(), property.since(), fates[static_cast<size_t>(property.fate())], property.note()}) + "\n";
        open.push_back(property.next());
        open.push_back(property.first());
    }
    TRY(write_all(STDOUT_FILENO, text));
    return exit_done;
}

static constexpr Option new_options[] = {
    {"rootless", 0, "", "for someone without privilege: a user namespace, no network namespace"},
    {"output", 'o', "FILE", "write FILE, which must not be there yet, instead of standard output"},
};

static constexpr Option check_options[] = {
    {"strict", 0, "", "also refuse unknown keys, and properties newer than 'ociVersion'"},
};

static constexpr Option plan_options[] = {
    {"process", 0, "", "the input is a process object alone, as exec --process takes it"},
};

static constexpr Command commands[] = {
    {"new", "", "write a new config.json", new_options, OptionOrder::anywhere, 0, 0, make_new},
    {"check", "[FILE]", "check a config.json and name all errors", check_options, OptionOrder::anywhere, 0, 1, check},
    {"plan", "[FILE]", "turn a config.json into a plan", plan_options, OptionOrder::anywhere, 0, 1, plan},
    {"grammar", "", "", {}, OptionOrder::anywhere, 0, 0, grammar},
    {"properties", "", "", {}, OptionOrder::anywhere, 0, 0, properties},
};

int main(int argc, char** argv)
{
    static constexpr Program program{
        .name = "oci-spec",
        .help = "turn config.json into a checked plan; write and check configurations",
        .global_options = {},
        .commands = commands,
        .version = OCIRUN_VERSION,
    };
    Program with_options = program;
    with_options.global_options = stage_options;
    with_options.prepare = prepare_stage;
    return command_main(with_options, argc, argv);
}
