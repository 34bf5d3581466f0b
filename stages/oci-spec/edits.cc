// From options to changes of a configuration. What comes out is checked as any other; here is only what a word means.
#include "edits.h"

#include "amount/amount.h"
#include "config.h"
#include "fd/fd.h"
#include "plan/plan.h"
#include "planner.h"
#include "words.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace {

/// What is done with an option's value.
enum class Form : uint8_t {
    // Set at the row's pointer:
    text,
    number,
    size,
    yes,
    no,
    // Everything else:
    remove_namespace,
    add_namespace,
    map_users,
    map_groups,
    program_word,
    variable,
    user,
    umask,
    rlimit,
    mount,
    bind,
    tmpfs,
    remove_mount,
    device,
    cpus,
    drop_capabilities,
    add_capabilities,
    seccomp,
    sysctl,
    annotation,
    hook,
};

struct Edit {
    char name[20];
    char value_name[36];
    char help[84];
    Form form;
    char pointer[40];
};

// In the order in which they are done, whatever the order on the command line.
constexpr Edit edits[] = {
    {"share", "KIND", "share the caller's namespace of that KIND instead of a new one", Form::remove_namespace, ""},
    {"namespace", "KIND[=PATH]", "a new namespace of that KIND, or the one that PATH names", Form::add_namespace, ""},
    {"map-user", "IN:OUT:SIZE", "map user ids in a new user namespace", Form::map_users, ""},
    {"map-group", "IN:OUT:SIZE", "map group ids in a new user namespace", Form::map_groups, ""},
    {"arg", "WORD", "the program, then its arguments: one word each", Form::program_word, ""},
    {"env", "NAME=VALUE", "a variable of the environment", Form::variable, ""},
    {"cwd", "PATH", "the working directory", Form::text, "/process/cwd"},
    {"user", "UID[:GID[:GID]...]", "the user, group and additional groups", Form::user, ""},
    {"umask", "MODE", "the file mode creation mask, octal", Form::umask, ""},
    {"terminal", "", "a terminal of its own", Form::yes, "/process/terminal"},
    {"no-terminal", "", "the caller's standard input and outputs", Form::no, "/process/terminal"},
    {"new-privileges", "", "allow set-id programs and file capabilities to give privileges", Form::no, "/process/noNewPrivileges"},
    {"no-new-privileges", "", "do not allow it", Form::yes, "/process/noNewPrivileges"},
    {"rlimit", "NAME=SOFT[:HARD]", "a resource limit: nofile=1024", Form::rlimit, ""},
    {"oom-score-adj", "NUMBER", "-1000..1000: more means killed earlier when memory is short", Form::number, "/process/oomScoreAdj"},
    {"apparmor", "PROFILE", "the AppArmor profile", Form::text, "/process/apparmorProfile"},
    {"selinux", "LABEL", "the SELinux label", Form::text, "/process/selinuxLabel"},
    {"cap-drop", "CAPABILITY", "take a capability away, or ALL", Form::drop_capabilities, ""},
    {"cap-add", "CAPABILITY", "give a capability, or ALL", Form::add_capabilities, ""},
    {"hostname", "NAME", "the host name", Form::text, "/hostname"},
    {"domainname", "NAME", "the NIS domain name", Form::text, "/domainname"},
    {"rootfs", "PATH", "the root file system", Form::text, "/root/path"},
    {"read-only", "", "the root file system cannot be written", Form::yes, "/root/readonly"},
    {"no-read-only", "", "the root file system can be written", Form::no, "/root/readonly"},
    {"no-mount", "PATH", "nothing mounted on PATH", Form::remove_mount, ""},
    {"mount", "KEY=VALUE[,...]", "type=TYPE,source=PATH,destination=PATH and options", Form::mount, ""},
    {"bind", "SOURCE[:PATH[:OPTION,...]]", "bind-mount SOURCE on PATH", Form::bind, ""},
    {"tmpfs", "PATH[:OPTION,...]", "an empty tmpfs on PATH", Form::tmpfs, ""},
    {"masked-path", "PATH", "make PATH unreadable", Form::text, "/linux/maskedPaths/-"},
    {"readonly-path", "PATH", "make PATH read-only", Form::text, "/linux/readonlyPaths/-"},
    {"device", "PATH[:PATH]", "the host's device node, at another path in the container", Form::device, ""},
    {"cgroup", "PATH", "the cgroup", Form::text, "/linux/cgroupsPath"},
    {"memory", "SIZE", "limit of memory: 64M, 1G; -1: none", Form::size, "/linux/resources/memory/limit"},
    {"memory-swap", "SIZE", "limit of memory and swap together; -1: none", Form::size, "/linux/resources/memory/swap"},
    {"memory-reservation", "SIZE", "soft limit of memory", Form::size, "/linux/resources/memory/reservation"},
    {"pids", "NUMBER", "limit of processes and threads; -1: none", Form::number, "/linux/resources/pids/limit"},
    {"cpus", "NUMBER", "limit of processor time: 1.5 CPUs", Form::cpus, ""},
    {"cpu-shares", "NUMBER", "relative weight, 2..262144 (1024 is usual)", Form::number, "/linux/resources/cpu/shares"},
    {"cpuset-cpus", "LIST", "CPUs that may be used: 0-2,7", Form::text, "/linux/resources/cpu/cpus"},
    {"cpuset-mems", "LIST", "memory nodes that may be used", Form::text, "/linux/resources/cpu/mems"},
    {"seccomp", "FILE", "the system-call filter: the object of linux.seccomp in FILE", Form::seccomp, ""},
    {"sysctl", "KEY=VALUE", "a parameter of the container's own namespaces", Form::sysctl, ""},
    {"annotation", "KEY=VALUE", "an annotation", Form::annotation, ""},
    {"hook", "KIND=PATH[ ARG]...", "a hook: createRuntime='/bin/hook arg'", Form::hook, ""},
};

Error usage(std::string sentence) { return Error{std::move(sentence), 0, {}, exit_usage}; }

Error expected(const std::string& value, std::string_view form)
{
    return usage(quoted(value) + ": expected " + std::string(form));
}

/// The parts between separators; never empty.
std::vector<std::string> split(std::string_view text, char separator)
{
    std::vector<std::string> parts;
    for (;;) {
        size_t at = text.find(separator);
        parts.emplace_back(text.substr(0, at));
        if (at == std::string_view::npos)
            return parts;
        text.remove_prefix(at + 1);
    }
}

struct Pair {
    std::string key;
    std::string value;
};

Result<Pair> parse_pair(const std::string& text, std::string_view form)
{
    size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        return expected(text, form);
    return Pair{text.substr(0, equals), text.substr(equals + 1)};
}

Result<Tree> parse_count(const std::string& text)
{
    return Tree::number(std::to_string(TRY(parse_number(text).with_exit_code(exit_usage))));
}

/// The member `name` of the item of `list` is `value`; the item's place, or the number of items.
size_t find_item(Tree& list, std::string_view name, std::string_view value)
{
    size_t at = 0;
    for (; at < list.items().size(); at++)
        if (Tree* member = list.items()[at].find(name); member != nullptr && member->text() == value)
            break;
    return at;
}

/// Replaces the item of the same name, or adds it.
void put_item(Tree& list, std::string_view name, Tree item)
{
    size_t at = find_item(list, name, item.find(name)->text());
    if (at < list.items().size())
        list.items()[at].assign(std::move(item));
    else
        list.append(std::move(item));
}

void remove_item(Tree& list, std::string_view name, std::string_view value)
{
    if (size_t at = find_item(list, name, value); at < list.items().size())
        list.items().erase(list.items().begin() + static_cast<ptrdiff_t>(at));
}

Tree& linux_of(Tree& config) { return config.member("linux", Kind::object); }
Tree& process_of(Tree& config) { return config.member("process", Kind::object); }
Tree& namespaces_of(Tree& config) { return linux_of(config).member("namespaces", Kind::array); }

Result<void> check_namespace_kind(const std::string& kind)
{
    if (!contains_word(namespace_words, kind))
        return expected(kind, "one of " + std::string(namespace_words));
    return {};
}

Result<void> remove_namespace(Tree& config, const std::string& kind)
{
    TRY(check_namespace_kind(kind));
    remove_item(namespaces_of(config), "type", kind);
    // What only a namespace of its own can have goes with it.
    if (kind == "uts") {
        config.remove("hostname");
        config.remove("domainname");
    } else if (kind == "user") {
        linux_of(config).remove("uidMappings");
        linux_of(config).remove("gidMappings");
    } else if (kind == "time") {
        linux_of(config).remove("timeOffsets");
    }
    return {};
}

Result<void> add_namespace(Tree& config, const std::string& value)
{
    size_t equals = value.find('=');
    std::string kind = value.substr(0, equals);
    TRY(check_namespace_kind(kind));
    Tree entry = Tree::object();
    entry.set("type", Tree::string(kind));
    if (equals != std::string::npos)
        entry.set("path", Tree::string(value.substr(equals + 1)));
    put_item(namespaces_of(config), "type", std::move(entry));
    return {};
}

Result<void> map_ids(Tree& config, std::string_view name, const std::vector<std::string>& values)
{
    Tree list = Tree::array();
    for (const std::string& value : values) {
        std::vector<std::string> parts = split(value, ':');
        if (parts.size() != 3)
            return expected(value, "IN:OUT:SIZE");
        Tree mapping = Tree::object();
        mapping.set("containerID", TRY(parse_count(parts[0])));
        mapping.set("hostID", TRY(parse_count(parts[1])));
        mapping.set("size", TRY(parse_count(parts[2])));
        list.append(std::move(mapping));
    }
    linux_of(config).set(name, std::move(list));
    return {};
}

Result<void> set_variable(Tree& config, const std::string& value)
{
    Pair pair = TRY(parse_pair(value, "NAME=VALUE"));
    Tree& list = process_of(config).member("env", Kind::array);
    for (Tree& item : list.items()) {
        if (!item.text().starts_with(pair.key + "="))
            continue;
        item = Tree::string(value);
        return {};
    }
    list.append(Tree::string(value));
    return {};
}

Result<void> set_user(Tree& config, const std::string& value)
{
    std::vector<std::string> ids = split(value, ':');
    Tree& user = process_of(config).member("user", Kind::object);
    Tree groups = Tree::array();
    for (size_t i = 0; i < ids.size(); i++) {
        Result<unsigned long long> id = parse_unsigned(ids[i]);
        if (!id.has_value())
            return expected(value, "numbers, such as 1000:1000: names are the container's own business");
        Tree number = Tree::number(std::to_string(id.value()));
        if (i < 2)
            user.set(i == 0 ? "uid" : "gid", std::move(number));
        else
            groups.append(std::move(number));
    }
    if (ids.size() > 2)
        user.set("additionalGids", std::move(groups));
    return {};
}

Result<void> set_umask(Tree& config, const std::string& value)
{
    Result<unsigned long long> mode = parse_unsigned(value, 8);
    if (!mode.has_value() || mode.value() > 0777)
        return expected(value, "an octal number, such as 0022");
    process_of(config).member("user", Kind::object).set("umask", Tree::number(std::to_string(mode.value())));
    return {};
}

Result<void> set_rlimit(Tree& config, const std::string& value)
{
    Pair pair = TRY(parse_pair(value, "NAME=SOFT[:HARD]"));
    for (char& c : pair.key)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (!pair.key.starts_with("RLIMIT_"))
        pair.key.insert(0, "RLIMIT_");
    std::vector<std::string> limits = split(pair.value, ':');
    if (limits.size() > 2)
        return expected(value, "NAME=SOFT[:HARD]");
    Tree entry = Tree::object();
    entry.set("type", Tree::string(pair.key));
    for (const char* name : {"hard", "soft"}) {
        const std::string& text = *name == 'h' ? limits.back() : limits.front();
        // getrlimit(2): RLIM_INFINITY.
        Result<unsigned long long> limit = text == "unlimited" ? Result<unsigned long long>(UINT64_MAX) : parse_unsigned(text);
        if (!limit.has_value())
            return expected(value, "NAME=SOFT[:HARD], each a number or 'unlimited'");
        entry.set(name, Tree::number(std::to_string(limit.value())));
    }
    put_item(process_of(config).member("rlimits", Kind::array), "type", std::move(entry));
    return {};
}

/// Where `path` is mounted by an entry that is there already, that entry is replaced: it was in an order that works.
void put_mount(Tree& config, std::string_view destination, std::string_view type, std::string_view source, std::span<const std::string> options)
{
    Tree entry = Tree::object();
    entry.set("destination", Tree::string(destination));
    if (!type.empty())
        entry.set("type", Tree::string(type));
    if (!source.empty())
        entry.set("source", Tree::string(source));
    Tree list = Tree::array();
    for (const std::string& option : options)
        list.append(Tree::string(option));
    if (!list.items().empty())
        entry.set("options", std::move(list));
    put_item(config.member("mounts", Kind::array), "destination", std::move(entry));
}

Result<void> add_mount(Tree& config, const std::string& value)
{
    std::string type;
    std::string source;
    std::string destination;
    std::vector<std::string> options;
    for (const std::string& word : split(value, ',')) {
        size_t equals = word.find('=');
        std::string_view key = std::string_view(word).substr(0, equals);
        std::string content = equals == std::string::npos ? "" : word.substr(equals + 1);
        if (key == "type")
            type = content;
        else if (key == "source" || key == "src")
            source = content;
        else if (key == "destination" || key == "dst" || key == "target")
            destination = content;
        else if (!word.empty())
            options.push_back(word);
    }
    if (destination.empty())
        return expected(value, "type=TYPE,source=PATH,destination=PATH and options, separated by commas");
    auto is_bind = [](const std::string& option) { return option == "bind" || option == "rbind"; };
    if (type == "bind" && std::none_of(options.begin(), options.end(), is_bind))
        options.insert(options.begin(), "rbind");
    put_mount(config, destination, type, source, options);
    return {};
}

Result<void> add_bind(Tree& config, const std::string& value)
{
    std::vector<std::string> parts = split(value, ':');
    if (parts.size() > 3 || parts[0].empty())
        return expected(value, "SOURCE[:PATH[:OPTION,...]]");
    const std::string& destination = parts.size() > 1 && !parts[1].empty() ? parts[1] : parts[0];
    std::string spec = "type=bind,rbind";
    if (parts.size() == 3)
        spec += "," + parts[2];
    std::vector<std::string> options = split(spec, ',');
    options.erase(options.begin());
    put_mount(config, destination, "bind", parts[0], options);
    return {};
}

Result<void> add_tmpfs(Tree& config, const std::string& value)
{
    size_t colon = value.find(':');
    if (colon == 0 || value.empty())
        return expected(value, "PATH[:OPTION,...]");
    std::vector<std::string> options{"nosuid", "nodev"};
    if (colon != std::string::npos && colon + 1 < value.size())
        for (std::string& option : split(std::string_view(value).substr(colon + 1), ','))
            options.push_back(std::move(option));
    put_mount(config, value.substr(0, colon), "tmpfs", "tmpfs", options);
    return {};
}

Result<void> add_device(Tree& config, const std::string& value)
{
    std::vector<std::string> paths = split(value, ':');
    struct stat status;
    if (paths.size() > 2 || paths[0].empty())
        return expected(value, "PATH[:PATH]");
    if (::stat(paths[0].c_str(), &status) < 0)
        return errno_error("cannot look at " + quoted(paths[0]));
    if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))
        return Error{quoted(paths[0]) + " is no device"};
    Tree entry = Tree::object();
    entry.set("type", Tree::string(S_ISCHR(status.st_mode) ? "c" : "b"));
    entry.set("path", Tree::string(paths.back()));
    entry.set("major", Tree::number(std::to_string(major(status.st_rdev))));
    entry.set("minor", Tree::number(std::to_string(minor(status.st_rdev))));
    entry.set("fileMode", Tree::number(std::to_string(status.st_mode & 0777)));
    put_item(linux_of(config).member("devices", Kind::array), "path", std::move(entry));
    return {};
}

Result<void> set_cpus(Tree& config, const std::string& value)
{
    std::string quota = TRY(parse_cpus(value));
    TRY(set_at(config, "/linux/resources/cpu/quota", Tree::number(quota)));
    return set_at(config, "/linux/resources/cpu/period", Tree::number("100000"));
}

/// The full name of a capability; ALL stays.
Result<std::string> capability_name(const std::string& value)
{
    std::string name = value;
    for (char& c : name)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (name == "ALL")
        return name;
    if (!name.starts_with("CAP_"))
        name.insert(0, "CAP_");
    if (!contains_word(capability_words, name))
        return expected(value, "the name of a capability, such as CAP_KILL, or ALL");
    return name;
}

Result<void> drop_capability(Tree& config, const std::string& value)
{
    std::string name = TRY(capability_name(value));
    for (Tree& set : process_of(config).member("capabilities", Kind::object).items())
        std::erase_if(set.items(), [&](const Tree& item) { return name == "ALL" || item.text() == name; });
    return {};
}

/// Not to the inheritable and ambient sets, which outlive the program that was meant (CVE-2022-29162).
Result<void> add_capability(Tree& config, const std::string& value)
{
    std::string name = TRY(capability_name(value));
    for (const char* set : {"bounding", "effective", "permitted"}) {
        Tree& list = process_of(config).member("capabilities", Kind::object).member(set, Kind::array);
        for (const std::string& word : split(name == "ALL" ? std::string_view(capability_words) : std::string_view(name), ' ')) {
            bool is_there = std::any_of(list.items().begin(), list.items().end(), [&](const Tree& item) { return item.text() == word; });
            if (!is_there)
                list.append(Tree::string(word));
        }
    }
    return {};
}

/// Strictly, as the profiles of other tools look alike but have keys without which a rule allows more than was meant.
Result<void> set_seccomp(Tree& config, const std::string& path)
{
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        return errno_error("cannot open " + quoted(path));
    std::string text = TRY(read_whole(file.get(), max_json_size).with_context(quoted(path)));
    Planned planned = plan_of(std::move(text), Subject::seccomp, true);
    if (std::vector<Error>& errors = planned.errors; !errors.empty()) {
        Error all = std::move(errors[0]).with_context(quoted(path));
        for (size_t i = 1; i < errors.size(); i++)
            all.attempted += "; " + errors[i].message();
        return all;
    }
    linux_of(config).set("seccomp", Tree(planned.document.root()));
    return {};
}

Result<void> add_hook(Tree& config, const std::string& value)
{
    Pair pair = TRY(parse_pair(value, "KIND=PATH"));
    std::vector<std::string> words = split(pair.value, ' ');
    std::string kinds;
    bool is_known = false;
    for (Property kind = Property::find("/hooks")->first(); kind; kind = kind.next()) {
        is_known = is_known || kind.name() == pair.key;
        kinds += (kinds.empty() ? "" : ", ") + std::string(kind.name());
    }
    if (!is_known)
        return expected(pair.key, "one of " + kinds);
    Tree entry = Tree::object();
    entry.set("path", Tree::string(words[0]));
    if (words.size() > 1) {
        Tree list = Tree::array();
        for (const std::string& word : words)
            list.append(Tree::string(word));
        entry.set("args", std::move(list));
    }
    config.member("hooks", Kind::object).member(pair.key, Kind::array).append(std::move(entry));
    return {};
}

Result<void> set_string_member(Tree& object, const std::string& value)
{
    Pair pair = TRY(parse_pair(value, "KEY=VALUE"));
    object.set(pair.key, Tree::string(pair.value));
    return {};
}

Result<void> apply(const Edit& edit, Tree& config, const std::string& value)
{
    switch (edit.form) {
    case Form::text: return set_at(config, edit.pointer, Tree::string(value));
    case Form::number: return set_at(config, edit.pointer, TRY(parse_count(value)));
    case Form::size: return set_at(config, edit.pointer, Tree::number(TRY(parse_size(value))));
    case Form::yes: return set_at(config, edit.pointer, Tree::boolean(true));
    case Form::no: return set_at(config, edit.pointer, Tree::boolean(false));
    case Form::remove_namespace: return remove_namespace(config, value);
    case Form::add_namespace: return add_namespace(config, value);
    case Form::variable: return set_variable(config, value);
    case Form::user: return set_user(config, value);
    case Form::umask: return set_umask(config, value);
    case Form::rlimit: return set_rlimit(config, value);
    case Form::mount: return add_mount(config, value);
    case Form::bind: return add_bind(config, value);
    case Form::tmpfs: return add_tmpfs(config, value);
    case Form::remove_mount: remove_item(config.member("mounts", Kind::array), "destination", value); return {};
    case Form::device: return add_device(config, value);
    case Form::cpus: return set_cpus(config, value);
    case Form::drop_capabilities: return drop_capability(config, value);
    case Form::add_capabilities: return add_capability(config, value);
    case Form::seccomp: return set_seccomp(config, value);
    case Form::sysctl: return set_string_member(linux_of(config).member("sysctl", Kind::object), value);
    case Form::annotation: return set_string_member(config.member("annotations", Kind::object), value);
    case Form::hook: return add_hook(config, value);
    case Form::map_users:
    case Form::map_groups:
    case Form::program_word: break;  // taken all at once
    }
    return {};
}

}  // namespace

std::vector<Option> edit_options()
{
    std::vector<Option> options;
    for (const Edit& edit : edits)
        options.push_back({edit.name, 0, edit.value_name, edit.help});
    return options;
}

bool has_edits(const Arguments& arguments)
{
    return !arguments.positionals().empty() ||
           std::any_of(std::begin(edits), std::end(edits), [&](const Edit& edit) { return arguments.has(edit.name); });
}

Result<void> apply_edits(Tree& config, const Arguments& arguments)
{
    for (const char* name : {"read-only", "terminal", "new-privileges"})
        if (arguments.has(name) && arguments.has("no-" + std::string(name)))
            return usage("--" + std::string(name) + " and --no-" + name + " contradict each other");
    if (arguments.has("arg") && !arguments.positionals().empty())
        return usage("the program is given twice, by --arg and behind the options");

    for (const Edit& edit : edits) {
        const std::string option = "--" + std::string(edit.name);
        std::vector<std::string> values = arguments.values(edit.name);
        if (edit.form == Form::map_users && !values.empty())
            TRY(map_ids(config, "uidMappings", values).with_context(option));
        else if (edit.form == Form::map_groups && !values.empty())
            TRY(map_ids(config, "gidMappings", values).with_context(option));
        else if (edit.form == Form::program_word && values.empty())
            values = arguments.positionals();
        if (edit.form == Form::program_word && !values.empty()) {
            Tree list = Tree::array();
            for (const std::string& word : values)
                list.append(Tree::string(word));
            process_of(config).set("args", std::move(list));
            continue;
        }
        for (const std::string& value : values)
            TRY(apply(edit, config, value).with_context(option));
    }
    return {};
}
