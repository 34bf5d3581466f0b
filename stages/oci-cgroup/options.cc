// Reading the options that set limits.
#include "options.h"

#include "process/signal_name.h"

#include <cstring>

static constexpr Option option_table[] = {
    {"memory", 0, "SIZE", "limit of memory: 64M, 1G; -1: none"},
    {"memory-swap", 0, "SIZE", "limit of memory and swap together; -1: none"},
    {"memory-reservation", 0, "SIZE", "soft limit of memory"},
    {"pids", 0, "NUMBER", "limit of processes and threads; -1: none"},
    {"cpus", 0, "NUMBER", "limit of processor time: 1.5 CPUs"},
    {"cpu-quota", 0, "MICROSECONDS", "limit of processor time in a period"},
    {"cpu-period", 0, "MICROSECONDS", "length of a period"},
    {"cpu-burst", 0, "MICROSECONDS", "unused time that may be saved up"},
    {"cpu-idle", 0, "NUMBER", "1: run only when nobody else wants to"},
    {"cpu-rt-period", 0, "MICROSECONDS", "length of a period of real-time (cgroup v1)"},
    {"cpu-rt-runtime", 0, "MICROSECONDS", "real-time in a period (cgroup v1)"},
    {"cpu-shares", 0, "NUMBER", "relative weight, 2..262144 (1024 is usual)"},
    {"cpuset-cpus", 0, "LIST", "CPUs that may be used: 0-2,7"},
    {"cpuset-mems", 0, "LIST", "memory nodes that may be used"},
    {"io-weight", 0, "NUMBER", "relative weight of block I/O, 10..1000"},
    {"device", 0, "RULE", "'deny a *:* rwm', 'allow c 1:3 rw'; may be repeated, the last match decides"},
    {"unified", 0, "FILE=VALUE", "write VALUE to FILE (cgroup v2); may be repeated"},
};
const std::span<const Option> limit_options = option_table;

Result<int> parse_signal_name(std::string_view text)
{
    // 0 only asks whether there is a process: nothing to send to a whole cgroup.
    int number = TRY(parse_signal(text).with_exit_code(exit_usage));
    if (number == 0)
        return unknown_signal(text).with_exit_code(exit_usage);
    return number;
}

/// The kernel would only say that it is invalid.
static Result<std::string> parse_whole_number(std::string_view text)
{
    Result<long long> number = parse_number(text);
    if (!number.has_value())
        return Error{"'" + std::string(text) + "': expected a whole number", 0, {}, exit_usage};
    return std::to_string(number.value());
}

void OptionLimits::add(std::string_view directive, std::string_view option, std::vector<std::string> fields)
{
    std::vector<Field>& views = fields_.emplace_back();
    for (std::string& field : fields)
        views.push_back(texts_.emplace_back(std::move(field)));
    Field where = texts_.emplace_back("--" + std::string(option));
    directives_.push_back({find_directive_type(directive), where, views});
}

Result<OptionLimits> OptionLimits::read(const Arguments& arguments)
{
    struct Plain {
        std::string_view option;
        std::string_view directive;
        Result<std::string> (*parse)(std::string_view);
    };
    static constexpr Plain plain[] = {
        {"memory", "cgroup.memory.limit", parse_size},
        {"memory-swap", "cgroup.memory.swap", parse_size},
        {"memory-reservation", "cgroup.memory.reservation", parse_size},
        {"pids", "cgroup.pids.limit", parse_whole_number},
        {"cpus", "cgroup.cpu.quota", parse_cpus},
        {"cpu-quota", "cgroup.cpu.quota", parse_whole_number},
        {"cpu-period", "cgroup.cpu.period", parse_whole_number},
        {"cpu-burst", "cgroup.cpu.burst", parse_whole_number},
        {"cpu-idle", "cgroup.cpu.idle", parse_whole_number},
        {"cpu-rt-period", "cgroup.cpu.realtime-period", parse_whole_number},
        {"cpu-rt-runtime", "cgroup.cpu.realtime-runtime", parse_whole_number},
        {"cpu-shares", "cgroup.cpu.shares", parse_whole_number},
        {"cpuset-cpus", "cgroup.cpuset.cpus", nullptr},
        {"cpuset-mems", "cgroup.cpuset.mems", nullptr},
        {"io-weight", "cgroup.blkio.weight", parse_whole_number},
    };
    if (arguments.has("cpus") && (arguments.has("cpu-quota") || arguments.has("cpu-period")))
        return Error{"--cpus says both --cpu-quota and --cpu-period; give either", 0, {}, exit_usage};

    OptionLimits limits;
    for (const Plain& entry : plain) {
        if (!arguments.has(entry.option))
            continue;
        std::string value = arguments.value(entry.option);
        if (entry.parse != nullptr)
            value = TRY(entry.parse(value).with_context("--" + std::string(entry.option)));
        limits.add(entry.directive, entry.option, {value});
    }
    if (arguments.has("cpus"))
        limits.add("cgroup.cpu.period", "cpus", {"100000"});
    for (const std::string& text : arguments.values("unified")) {
        size_t equals = text.find('=');
        if (equals == std::string::npos)
            return Error{"--unified: '" + text + "': expected FILE=VALUE", 0, {}, exit_usage};
        limits.add("cgroup.unified", "unified", {text.substr(0, equals), text.substr(equals + 1)});
    }
    for (const std::string& text : arguments.values("device")) {
        limits.devices_.push_back(TRY(parse_device_option(text).with_context("--device").with_exit_code(exit_usage)));
        limits.devices_.back().where = "--device";
    }
    return limits;
}
