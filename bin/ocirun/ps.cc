// ocirun ps: the processes of a container, by its cgroup.
#include "commands.h"

#include "container.h"
#include "context.h"
#include "process/process.h"
#include "process/program.h"
#include "scan/scan.h"

#include <algorithm>
#include <unistd.h>

static constexpr Option ps_options[] = {
    {"format", 'f', "FORMAT", "table (default) or json: an array of process ids"},
};

/// Sorted. A stopped container may have some still, when it has no pid namespace of its own.
static Result<std::vector<pid_t>> processes_of(const Container& container)
{
    if (container.stale)
        return std::vector<pid_t>();
    const CgroupLocation* location = location_to_kill(container.cgroups);
    if (location == nullptr)
        return Error{"container '" + container.state.id() +
                     "' has no cgroup, so that nobody knows its processes but the first, " +
                     std::to_string(container.init.pid)};
    std::optional<CgroupDir> cgroup = TRY(CgroupDir::open(location->directory()));
    return cgroup ? cgroup->processes() : Result<std::vector<pid_t>>(std::vector<pid_t>());
}

static std::string json_array(const std::vector<pid_t>& processes)
{
    std::string text = "[";
    for (pid_t pid : processes)
        text += (text.size() > 1 ? "," : "") + std::to_string(pid);
    return text + "]\n";
}

/// What the host's ps prints, its header and the lines of those processes. They are told by the column PID.
static Result<std::string> table_of(const std::vector<pid_t>& processes, std::vector<std::string> options)
{
    if (options.empty())
        options.push_back("-ef");
    std::string path = TRY(find_in_path("ps").with_exit_code(exit_failed));
    options.insert(options.begin(), path);
    Pipe output = TRY(Pipe::create());
    SpawnOptions spawning;
    spawning.stdout_fd = output.write_end.get();
    for (char** variable = environ; *variable != nullptr; variable++)
        spawning.environment.push_back(*variable);
    ChildProcess ps = TRY(spawn(path, options, spawning));
    output.write_end.reset();
    std::string text = TRY(read_all(output.read_end.get(), 256 << 20).with_context("'" + path + "'"));
    ExitStatus status = TRY(ps.wait());
    if (status.shell_status() != 0)
        return Error{"'" + path + "' " + status.words()};

    std::string_view rest = text;
    std::string table(rest.substr(0, rest.find('\n')));
    std::vector<std::string_view> header = words_of(table);
    size_t column = static_cast<size_t>(std::find(header.begin(), header.end(), "PID") - header.begin());
    if (column == header.size())
        return Error{"couldn't find PID field in ps output: give ps options that print it"};
    table += '\n';
    while (!rest.empty()) {
        std::string_view line = take_line(rest);
        std::vector<std::string_view> words = words_of(line);
        Result<long long> pid = parse_number(column < words.size() ? words[column] : "");
        if (pid.has_value() && std::binary_search(processes.begin(), processes.end(), static_cast<pid_t>(pid.value())))
            table.append(line).append("\n");
    }
    return table;
}

static Result<int> ps(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global));
    std::string format = arguments.value("format", "table");
    if (format != "table" && format != "json")
        return Error{"--format '" + format + "': expected table or json"};
    const std::string& id = arguments.positionals()[0];
    StateRoot root = TRY(context.root_of(id));
    Container container = TRY(Container::find(root, id));
    std::vector<pid_t> processes = TRY(processes_of(container));
    std::string text =
        format == "json"
            ? json_array(processes)
            : TRY(table_of(processes, {arguments.positionals().begin() + 1, arguments.positionals().end()}));
    TRY(write_all(STDOUT_FILENO, text));
    return exit_done;
}

constexpr Command ps_command{"ps",
                             "ID [PS-OPTION]...",
                             "print the processes of a container",
                             ps_options,
                             OptionOrder::before_positionals,
                             1,
                             SIZE_MAX,
                             ps};
