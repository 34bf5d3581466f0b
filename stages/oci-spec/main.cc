// oci-spec(8): turns config.json into a checked plan; writes, checks, queries and changes configurations.
#include "cli/cli.h"
#include "config.h"
#include "difference.h"
#include "edits.h"
#include "fd/fd.h"
#include "features_document.h"
#include "planner.h"
#include "properties.h"
#include "stage/stage.h"
#include "temporary_file.h"
#include "tree.h"
#include "version.h"

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>

/// "-" is standard input.
static Result<std::string> read_file(const std::string& path)
{
    UniqueFd file;
    std::string name = "standard input";
    if (path != "-") {
        name = "'" + path + "'";
        file = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file)
            return errno_error("cannot open " + name);
    }
    return read_whole(file ? file.get() : STDIN_FILENO, max_json_size).with_context(name);
}

/// The positional argument with that index, or standard input.
static Result<std::string> read_input(const Arguments& arguments, size_t index = 0)
{
    return read_file(arguments.positionals().size() > index ? arguments.positionals()[index] : "-");
}

/// Reads, checks and plans; every problem is reported. No plan: there was at least one.
static Result<std::optional<std::string>> plan_input(const Arguments& arguments, Subject subject, bool is_strict)
{
    Planned planned = plan_of(TRY(read_input(arguments)), subject, is_strict);
    for (const Error& error : planned.errors)
        stage::report(error);
    return planned.errors.empty() ? std::optional(std::move(planned.plan)) : std::nullopt;
}

/// JSON alone, not looked at further; nothing: it was none, and that has been said.
static std::optional<Document> parse_json(std::string text)
{
    Problems problems;
    Document document = Document::parse(std::move(text), "", problems);
    for (const Error& error : problems.to_errors(document))
        stage::report(error);
    if (problems.count() > 0)
        return std::nullopt;
    return document;
}

static Result<int> check(const Arguments&, const Arguments& arguments)
{
    std::optional<std::string> plan = TRY(plan_input(arguments, Subject::config, arguments.has("strict")));
    return plan ? exit_done : exit_failed;
}

static Result<int> plan(const Arguments&, const Arguments& arguments)
{
    stage::step("read the configuration");
    if (arguments.has("process") && arguments.has("resources"))
        return Error{"'plan' takes --process or --resources, not both", 0, {}, exit_usage};
    const Subject subject = arguments.has("process")     ? Subject::process
                            : arguments.has("resources") ? Subject::resources
                                                         : Subject::config;
    std::optional<std::string> plan = TRY(plan_input(arguments, subject, false));
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

    TemporaryFile temporary = TRY(TemporaryFile::create(path, 0666, text));
    stage::step("link " + path);
    // link(2), not rename(2): it does not replace what somebody else may have made meanwhile.
    if (::link(temporary.path().c_str(), path.c_str()) < 0)
        return errno == EEXIST ? Error{exists} : errno_error("cannot create '" + path + "'");
    return {};
}

/// A good configuration; nothing: it is none, and that has been said. `has_places`: with line and column.
static std::optional<Document> read_config(std::string text, bool has_places)
{
    Planned planned = plan_of(std::move(text), Subject::config);
    for (Error& error : planned.errors) {
        // Nobody has seen the lines of what is still to be written.
        if (!has_places && !error.pointer.empty())
            error.attempted.erase(0, error.attempted.find(": ") + 2);
        stage::report(error);
    }
    if (!planned.errors.empty())
        return std::nullopt;
    return std::move(planned.document);
}

static Result<int> make_new(const Arguments&, const Arguments& arguments)
{
    const bool is_rootless = arguments.has("rootless");
    std::string text;
    if (arguments.has("from")) {
        if (is_rootless)
            return Error{"--rootless and --from both say what to begin with", 0, {}, exit_usage};
        text = TRY(read_file(arguments.value("from")));
    } else {
        text = is_rootless ? rootless_config(::geteuid(), ::getegid()) : default_config();
    }
    if (arguments.has("from") || has_edits(arguments)) {
        std::optional<Document> document = read_config(std::move(text), true);
        if (!document)
            return exit_failed;
        Tree config(document->root());
        TRY(apply_edits(config, arguments));
        text = config.print();
        if (!read_config(text, false))
            return exit_failed;
    }
    if (arguments.has("output"))
        TRY(write_new_file(arguments.value("output"), text));
    else
        TRY(write_all(STDOUT_FILENO, text).with_context("the configuration"));
    return exit_done;
}

/// Appends what the tokens lead to; `*` leads to all members or items. False: there is nothing.
static bool append_values(std::string& text, Value at, std::span<const std::string> tokens, bool is_json)
{
    if (!at || at.is(Kind::null))
        return false;
    if (tokens.empty()) {
        if (at.is(Kind::string) && !is_json)
            text += std::string(at.text()) + "\n";
        else
            text += Tree(at).print();
        return true;
    }
    bool found = false;
    for (Value inner = at.first(); inner; inner = inner.next()) {
        bool is_meant = at.is(Kind::object) ? inner.key() == tokens[0] : std::to_string(inner.index()) == tokens[0];
        if (is_meant || tokens[0] == "*")
            found = append_values(text, inner, tokens.subspan(1), is_json) || found;
    }
    return found;
}

static Result<int> get(const Arguments&, const Arguments& arguments)
{
    const std::string& pointer = arguments.positionals()[0];
    const std::vector<std::string> tokens = TRY(split_pointer(pointer));
    std::optional<Document> document = parse_json(TRY(read_input(arguments, 1)));
    if (!document)
        return exit_failed;
    std::string text;
    if (!append_values(text, document->root(), tokens, arguments.has("json")))
        return Error{"found nothing", 0, pointer};
    TRY(write_all(STDOUT_FILENO, text).with_context("the value"));
    return exit_done;
}

/// Puts a new text in the place of a file: at any moment there is the old one or the new one.
static Result<void> replace_file(const std::string& path, std::string_view text)
{
    char real[PATH_MAX];
    struct stat status;
    if (::realpath(path.c_str(), real) == nullptr || ::stat(real, &status) < 0)
        return errno_error("cannot look at '" + path + "'");
    TemporaryFile temporary = TRY(TemporaryFile::create(real, 0600, text));
    if (::fchown(temporary.fd(), status.st_uid, status.st_gid) < 0 && errno != EPERM)
        return errno_error("cannot give '" + temporary.path() + "' its owner");
    if (::fchmod(temporary.fd(), status.st_mode & 07777) < 0)
        return errno_error("cannot give '" + temporary.path() + "' its mode");
    stage::step("rename to " + path);
    if (::rename(temporary.path().c_str(), real) < 0)
        return errno_error("cannot replace '" + path + "'");
    return {};
}

/// Reads the document at positional `index`, lets `change` change it, and writes it.
template <typename Change>
static Result<int> change_document(const Arguments& arguments, size_t index, Change change)
{
    const bool in_place = arguments.has("in-place");
    if (in_place && (arguments.positionals().size() <= index || arguments.positionals()[index] == "-"))
        return Error{"--in-place needs a FILE", 0, {}, exit_usage};
    std::optional<Document> document = parse_json(TRY(read_input(arguments, index)));
    if (!document)
        return exit_failed;
    Tree tree(document->root());
    TRY(change(tree));
    if (in_place)
        TRY(replace_file(arguments.positionals()[index], tree.print()));
    else
        TRY(write_all(STDOUT_FILENO, tree.print()).with_context("the configuration"));
    return exit_done;
}

static Result<int> set(const Arguments&, const Arguments& arguments)
{
    const std::string& pointer = arguments.positionals()[0];
    Tree value = TRY(parse_word(pointer, arguments.positionals()[1]));
    return change_document(arguments, 2, [&](Tree& tree) { return set_at(tree, pointer, std::move(value)); });
}

static Result<int> unset(const Arguments&, const Arguments& arguments)
{
    const std::string& pointer = arguments.positionals()[0];
    return change_document(arguments, 1, [&](Tree& tree) { return remove_at(tree, pointer); });
}

/// As diff(1): 0 the same, 1 not, 2 trouble.
static Result<int> diff(const Arguments&, const Arguments& arguments)
{
    Result<std::string> texts[] = {read_file(arguments.positionals()[0]), read_file(arguments.positionals()[1])};
    std::optional<Document> documents[2];
    for (size_t i = 0; i < 2; i++) {
        documents[i] = parse_json(TRY(std::move(texts[i]).with_exit_code(exit_usage)));
        if (!documents[i])
            return exit_usage;
    }
    std::string lines = differences(documents[0]->root(), documents[1]->root());
    TRY(write_all(STDOUT_FILENO, lines).with_context("the differences").with_exit_code(exit_usage));
    return lines.empty() ? exit_done : exit_failed;
}

static Result<int> print_features(const Arguments&, const Arguments&)
{
    TRY(write_all(STDOUT_FILENO, features().print()).with_context("the features"));
    return exit_done;
}

/// The rows of the table in spec/plan.md. Hidden: for its test.
static Result<int> grammar(const Arguments&, const Arguments&)
{
    std::string text = "| directive | fields | from | meaning |\n| --- | --- | --- | --- |\n";
    for (const DirectiveType& type : directive_types) {
        std::string fields;
        // A bar would end the table's cell.
        for (char c : type.fields())
            fields += c == '|' ? std::string("\\|") : std::string(1, c);
        text += "| `" + std::string(type.name()) + "` | " + (fields.empty() ? "" : "`" + fields + "`") + " | " +
                (type.property().starts_with('/') ? "`" + std::string(type.property()) + "`" : std::string(type.property())) + " | " +
                std::string(type.meaning()) + " |\n";
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

static constexpr Option check_options[] = {
    {"strict", 0, "", "also refuse unknown keys, and properties newer than 'ociVersion'"},
};

static constexpr Option plan_options[] = {
    {"process", 0, "", "the input is a process object alone, as exec --process takes it"},
    {"resources", 0, "", "the input is the object linux.resources alone, as update --resources takes it"},
};

static constexpr Option get_options[] = {
    {"json", 0, "", "strings in quotes, too"},
};

static constexpr Option change_options[] = {
    {"in-place", 'i', "", "replace FILE instead of writing to standard output"},
};

static std::vector<Option> new_options()
{
    std::vector<Option> options{
        {"rootless", 0, "", "for someone without privilege: a user namespace, no network namespace"},
        {"from", 0, "FILE", "begin with that configuration instead of the default"},
        {"output", 'o', "FILE", "write FILE, which must not be there yet, instead of standard output"},
    };
    for (const Option& option : edit_options())
        options.push_back(option);
    return options;
}

int main(int argc, char** argv)
{
    // The many options of `new` are built only where that verb may be meant: `plan` is on the way of each container.
    std::vector<Option> options_of_new;
    for (int i = 1; i < argc; i++)
        if (std::string_view(argv[i]) == "new")
            options_of_new = new_options();
    constexpr auto anywhere = OptionOrder::anywhere;
    const Command commands[] = {
        {"new", "[-- PROGRAM [ARG]...]", "write a new config.json", options_of_new, OptionOrder::before_positionals, 0, SIZE_MAX, make_new},
        {"check", "[FILE]", "check a config.json and name all errors", check_options, anywhere, 0, 1, check},
        {"plan", "[FILE]", "turn a config.json into a plan", plan_options, anywhere, 0, 1, plan},
        {"get", "POINTER [FILE]", "print what a JSON pointer leads to", get_options, anywhere, 1, 2, get},
        {"set", "POINTER VALUE [FILE]", "give it a value", change_options, OptionOrder::before_positionals, 2, 3, set},
        {"unset", "POINTER [FILE]", "remove it", change_options, anywhere, 1, 2, unset},
        {"diff", "FILE FILE", "say in what two configurations differ", {}, anywhere, 2, 2, diff},
        {"features", "", "print what the runtime can do", {}, anywhere, 0, 0, print_features},
        {"grammar", "", "", {}, anywhere, 0, 0, grammar},
        {"properties", "", "", {}, anywhere, 0, 0, properties},
    };
    Program program{
        .name = "oci-spec",
        .help = "turn config.json into a checked plan; write, check, query and change configurations",
        .global_options = stage_options,
        .commands = commands,
        .version = OCIRUN_VERSION,
        .prepare = prepare_stage,
    };
    return command_main(program, argc, argv);
}
