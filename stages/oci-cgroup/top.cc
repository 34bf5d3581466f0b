// oci-cgroup top: a table of what cgroups use, for people.
#include "commands.h"

#include "amount/amount.h"
#include "process/process.h"
#include "stats.h"
#include "targets.h"

#include <algorithm>
#include <cstdio>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

/// What the table shows of one target: levels of now, rates since the last sample.
struct Row {
    Target target;
    Clock::time_point at = {};
    uint64_t cpu = 0, read = 0, written = 0;  ///< counters at that time

    double cpu_percent = 0;
    uint64_t memory = 0, memory_limit = 0, pids = 0, pids_limit = 0;
    double read_rate = 0, write_rate = 0;  ///< bytes a second
};

uint64_t block_io(const Stats& stats, std::string_view op)
{
    uint64_t bytes = 0;
    auto found = stats.block_io.find("ioServiceBytesRecursive");
    if (found != stats.block_io.end())
        for (const BlockIo& entry : found->second)
            if (entry.op == op)
                bytes += entry.value;
    return bytes;
}

/// False: it is gone.
Result<bool> sample(Row& row)
{
    if (row.target.pid != 0 && !is_alive({row.target.pid, row.target.start_time}))
        return false;
    Clock::time_point now = Clock::now();
    std::optional<Stats> stats = TRY(Stats::read(row.target));
    if (!stats)
        return false;
    uint64_t read = block_io(*stats, "Read");
    uint64_t written = block_io(*stats, "Write");
    double seconds = std::chrono::duration<double>(now - row.at).count();
    if (row.at != Clock::time_point()) {
        row.cpu_percent = static_cast<double>(stats->cpu_total - row.cpu) / 1e7 / seconds;
        row.read_rate = static_cast<double>(read - row.read) / seconds;
        row.write_rate = static_cast<double>(written - row.written) / seconds;
    }
    row.at = now;
    row.cpu = stats->cpu_total;
    row.read = read;
    row.written = written;
    row.memory = stats->memory.usage;
    row.memory_limit = stats->memory.limit;
    row.pids = stats->pids;
    row.pids_limit = stats->pids_limit;
    return true;
}

std::string number(const char* format, double value)
{
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

/// 512, 1.5K, 23M: three digits at most, and what they count.
std::string size(double bytes)
{
    static constexpr const char* units[] = {"", "K", "M", "G", "T", "P"};
    size_t unit = 0;
    for (; bytes >= 999.5 && unit + 1 < std::size(units); unit++)
        bytes /= 1024;
    return number(unit > 0 && bytes < 9.95 ? "%.1f" : "%.0f", bytes) + units[unit];
}

/// v1 says "no limit" by a number near the largest there is.
std::string limit(uint64_t bytes) { return bytes >= 1ULL << 60 || bytes == 0 ? "-" : size(static_cast<double>(bytes)); }

/// Names come from outside: nothing in them may move the cursor.
std::string shown(std::string_view name)
{
    std::string text;
    for (char c : name)
        text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return text;
}

using Order = bool (*)(const Row&, const Row&);

Result<Order> parse_order(std::string_view column)
{
    if (column == "name")
        return Order([](const Row& a, const Row& b) { return a.target.name < b.target.name; });
    if (column == "cpu")
        return Order([](const Row& a, const Row& b) { return a.cpu_percent > b.cpu_percent; });
    if (column == "memory")
        return Order([](const Row& a, const Row& b) { return a.memory > b.memory; });
    if (column == "pids")
        return Order([](const Row& a, const Row& b) { return a.pids > b.pids; });
    if (column == "io")
        return Order([](const Row& a, const Row& b) { return a.read_rate + a.write_rate > b.read_rate + b.write_rate; });
    return Error{"--sort '" + std::string(column) + "': expected name, cpu, memory, pids or io", 0, {}, exit_usage};
}

std::vector<std::string> table(std::vector<Row>& rows, Order order)
{
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.target.name < b.target.name; });
    std::stable_sort(rows.begin(), rows.end(), order);
    std::vector<std::vector<std::string>> cells{{"NAME", "CPU%", "MEMORY", "LIMIT", "PIDS", "LIMIT", "READ/s", "WRITE/s"}};
    for (const Row& row : rows)
        cells.push_back({shown(row.target.name), number("%.1f", row.cpu_percent), size(static_cast<double>(row.memory)), limit(row.memory_limit),
                         std::to_string(row.pids), row.pids_limit == 0 ? "-" : std::to_string(row.pids_limit), size(row.read_rate), size(row.write_rate)});
    size_t width = 0;
    for (const std::vector<std::string>& line : cells)
        width = std::max(width, line[0].size());
    std::vector<std::string> lines;
    for (const std::vector<std::string>& line : cells) {
        std::string text = line[0] + std::string(width - line[0].size(), ' ');
        for (size_t i = 1; i < line.size(); i++)
            text += std::string(line[i].size() < 8 ? 9 - line[i].size() : 1, ' ') + line[i];
        lines.push_back(std::move(text));
    }
    return lines;
}

/// One table below the other; or in place of the last one, cut to the window.
std::string page(const std::vector<std::string>& lines, bool in_place)
{
    std::string text;
    if (!in_place) {
        for (const std::string& line : lines)
            text += line + "\n";
        return text + "\n";
    }
    winsize window{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_row < 2 || window.ws_col < 2)
        window = {24, 80, 0, 0};
    // Home, and what was there before is overwritten: no flicker (man 4 console_codes).
    text = "\033[H";
    for (size_t i = 0; i < lines.size() && i + 1 < window.ws_row; i++)
        text += lines[i].substr(0, window.ws_col) + "\033[K\n";
    return text + "\033[J";
}

/// Takes targets in until `until`.
Result<void> wait_for_targets(Targets& targets, std::vector<Row>& rows, Clock::time_point until)
{
    for (;;) {
        auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        if (rest <= 0)
            return {};
        pollfd polled{targets.fd(), POLLIN, 0};
        if (::poll(&polled, 1, static_cast<int>(rest)) < 0 && errno != EINTR)
            return errno_error("cannot wait");
        if (polled.revents != 0)
            for (Target& target : TRY(targets.take())) {
                rows.push_back({std::move(target)});
                if (!TRY(sample(rows.back())))
                    rows.pop_back();
            }
    }
}

}  // namespace

static Result<int> run_top(const Arguments&, const Arguments& arguments)
{
    auto interval = TRY(parse_interval(arguments.value("interval", "2s")).with_context("--interval"));
    long long count = TRY(arguments.number("count", 0));
    Order order = TRY(parse_order(arguments.value("sort", "cpu")));
    const bool in_place = !arguments.has("batch") && ::isatty(STDOUT_FILENO) == 1;

    Targets targets = TRY(Targets::from(arguments.positionals()));
    std::vector<Row> rows;
    if (targets.fd() < 0)
        for (Target& target : TRY(targets.take())) {
            rows.push_back({std::move(target)});
            TRY(sample(rows.back()));
        }
    if (in_place)
        TRY(write_all(STDOUT_FILENO, "\033[H\033[J"));
    // People see something at once, though rates need two samples; a script gets whole intervals.
    Clock::time_point next = Clock::now() + (in_place ? std::min(interval, std::chrono::milliseconds(200)) : interval);
    for (long long tables = 0; count <= 0 || tables < count; tables++) {
        TRY(wait_for_targets(targets, rows, next));
        next += interval;
        std::vector<Row> present;
        for (Row& row : rows)
            if (TRY(sample(row)))
                present.push_back(std::move(row));
        rows = std::move(present);
        if (rows.empty() && targets.fd() < 0 && tables > 0)
            return exit_done;
        TRY(write_all(STDOUT_FILENO, page(table(rows, order), in_place)).with_context("standard output"));
    }
    return exit_done;
}

static constexpr Option top_options[] = {
    {"interval", 'd', "TIME", "between two tables; 2s by default"},
    {"count", 'n', "NUMBER", "end after so many tables"},
    {"sort", 's', "COLUMN", "name, cpu (default), memory, pids or io"},
    {"batch", 'b', "", "one table below the other, as when the output is no terminal"},
};

const Command top_command{"top", "[PATH]...", "show what cgroups use as a table, again and again", top_options, OptionOrder::anywhere, 0, SIZE_MAX, run_top};
