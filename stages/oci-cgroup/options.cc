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
    {"cpu-shares", 0, "NUMBER", "relative weight, 2..262144 (1024 is usual)"},
    {"cpuset-cpus", 0, "LIST", "CPUs that may be used: 0-2,7"},
    {"cpuset-mems", 0, "LIST", "memory nodes that may be used"},
    {"io-weight", 0, "NUMBER", "relative weight of block I/O, 10..1000"},
    {"device", 0, "RULE", "'deny a *:* rwm', 'allow c 1:3 rw'; may be repeated, the last match decides"},
    {"unified", 0, "FILE=VALUE", "write VALUE to FILE (cgroup v2); may be repeated"},
};
const std::span<const Option> limit_options = option_table;

Result<std::string> parse_size(std::string_view text)
{
    static constexpr std::string_view suffixes = "KMGT";
    std::string_view number = text;
    int shift = 0;
    if (!text.empty()) {
        char last = text.back() >= 'a' ? static_cast<char>(text.back() - 'a' + 'A') : text.back();
        if (size_t at = suffixes.find(last); at != std::string_view::npos) {
            shift = 10 * (static_cast<int>(at) + 1);
            number.remove_suffix(1);
        }
    }
    Result<long long> parsed = parse_number(number);
    if (!parsed.has_value() || (shift > 0 && (parsed.value() < 0 || parsed.value() > INT64_MAX >> shift)))
        return Error{"'" + std::string(text) + "': expected a size such as 64M or 1G", 0, {}, exit_usage};
    return std::to_string(parsed.value() << shift);
}

Result<std::string> parse_cpus(std::string_view text)
{
    const Error bad{"'" + std::string(text) + "': expected a number of CPUs such as 2 or 0.5", 0, {}, exit_usage};
    size_t point = text.find('.');
    std::string digits(text.substr(0, point));
    std::string fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
    if ((digits.empty() && fraction.empty()) || fraction.size() > 5 || digits.size() > 6)
        return bad;
    // 100000 microseconds are one CPU: five digits behind the point.
    fraction.resize(5, '0');
    Result<unsigned long long> quota = parse_unsigned(digits + fraction);
    return quota.has_value() ? Result<std::string>(std::to_string(quota.value())) : bad;
}

Result<int> parse_signal_name(std::string_view text)
{
    // 0 only asks whether there is a process: nothing to send to a whole cgroup.
    int number = TRY(parse_signal(text).with_exit_code(exit_usage));
    if (number == 0)
        return Error{"unknown signal '" + std::string(text) + "'", 0, {}, exit_usage};
    return number;
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
        {"pids", "cgroup.pids.limit", nullptr},
        {"cpus", "cgroup.cpu.quota", parse_cpus},
        {"cpu-quota", "cgroup.cpu.quota", nullptr},
        {"cpu-period", "cgroup.cpu.period", nullptr},
        {"cpu-shares", "cgroup.cpu.shares", nullptr},
        {"cpuset-cpus", "cgroup.cpuset.cpus", nullptr},
        {"cpuset-mems", "cgroup.cpuset.mems", nullptr},
        {"io-weight", "cgroup.blkio.weight", nullptr},
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
