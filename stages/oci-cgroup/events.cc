// oci-cgroup stat and events: what cgroups use, now or again and again, and that they ran out of memory.
#include "commands.h"

#include "amount/amount.h"
#include "json/json.h"
#include "process/process.h"
#include "stats.h"
#include "targets.h"

#include <algorithm>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

// ---------------------------------------------------------------- stat

static Result<int> run_stat(const Arguments&, const Arguments& arguments)
{
    const std::string& path = arguments.positionals()[0];
    Target target = TRY(target_at(path, path));
    std::optional<Stats> stats = TRY(Stats::read(target));
    if (!stats)
        return Error{"cgroup '" + path + "' has just been removed"};
    TRY(write_all(STDOUT_FILENO, arguments.has("json") ? stats_json(*stats) + "\n" : stats_text(*stats)).with_context("standard output"));
    return exit_done;
}

static constexpr Option stat_options[] = {
    {"json", 0, "", "one line of JSON, as 'events' prints it"},
};

const Command stat_command{"stat", "PATH", "print what the cgroup uses", stat_options, OptionOrder::anywhere, 1, 1, run_stat};

// ---------------------------------------------------------------- events

namespace {

using Clock = std::chrono::steady_clock;

/// One target, and what tells that something has happened to it.
class Watched {
public:
    static Result<Watched> begin(Target target)
    {
        Watched watched(std::move(target));
        if (watched.target_.pid != 0) {
            std::optional<UniqueFd> process = TRY(open_process({watched.target_.pid, watched.target_.start_time}));
            watched.ended_ = !process;
            if (process)
                watched.process_ = std::move(*process);
        }
        for (const CgroupLocation& location : watched.target_.locations)
            if (location.version == 1 ? location.has_controller("memory") : !watched.memory_)
                TRY(watched.watch_memory(location));
        return watched;
    }

    const Target& target() const { return target_; }
    bool ended() const { return ended_; }
    pollfd poll_process() const { return {process_.get(), POLLIN, 0}; }
    pollfd poll_memory() const { return {memory_.get(), static_cast<short>(version_ == 1 ? POLLIN : POLLPRI), 0}; }

    /// Whether it ran out of memory since the last call.
    bool take_out_of_memory()
    {
        if (!memory_)
            return false;
        if (version_ == 1) {
            uint64_t count = 0;
            if (::read(memory_.get(), &count, sizeof count) < 0)
                return false;
            // The kernel also signals when the cgroup goes (Documentation/admin-guide/cgroup-v1/memory.rst, "OOM Control").
            if (!exists()) {
                ended_ = true;
                count--;
            }
            return count > 0;
        }
        std::optional<uint64_t> kills = read_kills();
        // Gone, with what its counters said.
        if (!kills) {
            memory_.reset();
            ended_ = ended_ || !exists();
            return false;
        }
        return *kills > std::exchange(kills_, *kills);
    }

    bool take_end()
    {
        bool oom = take_out_of_memory();
        ended_ = true;
        return oom;
    }

    void look_for_end() { ended_ = ended_ || !exists(); }

private:
    explicit Watched(Target target) : target_(std::move(target)) {}

    bool exists() const
    {
        for (const CgroupLocation& location : target_.locations)
            if (::access(location.directory().c_str(), F_OK) == 0)
                return true;
        return false;
    }

    Result<void> watch_memory(const CgroupLocation& location)
    {
        std::optional<CgroupDir> dir = TRY(CgroupDir::open(location.directory()));
        if (!dir || !dir->has(location.version == 1 ? "memory.oom_control" : "memory.events"))
            return {};
        const char* file = location.version == 1 ? "memory.oom_control" : "memory.events";
        UniqueFd opened(::openat(dir->fd(), file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!opened)
            return errno_error("cannot open '" + dir->name() + "/" + file + "'");
        version_ = location.version;
        if (version_ == 2) {
            memory_ = std::move(opened);
            kills_ = read_kills().value_or(0);
            return {};
        }
        UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (!event)
            return errno_error("cannot make an eventfd");
        TRY(dir->write("cgroup.event_control", std::to_string(event.get()) + " " + std::to_string(opened.get()))
                .with_context("cannot watch '" + dir->name() + "' for being out of memory"));
        memory_ = std::move(event);
        return {};
    }

    /// Processes killed, as memory.events counts them: `oom` alone also counts what a group kill or a failed
    /// allocation did not kill for. Nothing: the cgroup is gone.
    std::optional<uint64_t> read_kills() const
    {
        Result<std::string> text = read_whole(memory_.get(), 1 << 16);
        if (!text.has_value())
            return std::nullopt;
        for (const auto& [key, value] : parse_pairs(text.value()))
            if (key == "oom_kill")
                return value;
        return 0;
    }

    Target target_;
    UniqueFd process_;
    UniqueFd memory_;  ///< v1: an eventfd; v2: memory.events
    int version_ = 0;
    uint64_t kills_ = 0;
    bool ended_ = false;
};

Result<void> print_stats(const Target& target)
{
    std::optional<Stats> stats = TRY(Stats::read(target));
    if (!stats)
        return {};
    return write_all(STDOUT_FILENO, "{\"type\":\"stats\",\"id\":" + json::quote(target.name) + ",\"data\":" + stats_json(*stats) + "}\n")
        .with_context("standard output");
}

Result<void> print_out_of_memory(const Target& target)
{
    return write_all(STDOUT_FILENO, "{\"type\":\"oom\",\"id\":" + json::quote(target.name) + "}\n").with_context("standard output");
}

/// Until all have ended and no more can come. Sleeps while nothing happens.
class Follower {
public:
    Follower(Targets& targets, Clock::duration interval) : targets_(targets), interval_(interval) {}

    Result<void> run()
    {
        if (targets_.fd() < 0)
            TRY(add(TRY(targets_.take())));
        Clock::time_point next = Clock::now() + interval_;
        while (!all_.empty() || targets_.fd() >= 0) {
            auto rest = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
            TRY(wait(all_.empty() ? -1 : static_cast<int>(std::max<long long>(rest, 0))));
            if (Clock::now() >= next) {
                TRY(sample());
                next = Clock::now() + interval_;
            }
            std::erase_if(all_, [](const Watched& watched) { return watched.ended(); });
        }
        return {};
    }

private:
    Result<void> wait(int timeout)
    {
        std::vector<pollfd> polled{{targets_.fd(), POLLIN, 0}};
        for (const Watched& watched : all_) {
            polled.push_back(watched.poll_process());
            polled.push_back(watched.poll_memory());
        }
        if (::poll(polled.data(), polled.size(), timeout) < 0)
            return errno == EINTR ? Result<void>() : errno_error("cannot wait for events");
        for (size_t i = 0; i < all_.size(); i++) {
            const bool has_ended = polled[1 + 2 * i].revents != 0;
            const bool has_memory_event = polled[2 + 2 * i].revents != 0;
            if (has_ended ? all_[i].take_end() : has_memory_event && all_[i].take_out_of_memory())
                TRY(print_out_of_memory(all_[i].target()));
        }
        return polled[0].revents != 0 ? add(TRY(targets_.take())) : Result<void>();
    }

    /// Its first sample comes at once.
    Result<void> add(std::vector<Target> targets)
    {
        for (Target& target : targets) {
            all_.push_back(TRY(Watched::begin(std::move(target))));
            if (!all_.back().ended())
                TRY(print_stats(all_.back().target()));
        }
        return {};
    }

    Result<void> sample()
    {
        for (Watched& watched : all_) {
            watched.look_for_end();
            if (!watched.ended())
                TRY(print_stats(watched.target()));
        }
        return {};
    }

    Targets& targets_;
    Clock::duration interval_;
    std::vector<Watched> all_;
};

}  // namespace

static Result<int> run_events(const Arguments&, const Arguments& arguments)
{
    auto interval = TRY(parse_interval(arguments.value("interval", "5s")).with_context("--interval"));
    Targets targets = TRY(Targets::from(arguments.positionals()));
    if (!arguments.has("stats")) {
        TRY(Follower(targets, interval).run());
        return exit_done;
    }
    for (const Target& target : TRY(targets.take_all()))
        TRY(print_stats(target));
    return exit_done;
}

static constexpr Option events_options[] = {
    {"interval", 0, "TIME", "between two samples; 5s by default"},
    {"stats", 0, "", "one sample of each, and no more"},
};

const Command events_command{"events", "[PATH]...", "print what cgroups use, and when they run out of memory, as JSON", events_options,
                             OptionOrder::anywhere, 0, SIZE_MAX, run_events};
