// Reading what a cgroup uses, on either version.
#include "stats.h"

#include "fd/fd.h"
#include "hierarchy.h"
#include "plan/plan.h"
#include "scan/scan.h"
#include "rdt.h"

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

// ---------------------------------------------------------------- texts

namespace {

/// `max` is unlimited; what is no number counts as 0, as a file that does not exist does.
uint64_t number_of(std::string_view text)
{
    if (text == "max")
        return unlimited;
    Result<unsigned long long> number = parse_unsigned(text);
    return number.has_value() ? number.value() : 0;
}

uint64_t value_of(const std::vector<std::pair<std::string, uint64_t>>& pairs, std::string_view key)
{
    for (const auto& [name, value] : pairs)
        if (name == key)
            return value;
    return 0;
}

}  // namespace

std::vector<std::pair<std::string, uint64_t>> parse_pairs(std::string_view text)
{
    std::vector<std::pair<std::string, uint64_t>> pairs;
    while (!text.empty()) {
        std::string_view line = take_line(text);
        std::string_view key = take_word(line);
        if (!key.empty())
            pairs.emplace_back(key, number_of(take_word(line)));
    }
    return pairs;
}

std::vector<unsigned> parse_cpu_list(std::string_view text)
{
    std::vector<unsigned> numbers;
    while (!text.empty()) {
        std::string_view range = take(text, ',');
        std::string_view first = take(range, '-');
        uint64_t from = number_of(first);
        uint64_t to = range.empty() ? from : number_of(range);
        // A kernel has at most some thousand; a text that says more is not believed.
        for (uint64_t number = from; !first.empty() && number <= to && numbers.size() < 65536; number++)
            numbers.push_back(static_cast<unsigned>(number));
    }
    return numbers;
}

std::optional<Pressure> parse_pressure(std::string_view text)
{
    Pressure pressure;
    while (!text.empty()) {
        // some avg10=0.00 avg60=0.00 avg300=0.00 total=0
        std::string_view line = take_line(text);
        std::string_view kind = take_word(line);
        Pressure::Line values;
        for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
            std::string_view key = take(word, '=');
            if (word.empty() || word.find_first_not_of("0123456789.") != std::string_view::npos)
                continue;
            if (key == "avg10")
                values.avg10 = word;
            else if (key == "avg60")
                values.avg60 = word;
            else if (key == "avg300")
                values.avg300 = word;
            else if (key == "total")
                values.total = number_of(word);
        }
        if (values.avg10.empty() || values.avg60.empty() || values.avg300.empty())
            continue;
        if (kind == "some")
            pressure.some = std::move(values);
        else if (kind == "full")
            pressure.full = std::move(values);
    }
    return pressure.some || pressure.full ? std::optional(std::move(pressure)) : std::nullopt;
}

std::vector<BlockIo> parse_block_io_v1(std::string_view text)
{
    std::vector<BlockIo> entries;
    while (!text.empty()) {
        // 8:0 Read 4096, or 8:0 4096; the last line is Total 4096 (Documentation/admin-guide/cgroup-v1/blkio-controller.rst)
        std::string_view line = take_line(text);
        std::string_view device = take_word(line);
        std::string_view op = take_word(line);
        std::string_view value = take_word(line);
        if (device.find(':') == std::string_view::npos || op.empty())
            continue;
        if (value.empty())
            std::swap(op, value);
        std::string_view major = take(device, ':');
        entries.push_back({number_of(major), number_of(device), std::string(op), number_of(value)});
    }
    return entries;
}

static constexpr const char* io_bytes = "ioServiceBytesRecursive";
static constexpr const char* io_operations = "ioServicedRecursive";

std::map<std::string, std::vector<BlockIo>> parse_io_stat(std::string_view text)
{
    struct Key {
        std::string_view key;
        const char* name;
        const char* op;
    };
    static constexpr Key keys[] = {
        {"rbytes", io_bytes, "Read"},     {"wbytes", io_bytes, "Write"},     {"dbytes", io_bytes, "Discard"},
        {"rios", io_operations, "Read"}, {"wios", io_operations, "Write"}, {"dios", io_operations, "Discard"},
    };
    std::map<std::string, std::vector<BlockIo>> all;
    while (!text.empty()) {
        // 8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0
        std::string_view line = take_line(text);
        std::string_view device = take_word(line);
        std::string_view major = take(device, ':');
        for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
            std::string_view name = take(word, '=');
            for (const Key& key : keys)
                if (key.key == name)
                    all[key.name].push_back({number_of(major), number_of(device), key.op, number_of(word)});
        }
    }
    return all;
}

std::vector<NetworkUse> parse_net_dev(std::string_view text)
{
    std::vector<NetworkUse> interfaces;
    while (!text.empty()) {
        //   eth0: bytes packets errs drop fifo frame compressed multicast bytes packets errs drop ... (man 5 proc)
        std::string_view line = take_line(text);
        size_t colon = line.rfind(':');
        if (colon == std::string_view::npos)
            continue;
        std::string_view name = line.substr(0, colon);
        std::string_view numbers = line.substr(colon + 1);
        uint64_t values[16] = {};
        for (uint64_t& value : values)
            value = number_of(take_word(numbers));
        interfaces.push_back({std::string(take_word(name)), values[0], values[1], values[2], values[3], values[8], values[9], values[10], values[11]});
    }
    return interfaces;
}

std::map<std::string, RdmaUse> parse_rdma(std::string_view current, std::string_view limit)
{
    std::map<std::string, RdmaUse> devices;
    for (bool is_limit : {false, true}) {
        std::string_view text = is_limit ? limit : current;
        while (!text.empty()) {
            // mlx4_0 hca_handle=2 hca_object=2000
            std::string_view line = take_line(text);
            std::string_view device = take_word(line);
            if (device.empty())
                continue;
            RdmaUse& use = devices[std::string(device)];
            for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
                std::string_view key = take(word, '=');
                if (key == "hca_handle")
                    (is_limit ? use.handle_limit : use.handles) = number_of(word);
                else if (key == "hca_object")
                    (is_limit ? use.object_limit : use.objects) = number_of(word);
            }
        }
    }
    return devices;
}

// ---------------------------------------------------------------- files

namespace {

using Cgroups = std::span<const OpenCgroup>;

/// Where that controller's files are. Null: nowhere.
const CgroupDir* dir_of(Cgroups cgroups, std::string_view controller)
{
    const OpenCgroup* found = find_controller(cgroups, controller);
    return found == nullptr ? nullptr : &found->dir;
}
const CgroupDir* v2_of(Cgroups cgroups) { return dir_of(cgroups, {}); }

/// A file that is not there, or no longer, is empty: the kernel may not have that counter, or the cgroup is just being removed.
std::string text_of(const CgroupDir* dir, std::string_view file)
{
    if (dir == nullptr)
        return {};
    Result<std::string> text = dir->read(file);
    return text.has_value() ? std::move(text).value() : std::string();
}

uint64_t number_in(const CgroupDir* dir, std::string_view file) { return number_of(text_of(dir, file)); }

void read_cpu(Stats& stats, Cgroups cgroups)
{
    const CgroupDir* accounts = dir_of(cgroups, "cpuacct");
    if (accounts != nullptr && accounts->version() == 1) {
        stats.cpu_total = number_in(accounts, "cpuacct.usage");
        stats.cpu_user = number_in(accounts, "cpuacct.usage_user");
        stats.cpu_kernel = number_in(accounts, "cpuacct.usage_sys");
        // cpu user system
        std::string all = text_of(accounts, "cpuacct.usage_all");
        std::string_view rest = all;
        take_line(rest);
        while (!rest.empty()) {
            std::string_view line = take_line(rest);
            take_word(line);
            stats.percpu_user.push_back(number_of(take_word(line)));
            stats.percpu_kernel.push_back(number_of(take_word(line)));
            stats.percpu.push_back(stats.percpu_user.back() + stats.percpu_kernel.back());
        }
    } else {
        std::vector<std::pair<std::string, uint64_t>> times = parse_pairs(text_of(accounts, "cpu.stat"));
        stats.cpu_total = value_of(times, "usage_usec") * 1000;
        stats.cpu_user = value_of(times, "user_usec") * 1000;
        stats.cpu_kernel = value_of(times, "system_usec") * 1000;
    }
    std::vector<std::pair<std::string, uint64_t>> quota = parse_pairs(text_of(dir_of(cgroups, "cpu"), "cpu.stat"));
    stats.periods = value_of(quota, "nr_periods");
    stats.throttled_periods = value_of(quota, "nr_throttled");
    stats.throttled_time = value_of(quota, "throttled_time") + value_of(quota, "throttled_usec") * 1000;
    stats.cpu_pressure = parse_pressure(text_of(v2_of(cgroups), "cpu.pressure"));
}

void read_cpuset(Stats& stats, Cgroups cgroups)
{
    const CgroupDir* dir = dir_of(cgroups, "cpuset");
    const bool is_v1 = dir != nullptr && dir->version() == 1;
    stats.cpus = parse_cpu_list(text_of(dir, is_v1 ? "cpuset.cpus" : "cpuset.cpus.effective"));
    stats.mems = parse_cpu_list(text_of(dir, is_v1 ? "cpuset.mems" : "cpuset.mems.effective"));
    if (!is_v1)
        return;
    static constexpr const char* flags[] = {"cpu_exclusive",    "mem_hardwall",       "mem_exclusive",   "memory_migrate",     "memory_spread_page",
                                            "memory_spread_slab", "memory_pressure", "sched_load_balance", "sched_relax_domain_level"};
    for (const char* flag : flags) {
        // sched_relax_domain_level is -1 where nobody has set it.
        Result<long long> value = parse_number(text_of(dir, std::string("cpuset.") + flag));
        stats.cpuset_flags[flag] = value.has_value() ? value.value() : 0;
    }
}

MemoryUse memory_use_v1(const CgroupDir* dir, const std::string& prefix)
{
    return {number_in(dir, prefix + ".limit_in_bytes"), number_in(dir, prefix + ".usage_in_bytes"), number_in(dir, prefix + ".max_usage_in_bytes"),
            number_in(dir, prefix + ".failcnt")};
}

uint64_t sum(uint64_t a, uint64_t b) { return a == unlimited || b == unlimited ? unlimited : a + b; }

void read_memory(Stats& stats, Cgroups cgroups)
{
    const CgroupDir* dir = dir_of(cgroups, "memory");
    stats.memory_pressure = parse_pressure(text_of(v2_of(cgroups), "memory.pressure"));
    stats.memory_raw = parse_pairs(text_of(dir, "memory.stat"));
    if (dir != nullptr && dir->version() == 1) {
        stats.memory = memory_use_v1(dir, "memory");
        stats.swap = memory_use_v1(dir, "memory.memsw");
        stats.kernel = memory_use_v1(dir, "memory.kmem");
        stats.kernel_tcp = memory_use_v1(dir, "memory.kmem.tcp");
        stats.cache = value_of(stats.memory_raw, "total_cache");
        stats.swap_only = {stats.swap.limit >= stats.memory.limit ? stats.swap.limit - stats.memory.limit : 0, value_of(stats.memory_raw, "total_swap"), 0, 0};
        stats.oom_kills = value_of(parse_pairs(text_of(dir, "memory.oom_control")), "oom_kill");
        return;
    }
    std::vector<std::pair<std::string, uint64_t>> events = parse_pairs(text_of(dir, "memory.events"));
    stats.memory = {number_in(dir, "memory.max"), number_in(dir, "memory.current"), number_in(dir, "memory.peak"), value_of(events, "max")};
    stats.swap_only = {number_in(dir, "memory.swap.max"), number_in(dir, "memory.swap.current"), number_in(dir, "memory.swap.peak"),
                       value_of(parse_pairs(text_of(dir, "memory.swap.events")), "fail")};
    // Readers of this document know v1's counter of both together.
    stats.swap = {sum(stats.memory.limit, stats.swap_only.limit), stats.memory.usage + stats.swap_only.usage, 0, stats.swap_only.failcnt};
    stats.kernel.usage = value_of(stats.memory_raw, "kernel");
    stats.cache = value_of(stats.memory_raw, "file");
    stats.oom_kills = value_of(events, "oom_kill");
}

void read_pids(Stats& stats, Cgroups cgroups)
{
    const CgroupDir* dir = dir_of(cgroups, "pids");
    stats.pids = number_in(dir, "pids.current");
    stats.pids_peak = number_in(dir, "pids.peak");
    uint64_t limit = number_in(dir, "pids.max");
    stats.pids_limit = limit == unlimited ? 0 : limit;
}

void read_block_io(Stats& stats, Cgroups cgroups)
{
    const CgroupDir* dir = dir_of(cgroups, "blkio");
    stats.io_pressure = parse_pressure(text_of(v2_of(cgroups), "io.pressure"));
    if (dir == nullptr || dir->version() == 2) {
        stats.block_io = parse_io_stat(text_of(dir, "io.stat"));
        return;
    }
    struct Counter {
        const char* name;
        const char* file;
    };
    static constexpr Counter counters[] = {
        {io_bytes, "io_service_bytes_recursive"}, {io_operations, "io_serviced_recursive"},    {"ioQueueRecursive", "io_queued_recursive"},
        {"ioServiceTimeRecursive", "io_service_time_recursive"}, {"ioWaitTimeRecursive", "io_wait_time_recursive"},
        {"ioMergedRecursive", "io_merged_recursive"}, {"ioTimeRecursive", "time_recursive"}, {"sectorsRecursive", "sectors_recursive"},
    };
    // Which of them count depends on the scheduler of the disk; those of throttling always do.
    static constexpr const char* prefixes[] = {"blkio.bfq.", "blkio.", "blkio.throttle."};
    for (const Counter& counter : counters) {
        for (const char* prefix : prefixes) {
            std::vector<BlockIo> entries = parse_block_io_v1(text_of(dir, std::string(prefix) + counter.file));
            if (entries.empty())
                continue;
            stats.block_io[counter.name] = std::move(entries);
            break;
        }
    }
}

/// The sizes of huge pages as the kernel names them in cgroups: 2MB, 1GB, 64KB.
std::vector<std::string> huge_page_sizes()
{
    std::vector<std::string> sizes;
    DIR* stream = ::opendir("/sys/kernel/mm/hugepages");
    if (stream == nullptr)
        return sizes;
    ScopeExit close_again([&] { ::closedir(stream); });
    while (const dirent* entry = ::readdir(stream)) {
        std::string_view name = entry->d_name;
        if (!name.starts_with("hugepages-") || !name.ends_with("kB"))
            continue;
        uint64_t kilobytes = number_of(name.substr(10, name.size() - 12));
        if (kilobytes >= 1 << 20)
            sizes.push_back(std::to_string(kilobytes >> 20) + "GB");
        else if (kilobytes >= 1 << 10)
            sizes.push_back(std::to_string(kilobytes >> 10) + "MB");
        else
            sizes.push_back(std::to_string(kilobytes) + "KB");
    }
    return sizes;
}

void read_hugetlb(Stats& stats, Cgroups cgroups)
{
    const CgroupDir* dir = dir_of(cgroups, "hugetlb");
    if (dir == nullptr)
        return;
    for (const std::string& size : huge_page_sizes()) {
        std::string prefix = "hugetlb." + size;
        if (dir->has(prefix + ".usage_in_bytes"))
            stats.hugetlb[size] = memory_use_v1(dir, prefix);
        else if (dir->has(prefix + ".current"))
            stats.hugetlb[size] = {number_in(dir, prefix + ".max"), number_in(dir, prefix + ".current"), 0,
                                   value_of(parse_pairs(text_of(dir, prefix + ".events")), "max")};
    }
}

std::string read_proc(const std::string& path)
{
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        return {};
    Result<std::string> text = read_all(file.get(), 16 << 20);
    return text.has_value() ? std::move(text).value() : std::string();
}

/// The interfaces in the network namespace of the process, if that is not ours: those of the host are not its use.
void read_network(Stats& stats, const Target& target)
{
    if (target.pid == 0)
        return;
    const std::string proc = "/proc/" + std::to_string(target.pid);
    struct stat theirs;
    struct stat ours;
    if (::stat((proc + "/ns/net").c_str(), &theirs) < 0 || ::stat("/proc/self/ns/net", &ours) < 0 || (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev))
        return;
    stats.network = parse_net_dev(read_proc(proc + "/net/dev"));
}

}  // namespace

Result<std::optional<Stats>> Stats::read(const Target& target)
{
    const std::vector<OpenCgroup> cgroups = TRY(open_existing(target.locations));
    if (cgroups.empty())
        return std::optional<Stats>();
    Stats stats;
    read_cpu(stats, cgroups);
    read_cpuset(stats, cgroups);
    read_memory(stats, cgroups);
    read_pids(stats, cgroups);
    read_block_io(stats, cgroups);
    read_hugetlb(stats, cgroups);
    if (const CgroupDir* rdma = dir_of(cgroups, "rdma"))
        stats.rdma = parse_rdma(text_of(rdma, "rdma.current"), text_of(rdma, "rdma.max"));
    read_network(stats, target);
    stats.rdt = read_rdt(target.resctrl);
    return std::optional(std::move(stats));
}
