// Turning limits into writes. Units and ranges: runtime-spec config-linux.md "Control groups",
// kernel Documentation/admin-guide/cgroup-v1/ and cgroup-v2.rst.
#include "limit_writes.h"

#include <cmath>

unsigned long long weight_of_shares(unsigned long long shares)
{
    if (shares <= 2)
        return 1;
    if (shares >= 262144)
        return 10000;
    // The line through (2, 1), (1024, 100), (262144, 10000) in logarithms is none; this parabola is what the
    // engines and runtimes have agreed on since 2025, so that the default of one is the default of the other.
    double l = std::log2(static_cast<double>(shares));
    double weight = std::pow(10.0, (l * l + 125 * l) / 612 - 7.0 / 34);
    return static_cast<unsigned long long>(std::ceil(weight - 1e-6));
}

unsigned long long io_weight_of(unsigned long long weight)
{
    if (weight <= 10)
        return 1;
    return weight >= 1000 ? 10000 : 1 + (weight - 10) * 9999 / 990;
}

namespace {

/// Collects the writes; knows where each controller is.
class Writes {
public:
    Writes(std::span<const Directive> directives, const std::vector<Hierarchy>& hierarchies, std::span<const OpenCgroup> present)
        : directives_(directives), hierarchies_(hierarchies), present_(present)
    {
    }

    Result<void> add_memory();
    Result<void> add_cpu();
    Result<void> add_cpuset();
    Result<void> add_pids();
    Result<void> add_blkio();
    Result<void> add_hugetlb();
    Result<void> add_others();
    Result<void> add_unified();
    std::vector<LimitWrite> writes;

private:
    Result<void> add_memory_v1(const Directive* limit, const Directive* swap);
    Result<void> add_memory_v2(const Directive* limit, const Directive* swap);
    const Directive* find(std::string_view name) const
    {
        for (size_t i = directives_.size(); i > 0; i--)
            if (directives_[i - 1].is(name))
                return &directives_[i - 1];
        return nullptr;
    }
    /// Like find(), but a number of zero counts as not there.
    const Directive* find_limit(std::string_view name) const
    {
        const Directive* directive = find(name);
        return directive != nullptr && (*directive)[0] == "0" ? nullptr : directive;
    }
    /// v1 hierarchies are looked at first: on a hybrid host a controller is in one of both.
    int version_of(std::string_view controller) const
    {
        int version = 0;
        for (const Hierarchy& hierarchy : hierarchies_) {
            if (hierarchy.version == 1 && hierarchy.has_controller(controller))
                return 1;
            if (hierarchy.version == 2)
                version = 2;
        }
        return version;
    }
    bool is_v1(std::string_view controller) const { return version_of(controller) == 1; }
    /// What a file of v2 says now; empty: the cgroup is new, or has no such file.
    Result<std::string> present_value(std::string_view file) const
    {
        const OpenCgroup* v2 = find_controller(present_, {});
        return v2 == nullptr ? std::string() : TRY(v2->dir.read_if_exists(file)).value_or("");
    }
    /// As a number; none: no limit is known.
    Result<std::optional<unsigned long long>> present_number(std::string_view file) const
    {
        Result<unsigned long long> number = parse_unsigned(TRY(present_value(file)));
        return number.has_value() ? std::optional(number.value()) : std::nullopt;
    }
    LimitWrite& add(std::string_view controller, std::string file, std::string value, const Directive& from)
    {
        writes.push_back({controller, version_of(controller), std::move(file), std::move(value), from.pointer});
        return writes.back();
    }
    /// For what only v1 has.
    Result<void> add_v1(std::string_view controller, std::string file, std::string_view name, std::string_view on_v1, const Directive* directive)
    {
        if (directive == nullptr)
            return {};
        if (!is_v1(controller))
            return Error{std::string(name) + " exists on cgroup v1 only; the controller '" + std::string(on_v1) + "' is not mounted there"}.with_pointer(
                directive->pointer);
        add(controller, std::move(file), std::string((*directive)[0]), *directive);
        return {};
    }

    std::span<const Directive> directives_;
    const std::vector<Hierarchy>& hierarchies_;
    std::span<const OpenCgroup> present_;
};

bool is_true(const Directive* directive) { return directive != nullptr && (*directive)[0] == "true"; }

/// v2 says "max" where v1 and the specification say -1.
std::string max_or(std::string_view number) { return number == "-1" ? "max" : std::string(number); }

std::string device_number(const Directive& directive, size_t field) { return std::string(directive[field]) + ":" + std::string(directive[field + 1]); }

Result<unsigned long long> number_in(const Directive& directive, size_t field)
{
    return parse_unsigned(directive[field]).with_pointer(directive.pointer);
}

/// The specification's range is checked where the number is converted: the kernel never sees it.
Result<std::string> io_weight_in(const Directive& directive, size_t field)
{
    unsigned long long weight = TRY(number_in(directive, field));
    if (weight < 10 || weight > 1000)
        return Error{"weight '" + std::string(directive[field]) + "': expected 10 to 1000", 0, std::string(directive.pointer)};
    return std::to_string(io_weight_of(weight));
}

Result<void> Writes::add_memory_v1(const Directive* limit, const Directive* swap)
{
    // memsw never may be below the limit: growing starts with memsw, shrinking with the limit.
    if (limit != nullptr)
        add("memory", "memory.limit_in_bytes", std::string((*limit)[0]), *limit).depends_on_others = true;
    if (swap == nullptr && limit != nullptr && (*limit)[0] == "-1")
        swap = limit;
    if (swap != nullptr) {
        LimitWrite& write = add("memory", "memory.memsw.limit_in_bytes", std::string((*swap)[0]), *swap);
        write.is_optional = (*swap)[0] == "-1";
        write.depends_on_others = true;
    }
    return {};
}

/// The specification (and v1) count memory and swap together, v2 counts swap alone.
Result<void> Writes::add_memory_v2(const Directive* limit, const Directive* swap)
{
    const bool check = is_true(find("cgroup.memory.check-before-update"));
    std::optional<unsigned long long> memory;  // the limit that will be in force
    if (limit != nullptr) {
        LimitWrite& write = add("memory", "memory.max", max_or((*limit)[0]), *limit);
        if ((*limit)[0] != "-1")
            memory = TRY(number_in(*limit, 0));
        if (check && memory) {
            write.usage_file = "memory.current";
            write.limit = *memory;
        }
    } else if (swap != nullptr) {
        memory = TRY(present_number("memory.max"));
    }

    std::optional<unsigned long long> together;
    const Directive* from = swap;
    if (swap != nullptr) {
        if ((*swap)[0] == "-1")
            add("memory", "memory.swap.max", "max", *swap).is_optional = true;
        else
            together = TRY(number_in(*swap, 0));
    } else if (limit != nullptr && !memory && !present_.empty()) {
        add("memory", "memory.swap.max", "max", *limit).is_optional = true;
    } else if (memory) {
        // A new limit of memory alone leaves that of both together as it is, as on v1.
        std::optional<unsigned long long> old_memory = TRY(present_number("memory.max"));
        std::optional<unsigned long long> old_swap = TRY(present_number("memory.swap.max"));
        if (old_memory && old_swap)
            together = *old_memory + *old_swap;
        from = limit;
    }
    if (!together)
        return {};
    if (!memory)
        return Error{"a limit of memory and swap together needs a limit of memory", 0, std::string(from->pointer)};
    if (*together < *memory)
        return Error{"memory and swap together ('" + std::to_string(*together) + "') is less than the memory limit ('" + std::to_string(*memory) + "')", 0,
                     std::string(from->pointer)};
    LimitWrite& write = add("memory", "memory.swap.max", std::to_string(*together - *memory), *from);
    if (check) {
        write.usage_file = "memory.current";
        write.limit = *together;
    }
    return {};
}

Result<void> Writes::add_memory()
{
    const Directive* limit = find_limit("cgroup.memory.limit");
    const Directive* swap = find_limit("cgroup.memory.swap");
    TRY(is_v1("memory") ? add_memory_v1(limit, swap) : add_memory_v2(limit, swap));
    if (const Directive* reservation = find_limit("cgroup.memory.reservation")) {
        if (is_v1("memory"))
            add("memory", "memory.soft_limit_in_bytes", std::string((*reservation)[0]), *reservation);
        else
            add("memory", "memory.low", max_or((*reservation)[0]), *reservation);
    }
    // `cgroup.memory.kernel` is passed over: Linux 5.16 took that limit away and counts kernel memory with
    // the rest, as v2 always did; older kernels are known to misbehave with it.
    TRY(add_v1("memory", "memory.kmem.tcp.limit_in_bytes", "a limit of TCP memory", "memory", find_limit("cgroup.memory.kernel-tcp")));
    TRY(add_v1("memory", "memory.swappiness", "swappiness", "memory", find("cgroup.memory.swappiness")));
    const Directive* oom = find("cgroup.memory.disable-oom-killer");
    if (is_true(oom) || (oom != nullptr && is_v1("memory") && !present_.empty())) {
        TRY(add_v1("memory", "memory.oom_control", "disabling the OOM killer", "memory", oom));
        writes.back().value = is_true(oom) ? "1" : "0";
    }
    // v2 is hierarchical, v1 too since Linux 5.11; before it a cgroup below the root has to be told, once.
    const Directive* hierarchy = find("cgroup.memory.use-hierarchy");
    if (is_true(hierarchy) && is_v1("memory"))
        add("memory", "memory.use_hierarchy", "1", *hierarchy);
    return {};
}

Result<void> Writes::add_cpu()
{
    const Directive* quota = find_limit("cgroup.cpu.quota");
    const Directive* period = find_limit("cgroup.cpu.period");
    const Directive* idle = find("cgroup.cpu.idle");
    if (const Directive* shares = find_limit("cgroup.cpu.shares")) {
        // An idle cgroup has no weight, and the kernel refuses one.
        if (is_v1("cpu"))
            add("cpu", "cpu.shares", std::string((*shares)[0]), *shares).depends_on_others = true;
        else if (idle == nullptr || (*idle)[0] != "1")
            add("cpu", "cpu.weight", std::to_string(weight_of_shares(TRY(number_in(*shares, 0)))), *shares).depends_on_others = true;
    }
    // The kernel looks at quota, period and burst together: a burst is at most a quota, and the quota of a child in its
    // period at most that of its parent.
    if (is_v1("cpu")) {
        if (period != nullptr)
            add("cpu", "cpu.cfs_period_us", std::string((*period)[0]), *period).depends_on_others = true;
        if (quota != nullptr)
            add("cpu", "cpu.cfs_quota_us", std::string((*quota)[0]), *quota).depends_on_others = true;
    } else if (quota != nullptr || period != nullptr) {
        std::string value = "max";
        if (quota != nullptr && !(*quota)[0].starts_with('-'))
            value = (*quota)[0];
        // Without a period the kernel keeps its own; without a quota one has to be said.
        if (std::string present = quota == nullptr ? TRY(present_value("cpu.max")) : ""; !present.empty())
            value = present.substr(0, present.find(' '));
        if (period != nullptr)
            value += " " + std::string((*period)[0]);
        add("cpu", "cpu.max", value, quota != nullptr ? *quota : *period).depends_on_others = true;
    }
    if (const Directive* burst = find("cgroup.cpu.burst")) {
        LimitWrite& write = add("cpu", is_v1("cpu") ? "cpu.cfs_burst_us" : "cpu.max.burst", std::string((*burst)[0]), *burst);
        write.depends_on_others = true;
        write.is_optional = (*burst)[0] == "0";
    }
    const size_t before = writes.size();
    TRY(add_v1("cpu", "cpu.rt_period_us", "a real-time period", "cpu", find_limit("cgroup.cpu.realtime-period")));
    TRY(add_v1("cpu", "cpu.rt_runtime_us", "a real-time runtime", "cpu", find_limit("cgroup.cpu.realtime-runtime")));
    for (size_t i = before; i < writes.size(); i++)
        writes[i].depends_on_others = true;
    if (idle != nullptr)
        add("cpu", "cpu.idle", std::string((*idle)[0]), *idle).is_optional = (*idle)[0] == "0";
    return {};
}

Result<void> Writes::add_cpuset()
{
    for (const char* what : {"cpus", "mems"}) {
        const Directive* list = find(std::string("cgroup.cpuset.") + what);
        if (list != nullptr && !(*list)[0].empty())
            add("cpuset", std::string("cpuset.") + what, std::string((*list)[0]), *list);
    }
    return {};
}

Result<void> Writes::add_pids()
{
    if (const Directive* limit = find("cgroup.pids.limit"))
        add("pids", "pids.max", (*limit)[0] == "0" ? "1" : max_or((*limit)[0]), *limit);
    return {};
}

Result<void> Writes::add_blkio()
{
    // v2 calls the controller io. Weights belong to the BFQ scheduler where the kernel has it (blkio.weight
    // went with CFQ in Linux 5.0), else to v2's cost model with another range.
    bool v1 = is_v1("blkio");
    std::string_view controller = v1 ? "blkio" : "io";
    if (const Directive* weight = find_limit("cgroup.blkio.weight")) {
        LimitWrite& write = add(controller, v1 ? "blkio.weight" : "io.bfq.weight", std::string((*weight)[0]), *weight);
        write.other_file = v1 ? "blkio.bfq.weight" : "io.weight";
        write.other_value = v1 ? write.value : TRY(io_weight_in(*weight, 0));
    }
    TRY(add_v1("blkio", "blkio.leaf_weight", "a leaf weight", "blkio", find_limit("cgroup.blkio.leaf-weight")));
    for (const Directive& directive : directives_) {
        if (directive.is("cgroup.blkio.weight-device")) {
            std::string key = device_number(directive, 0);
            std::string device = key + " ";
            if (!directive[2].empty() && directive[2] != "0") {
                LimitWrite& write = add(controller, v1 ? "blkio.weight_device" : "io.bfq.weight", device + std::string(directive[2]), directive);
                write.key = key;
                write.reset = device + "default";
                write.other_file = v1 ? "blkio.bfq.weight_device" : "io.weight";
                write.other_value = device + (v1 ? std::string(directive[2]) : TRY(io_weight_in(directive, 2)));
            }
            if (!directive[3].empty() && directive[3] != "0") {
                if (!v1)
                    return Error{"a leaf weight exists on cgroup v1 only", 0, std::string(directive.pointer)};
                LimitWrite& write = add(controller, "blkio.leaf_weight_device", device + std::string(directive[3]), directive);
                write.key = key;
                write.reset = device + "default";
            }
        } else if (directive.is("cgroup.blkio.throttle")) {
            struct Kind {
                std::string_view name;
                const char* v1_file;
                const char* v2_key;
            };
            static constexpr Kind kinds[] = {{"read-bps", "blkio.throttle.read_bps_device", "rbps"},
                                             {"write-bps", "blkio.throttle.write_bps_device", "wbps"},
                                             {"read-iops", "blkio.throttle.read_iops_device", "riops"},
                                             {"write-iops", "blkio.throttle.write_iops_device", "wiops"}};
            const Kind* kind = nullptr;
            for (const Kind& candidate : kinds)
                if (candidate.name == directive[0])
                    kind = &candidate;
            if (kind == nullptr)
                return Error{"throttle '" + std::string(directive[0]) + "': expected read-bps, write-bps, read-iops or write-iops", 0,
                             std::string(directive.pointer)};
            std::string key = device_number(directive, 1);
            // 0 lifts the limit on v1; v2 says max.
            std::string rate = directive[3] == "0" && !v1 ? "max" : std::string(directive[3]);
            std::string start = v1 ? "" : kind->v2_key + std::string("=");
            LimitWrite& write = add(controller, v1 ? kind->v1_file : "io.max", key + " " + start + rate, directive);
            write.key = key;
            write.reset = key + " " + start + (v1 ? "0" : "max");
        }
    }
    return {};
}

/// Page sizes name files: digits and KB, MB or GB, nothing else.
bool is_page_size(std::string_view text)
{
    size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    std::string_view unit = text.substr(digits);
    return digits > 0 && digits < 8 && (unit == "KB" || unit == "MB" || unit == "GB");
}

Result<void> Writes::add_hugetlb()
{
    for (const Directive& directive : directives_) {
        if (!directive.is("cgroup.hugetlb"))
            continue;
        if (!is_page_size(directive[0]))
            return Error{"page size '" + std::string(directive[0]) + "': expected a number with KB, MB or GB", 0, std::string(directive.pointer)};
        std::string start = "hugetlb." + std::string(directive[0]) + ".";
        bool v1 = is_v1("hugetlb");
        const char* end = v1 ? "limit_in_bytes" : "max";
        std::string value = v1 ? std::string(directive[1]) : max_or(directive[1]);
        add("hugetlb", start + end, value, directive);
        // Reservations (mmap without a touch) are counted apart since Linux 5.7.
        add("hugetlb", start + "rsvd." + end, value, directive).is_optional = true;
    }
    return {};
}

Result<void> Writes::add_others()
{
    TRY(add_v1("net_cls", "net_cls.classid", "a network class", "net_cls", find_limit("cgroup.network.class-id")));
    for (const Directive& directive : directives_) {
        if (directive.is("cgroup.network.priority")) {
            TRY(add_v1("net_prio", "net_prio.ifpriomap", "a network priority", "net_prio", &directive));
            writes.back().value += " " + std::string(directive[1]);
            writes.back().key = directive[0];
            writes.back().reset = std::string(directive[0]) + " 0";
        } else if (directive.is("cgroup.rdma")) {
            std::string value(directive[0]);
            if (!directive[1].empty())
                value += " hca_handle=" + std::string(directive[1]);
            if (!directive[2].empty())
                value += " hca_object=" + std::string(directive[2]);
            LimitWrite& write = add("rdma", "rdma.max", value, directive);
            write.key = directive[0];
            write.reset = std::string(directive[0]) + " hca_handle=max hca_object=max";
        }
    }
    return {};
}

Result<void> Writes::add_unified()
{
    bool has_v2 = false;
    for (const Hierarchy& hierarchy : hierarchies_)
        has_v2 = has_v2 || hierarchy.version == 2;
    for (const Directive& directive : directives_) {
        if (!directive.is("cgroup.unified"))
            continue;
        std::string_view file = directive[0];
        if (file.empty() || file.find('/') != std::string_view::npos || file.find('.') == std::string_view::npos || file == "." || file == "..")
            return Error{"'" + std::string(file) + "' is not the name of a file in a cgroup", 0, std::string(directive.pointer)};
        if (!has_v2)
            return Error{"'" + std::string(file) + "' needs cgroup v2, which is not mounted", 0, std::string(directive.pointer)};
        std::string_view controller = file.substr(0, file.find('.'));
        if (controller == "cgroup")
            controller = {};
        // Files with a line for each device take one line at a time.
        for (std::string_view rest = directive[1];;) {
            size_t newline = rest.find('\n');
            writes.push_back({controller, 2, std::string(file), std::string(rest.substr(0, newline)), directive.pointer});
            if (newline == std::string_view::npos || newline + 1 == rest.size())
                break;
            rest.remove_prefix(newline + 1);
        }
    }
    return {};
}

}  // namespace

bool belongs_to(const LimitWrite& write, const CgroupLocation& location)
{
    return write.version == location.version && (location.version == 2 || location.has_controller(write.controller));
}

Result<std::vector<LimitWrite>> limit_writes(std::span<const Directive> directives, const std::vector<Hierarchy>& hierarchies,
                                             std::span<const OpenCgroup> present)
{
    Writes all(directives, hierarchies, present);
    TRY(all.add_memory());
    TRY(all.add_cpu());
    TRY(all.add_cpuset());
    TRY(all.add_pids());
    TRY(all.add_blkio());
    TRY(all.add_hugetlb());
    TRY(all.add_others());
    TRY(all.add_unified());
    for (const LimitWrite& write : all.writes)
        if (write.version == 0)
            return Error{"no cgroup hierarchy has the controller '" + std::string(write.controller) + "'", 0, std::string(write.where)};
    return std::move(all.writes);
}
