// Units of systemd: names, properties (man 5 systemd.resource-control), and the program that asks for them.
#include "systemd.h"

#include "fd/fd.h"
#include "process/process.h"
#include "scan/scan.h"
#include "stage/stage.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <unistd.h>

Result<CgroupManager> parse_cgroup_manager(std::string_view word)
{
    if (word == "cgroupfs")
        return CgroupManager::cgroupfs;
    if (word == "systemd")
        return CgroupManager::systemd;
    if (word == "auto")
        return CgroupManager::automatic;
    return Error{"--manager '" + std::string(word) + "': expected auto, cgroupfs or systemd", 0, {}, exit_usage};
}

// ---------------------------------------------------------------- names

bool is_unit_path(std::string_view path)
{
    size_t first = path.find(':');
    size_t second = first == std::string_view::npos ? first : path.find(':', first + 1);
    return second != std::string_view::npos && path.find(':', second + 1) == std::string_view::npos && path.find('/') == std::string_view::npos;
}

/// man 5 systemd.unit, "String escaping for inclusion in unit names".
static void append_unit_name(std::string& to, std::string_view text)
{
    static constexpr char digits[] = "0123456789abcdef";
    for (char c : text) {
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view(":-_.\\").find(c) != std::string_view::npos;
        if (is_plain)
            to += c;
        else
            to.append({'\\', 'x', digits[static_cast<unsigned char>(c) >> 4], digits[static_cast<unsigned char>(c) & 15]});
    }
}

Result<UnitName> parse_unit_path(std::string_view path, std::string_view id)
{
    std::string_view slice;
    std::string_view prefix = "ocirun";
    std::string_view name = id;
    if (!path.empty()) {
        if (!is_unit_path(path))
            return Error{"cgroup path '" + std::string(path) + "': expected SLICE:PREFIX:NAME, as systemd manages the cgroups"};
        size_t first = path.find(':');
        size_t second = path.find(':', first + 1);
        slice = path.substr(0, first);
        prefix = path.substr(first + 1, second - first - 1);
        name = path.substr(second + 1);
    }
    if (name.empty())
        return Error{"cgroup path '" + std::string(path) + "' has no name behind the last colon"};
    if (!slice.empty() && !slice.ends_with(".slice"))
        return Error{"cgroup path '" + std::string(path) + "': '" + std::string(slice) + "' is no slice; the name of one ends in .slice"};
    UnitName unit;
    unit.slice = slice;
    if (name.ends_with(".slice")) {
        append_unit_name(unit.unit, name);
        return unit;
    }
    if (!prefix.empty()) {
        append_unit_name(unit.unit, prefix);
        unit.unit += '-';
    }
    append_unit_name(unit.unit, name);
    unit.unit += ".scope";
    return unit;
}

// ---------------------------------------------------------------- limits

namespace {

constexpr const char* infinity = "18446744073709551615";

/// A number of a cgroup's file, which may say `max` (v2) or `-1` (v1). Nothing: another form (`64M`, `50 8:0 30`).
std::optional<std::string> number_of(std::string_view value)
{
    if (value == "max" || value == "-1")
        return infinity;
    Result<unsigned long long> number = parse_unsigned(value);
    return number.has_value() ? std::optional(std::to_string(number.value())) : std::nullopt;
}

/// systemd takes processor time in microseconds a second, and keeps whole percents of it: it is rounded up, so that the unit never gets less than the
/// file says.
std::string quota_per_second(unsigned long long quota, unsigned long long period)
{
    constexpr unsigned long long percent = 10'000;
    // 128 bits: a quota may be as large as the kernel takes, some 2^44.
    auto per_second = static_cast<unsigned __int128>(quota) * 1'000'000 / period;
    auto rounded = (per_second + percent - 1) / percent * percent;
    return rounded >= UINT64_MAX ? infinity : std::to_string(static_cast<unsigned long long>(rounded));
}

class Properties {
public:
    std::vector<std::string> list;

    void add(const std::string& name, const std::string& value) { list.push_back(name + "=" + value); }
    void add_number(const std::string& name, std::string_view value)
    {
        if (std::optional<std::string> number = number_of(value))
            add(name, "uint64 " + *number);
    }
    void add_cpu_time(std::string_view quota, std::string_view period)
    {
        unsigned long long usec = parse_unsigned(period).has_value() ? parse_unsigned(period).value() : 100'000;
        Result<unsigned long long> microseconds = parse_unsigned(quota);
        if (usec == 0)
            return;
        add("CPUQuotaPerSecUSec", std::string("uint64 ") + (microseconds.has_value() ? quota_per_second(microseconds.value(), usec) : infinity));
        add("CPUQuotaPeriodUSec", "uint64 " + std::to_string(usec));
    }
    /// An idle cgroup has no weight: to systemd that is one of zero. Not idle any more it has the weight that is given with it, or the usual one.
    void add_cpu_idle(bool is_idle)
    {
        const bool has_weight = std::any_of(list.begin(), list.end(), [](const std::string& property) { return property.starts_with("CPUWeight="); });
        if (is_idle || !has_weight)
            add("CPUWeight", std::string("uint64 ") + (is_idle ? "0" : infinity));
    }
    /// `0-2,7` as an array of bytes, the first CPU or node in the lowest bit of the first.
    void add_set(const std::string& name, std::string_view list_of_ranges)
    {
        std::vector<unsigned> bytes;
        while (!list_of_ranges.empty()) {
            std::string_view range = list_of_ranges.substr(0, list_of_ranges.find_first_of(", \n"));
            list_of_ranges.remove_prefix(std::min(list_of_ranges.size(), range.size() + 1));
            if (range.empty())
                continue;
            size_t dash = range.find('-');
            Result<unsigned long long> from = parse_unsigned(range.substr(0, dash));
            Result<unsigned long long> to = dash == std::string_view::npos ? from : parse_unsigned(range.substr(dash + 1));
            // The kernel says what is wrong with it; 8192 CPUs are as many as it has at most.
            if (!from.has_value() || !to.has_value() || to.value() >= 8192)
                return;
            for (unsigned long long bit = from.value(); bit <= to.value(); bit++) {
                if (bytes.size() <= bit / 8)
                    bytes.resize(bit / 8 + 1);
                bytes[bit / 8] |= 1U << bit % 8;
            }
        }
        std::string text;
        for (unsigned byte : bytes)
            text += (text.empty() ? "" : ", ") + std::to_string(byte);
        add(name, "@ay [" + text + "]");
    }
    /// A list with one device in it, which systemd puts in the place of what it has of that device. It reads the numbers from the node's name, whether there
    /// is such a node or not.
    void add_of_device(const std::string& name, std::string_view device, std::string_view value)
    {
        std::optional<std::string> number = number_of(value);
        if (number && !device.empty() && device.find_first_not_of("0123456789:") == std::string_view::npos)
            add(name, "@a(st) [('/dev/block/" + std::string(device) + "', " + *number + ")]");
    }
    /// `8:0 rbps=1000 wiops=max`, `8:0 target=75` or `8:0 50`.
    void add_io(std::string_view file, std::string_view line)
    {
        struct Key {
            std::string_view file;
            std::string_view key;
            const char* property;
        };
        static constexpr Key keys[] = {
            {"io.max", "rbps=", "IOReadBandwidthMax"},
            {"io.max", "wbps=", "IOWriteBandwidthMax"},
            {"io.max", "riops=", "IOReadIOPSMax"},
            {"io.max", "wiops=", "IOWriteIOPSMax"},
            {"io.latency", "target=", "IODeviceLatencyTargetUSec"},
            {"io.weight", "", "IODeviceWeight"},
            {"blkio.throttle.read_bps_device", "", "BlockIOReadBandwidth"},
            {"blkio.throttle.write_bps_device", "", "BlockIOWriteBandwidth"},
            {"blkio.weight_device", "", "BlockIODeviceWeight"},
        };
        const std::string_view device = take(line, ' ');
        while (!line.empty()) {
            std::string_view word = take(line, ' ');
            for (const Key& key : keys)
                if (key.file == file && word.starts_with(key.key))
                    // v1 lifts a limit by a zero.
                    add_of_device(key.property, device, word.substr(key.key.size()) == "0" && file.starts_with("blkio.") ? "max" : word.substr(key.key.size()));
        }
    }
};

}  // namespace

std::vector<std::string> limit_properties(std::span<const LimitWrite> writes)
{
    struct Plain {
        int version;
        std::string_view file;
        const char* property;
    };
    static constexpr Plain plain[] = {
        {2, "memory.max", "MemoryMax"},    {2, "memory.high", "MemoryHigh"},          {2, "memory.low", "MemoryLow"},
        {2, "memory.min", "MemoryMin"},    {2, "memory.swap.max", "MemorySwapMax"},   {2, "cpu.weight", "CPUWeight"},
        {2, "io.weight", "IOWeight"},      {2, "pids.max", "TasksMax"},               {1, "pids.max", "TasksMax"},
        {1, "cpu.shares", "CPUShares"},    {1, "memory.limit_in_bytes", "MemoryLimit"}, {1, "blkio.weight", "BlockIOWeight"},
        {2, "memory.zswap.max", "MemoryZSwapMax"},
    };
    Properties properties;
    std::string_view v1_quota;
    std::string_view v1_period;
    for (const LimitWrite& write : writes) {
        // The last one of a file decides, as it does in the cgroup: systemd takes the last one of a property.
        for (const Plain& entry : plain) {
            if (entry.version == write.version && entry.file == write.file)
                properties.add_number(entry.property, write.value);
            // io.bfq.weight is that scheduler's own; systemd knows the range of io.weight.
            else if (entry.version == write.version && entry.file == write.other_file && entry.version == 2)
                properties.add_number(entry.property, write.other_value);
        }
        if (write.version == 2 && !write.other_file.empty())
            properties.add_io(write.other_file, write.other_value);
        else
            properties.add_io(write.file, write.value);
        if (write.version == 2 && write.file == "cpu.idle")
            properties.add_cpu_idle(write.value == "1");
        else if (write.version == 2 && write.file == "cpu.max")
            properties.add_cpu_time(std::string_view(write.value).substr(0, write.value.find(' ')),
                                    write.value.find(' ') == std::string::npos ? std::string_view() : std::string_view(write.value).substr(write.value.find(' ') + 1));
        else if (write.version == 2 && write.file == "cpuset.cpus")
            properties.add_set("AllowedCPUs", write.value);
        else if (write.version == 2 && write.file == "cpuset.mems")
            properties.add_set("AllowedMemoryNodes", write.value);
        else if (write.version == 1 && write.file == "cpu.cfs_quota_us")
            v1_quota = write.value;
        else if (write.version == 1 && write.file == "cpu.cfs_period_us")
            v1_period = write.value;
    }
    if (!v1_quota.empty() || !v1_period.empty())
        properties.add_cpu_time(v1_quota, v1_period);
    return std::move(properties.list);
}

// ---------------------------------------------------------------- devices

std::vector<std::string> device_properties(std::span<const DeviceRule> rules)
{
    static const std::vector<std::string> anything{"DevicePolicy='auto'", "DeviceAllow=@a(ss) []"};
    // What a default and exceptions cannot say is kept away by the program beside it.
    Result<DefaultAndExceptions> reduced = reduce(rules);
    if (!reduced.has_value() || reduced.value().allow_by_default)
        return anything;
    std::string allowed;
    for (const DeviceRule& rule : reduced.value().exceptions) {
        std::string node;
        if (rule.major && rule.minor)
            node = (rule.type == 'b' ? "/dev/block/" : "/dev/char/") + std::to_string(*rule.major) + ":" + std::to_string(*rule.minor);
        else
            // One minor number of all majors is more than systemd can say.
            node = (rule.type == 'b' ? "block-" : "char-") + (rule.major ? std::to_string(*rule.major) : "*");
        allowed += (allowed.empty() ? "('" : ", ('") + node + "', '" + access_text(rule.access) + "')";
    }
    return {"DevicePolicy='strict'", "DeviceAllow=@a(ss) [" + allowed + "]"};
}

// ---------------------------------------------------------------- starting

static constexpr const char* program_name = "oci-cgroup-systemd";

/// What the program said on its error pipe, or how it ended.
static Error failure(const std::string& said, const ExitStatus& status, int step_fd)
{
    Result<stage::StageError> line = stage::parse_error_line(std::string_view(said).substr(0, said.find('\n')));
    if (line.has_value())
        return std::move(line.value().error).with_context(program_name);
    std::string step = stage::last_step(step_fd, program_name);
    return Error{std::string(program_name) + " " + status.words() + (step.empty() ? "" : "; its last step was: " + step)};
}

/// Runs oci-cgroup-systemd; returns what it prints.
static Result<std::string> ask_systemd(const std::string& test_step, const std::vector<std::string>& arguments, int journal_fd)
{
    const std::string path = TRY(find_stage_program(program_name).with_exit_code(exit_no_manager));
    Pipe output = TRY(Pipe::create());
    Pipe errors = TRY(Pipe::create());
    SpawnOptions options;
    options.stdout_fd = output.write_end.get();
    options.inherit = {errors.write_end.get()};
    // Where the manager is: XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS, DBUS_SYSTEM_BUS_ADDRESS.
    for (char** variable = environ; *variable != nullptr; variable++)
        options.environment.emplace_back(*variable);
    std::vector<std::string> words{path, "--error-fd=" + std::to_string(errors.write_end.get())};
    if (stage::step_fd() >= 0) {
        words.push_back("--step-fd=" + std::to_string(stage::step_fd()));
        options.inherit.push_back(stage::step_fd());
    }
    if (!test_step.empty())
        words.push_back("--test-step=" + test_step);
    if (journal_fd >= 0)
        options.inherit.push_back(journal_fd);
    words.insert(words.end(), arguments.begin(), arguments.end());

    ChildProcess child = TRY(spawn(path, words, options));
    output.write_end.reset();
    errors.write_end.reset();
    std::string printed = TRY(read_all(output.read_end.get(), 1 << 16));
    std::string said = TRY(read_all(errors.read_end.get(), 1 << 20));
    ExitStatus status = TRY(child.wait());
    if (status.shell_status() != 0)
        return failure(said, status, stage::step_fd());
    return printed;
}

Result<std::string> start_unit(const UnitStart& start)
{
    std::vector<std::string> words{"start", "--parent=" + std::to_string(::getpid()), "--description=container " + start.id};
    if (!start.name.slice.empty())
        words.push_back("--slice=" + start.name.slice);
    if (start.journal_fd >= 0)
        words.push_back("--journal-fd=" + std::to_string(start.journal_fd));
    if (start.pid > 0)
        words.push_back("--pid=" + std::to_string(start.pid));
    for (const std::string& limit : start.limits)
        words.push_back("--limit=" + limit);
    for (const std::string& property : start.properties)
        words.push_back("--property=" + property);
    words.insert(words.end(), {"--", start.name.unit});

    stage::step("start unit " + start.name.unit);
    std::string control_group = TRY(ask_systemd(start.test_step, words, start.journal_fd));
    if (!control_group.starts_with('/') || !control_group.ends_with('\n'))
        return Error{std::string(program_name) + " did not say where the unit's cgroup is"};
    control_group.pop_back();
    return control_group;
}

Result<std::vector<std::string>> set_unit_properties(const OwnedUnit& unit, std::span<const std::string> properties)
{
    std::vector<std::string> words{"set", "--" + unit.manager};
    for (const std::string& property : properties)
        words.push_back("--limit=" + property);
    words.insert(words.end(), {"--", unit.name});
    stage::step("set properties of unit " + unit.name);
    const std::string printed = TRY(ask_systemd({}, words, -1).with_exit_code(exit_failed));
    std::vector<std::string> before;
    for (std::string_view rest = printed; !rest.empty();)
        before.emplace_back(take_line(rest));
    return before;
}
