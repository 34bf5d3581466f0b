// ocirun events and top: oci-cgroup measures; what it does not know is which containers there are.
#include "commands.h"

#include "amount/amount.h"
#include "container.h"
#include "context.h"
#include "process/process.h"

#include <algorithm>
#include <csignal>
#include <map>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace {

/// The line of oci-cgroup's list for a container that lives; nothing: it has no cgroup, or does not live (any more).
Result<std::optional<std::string>> list_line(const Container& container)
{
    Status status = TRY(container.status());
    if (status == Status::stopped || status == Status::creating || container.cgroups.empty())
        return std::optional<std::string>();
    std::string line = join_fields({container.state.id(), std::to_string(container.init.pid), std::to_string(container.init.start_time),
                                    container.resctrl.empty() ? "" : container.resctrl.back()});
    for (const CgroupLocation& location : container.cgroups)
        line += "\t" + location_line(location).substr(0, location_line(location).size() - 1);
    return std::optional(line + "\n");
}

Result<std::string> list_of(const Context& context, const std::vector<std::string>& ids)
{
    std::string list;
    for (const std::string& id : ids) {
        StateRoot root = TRY(context.root_of(id));
        Container container = TRY(Container::find(root, id));
        std::optional<std::string> line = TRY(list_line(container));
        if (!line && TRY(container.status()) == Status::stopped)
            return Error{"container not running: '" + id + "' is stopped"};
        if (!line)
            return Error{"container '" + id + "' has no cgroup: nobody counts what it uses"};
        list += *line;
    }
    return list;
}

/// Writes the lines of all containers of a state root, and of those to come, as they come.
class Feeder {
public:
    Feeder(const StateRoot& root, int output) : root_(root), output_(output) {}

    Result<void> write_present()
    {
        for (const std::string& id : TRY(root_.ids()))
            TRY(consider(id));
        return {};
    }

    /// Ends when nobody reads any more.
    Result<void> write_coming(int inotify)
    {
        for (;;) {
            pollfd polled[] = {{inotify, POLLIN, 0}, {output_, 0, 0}};
            if (::poll(polled, 2, -1) < 0 && errno != EINTR)
                return errno_error("cannot wait for containers");
            if (polled[1].revents != 0)
                return {};
            alignas(inotify_event) char buffer[8192];
            ssize_t length = ::read(inotify, buffer, sizeof buffer);
            for (ssize_t at = 0; at < length;) {
                const inotify_event* event = reinterpret_cast<const inotify_event*>(buffer + at);
                at += static_cast<ssize_t>(sizeof *event + event->len);
                // More has happened than the kernel keeps for us.
                if ((event->mask & IN_Q_OVERFLOW) != 0)
                    TRY(look_again());
                std::string id = event->len > 0 ? event->name : "";
                // The journal is named by the id; it grows until the container is made.
                if (!check_container_id(id).has_value())
                    continue;
                if ((event->mask & (IN_DELETE | IN_MOVED_FROM)) != 0)
                    written_.erase(id);
                else
                    TRY(consider(id));
            }
        }
    }

private:
    Result<void> consider(const std::string& id) { return written_.contains(id) ? Result<void>() : look(id); }

    /// At all of them, also at those whose id may have become another container's.
    Result<void> look_again()
    {
        const std::vector<std::string> present = TRY(root_.ids());
        std::erase_if(written_, [&](const auto& written) { return !std::binary_search(present.begin(), present.end(), written.first); });
        for (const std::string& id : present)
            TRY(look(id));
        return {};
    }

    Result<void> look(const std::string& id)
    {
        Result<Container> container = Container::find(root_, id);
        Result<std::optional<std::string>> line = container.has_value() ? list_line(container.value()) : Result<std::optional<std::string>>(container.error());
        // One that cannot be read, or has just been deleted, is not a reason to stop watching the others.
        if (!line.has_value() || !line.value() || written_[id] == *line.value())
            return {};
        TRY(write_all(output_, *line.value()));
        written_[id] = *line.value();
        return {};
    }

    const StateRoot& root_;
    int output_;
    std::map<std::string, std::string> written_;  ///< id and line
};

/// A pipe with the list on it: to its end when `complete`, else kept open by a process that adds what comes and ends with the reader.
Result<UniqueFd> list_of_all(const Context& context, bool complete)
{
    Pipe pipe = TRY(Pipe::create());
    StateRoot root = TRY(context.create_root());
    UniqueFd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    // Before the first look, so that none is missed between the two.
    if (!inotify || ::inotify_add_watch(inotify.get(), root.path().c_str(), IN_CREATE | IN_MOVED_TO | IN_MODIFY | IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR) < 0)
        return errno_error("cannot watch the state root '" + root.path() + "'");
    pid_t feeder = ::fork();
    if (feeder < 0)
        return errno_error("cannot start a process");
    if (feeder > 0)
        return std::move(pipe.read_end);
    pipe.read_end.reset();
    Feeder writer(root, pipe.write_end.get());
    Result<void> done = writer.write_present();
    if (done.has_value() && !complete)
        done = writer.write_coming(inotify.get());
    // EPIPE: the reader has ended first.
    if (!done.has_value() && done.error().error_number != EPIPE)
        context.log.error(done.error().message());
    ::_exit(done.has_value() ? exit_done : exit_failed);
}

Result<UniqueFd> list_of_ids(const Context& context, const std::vector<std::string>& ids)
{
    return memory_file("ocirun-list", TRY(list_of(context, ids)));
}

/// Becomes oci-cgroup with the list as its standard input.
Error become_oci_cgroup(std::vector<std::string> words, UniqueFd list)
{
    Result<std::string> path = find_stage_program("oci-cgroup");
    if (!path.has_value())
        return std::move(path).error();
    if (::dup2(list.get(), STDIN_FILENO) < 0)
        return errno_error("cannot pass the list of containers");
    words.insert(words.begin(), path.value());
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::execv(path.value().c_str(), argv.data());
    return errno_error("cannot execute '" + path.value() + "'");
}

/// All containers when no id is given.
Result<int> measure(const Context& context, std::vector<std::string> words, const std::vector<std::string>& ids, bool complete)
{
    UniqueFd list = ids.empty() ? TRY(list_of_all(context, complete)) : TRY(list_of_ids(context, ids));
    return become_oci_cgroup(std::move(words), std::move(list));
}

/// Said by us: from then on it is oci-cgroup that speaks.
Result<void> check_interval(const Arguments& arguments)
{
    if (arguments.has("interval"))
        TRY(parse_interval(arguments.value("interval")).with_context("--interval").with_exit_code(exit_failed));
    return {};
}

Result<int> events(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global));
    const std::vector<std::string>& ids = arguments.positionals();
    if (ids.empty() != arguments.has("all"))
        return Error{ids.empty() ? "'events' needs the ID of a container, several, or --all" : "--all goes without an ID"};
    TRY(check_interval(arguments));
    std::vector<std::string> words{"events"};
    if (arguments.has("interval"))
        words.push_back("--interval=" + arguments.value("interval"));
    if (arguments.has("stats"))
        words.push_back("--stats");
    return measure(context, std::move(words), ids, arguments.has("stats"));
}

Result<int> top(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global));
    TRY(check_interval(arguments));
    std::vector<std::string> words{"top"};
    for (const char* option : {"interval", "count", "sort"})
        if (arguments.has(option))
            words.push_back("--" + std::string(option) + "=" + arguments.value(option));
    if (arguments.has("batch"))
        words.push_back("--batch");
    return measure(context, std::move(words), arguments.positionals(), false);
}

}  // namespace

static constexpr Option events_options[] = {
    {"interval", 0, "TIME", "between two samples, as 500ms or 1m30s; 5s by default"},
    {"stats", 0, "", "one sample of each container, and no more"},
    {"all", 0, "", "all containers of the state root, and those to come"},
};
constexpr Command events_command{"events", "[ID]...", "print what containers use, and when they run out of memory, as JSON", events_options,
                                 OptionOrder::anywhere, 0, 100000, events};

static constexpr Option top_options[] = {
    {"interval", 'd', "TIME", "between two tables; 2s by default"},
    {"count", 'n', "NUMBER", "end after so many tables"},
    {"sort", 's', "COLUMN", "name, cpu (default), memory, pids or io"},
    {"batch", 'b', "", "one table below the other, as when the output is no terminal"},
};
constexpr Command top_command{"top", "[ID]...", "show what the containers use as a table, again and again", top_options, OptionOrder::anywhere, 0, 100000,
                              top};
