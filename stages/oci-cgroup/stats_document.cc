// The document that statistics are written as.
#include "document.h"
#include "stats.h"

static void write_pressure(Document& document, const std::optional<Pressure>& pressure)
{
    if (!pressure)
        return;
    document.open("psi");
    for (bool is_full : {false, true}) {
        const std::optional<Pressure::Line>& line = is_full ? pressure->full : pressure->some;
        if (!line)
            continue;
        document.open(is_full ? "full" : "some");
        document.literal("avg10", line->avg10);
        document.literal("avg60", line->avg60);
        document.literal("avg300", line->avg300);
        document.number("total", line->total);
        document.close();
    }
    document.close();
}

static void write_memory_use(Document& document, std::string_view key, const MemoryUse& use)
{
    document.open(key);
    document.number("limit", use.limit);
    document.number("usage", use.usage);
    document.number("max", use.max);
    document.number("failcnt", use.failcnt);
    document.close();
}

static void write_cpu(Document& document, const Stats& stats)
{
    document.open("cpu");
    document.open("usage");
    document.number("total", stats.cpu_total);
    document.number("kernel", stats.cpu_kernel);
    document.number("user", stats.cpu_user);
    if (!stats.percpu.empty()) {
        document.numbers("percpu", stats.percpu);
        document.numbers("percpu_kernel", stats.percpu_kernel);
        document.numbers("percpu_user", stats.percpu_user);
    }
    document.close();
    document.open("throttling");
    document.number("periods", stats.periods);
    document.number("throttledPeriods", stats.throttled_periods);
    document.number("throttledTime", stats.throttled_time);
    document.close();
    write_pressure(document, stats.cpu_pressure);
    document.close();
}

static void write_memory(Document& document, const Stats& stats)
{
    document.open("memory");
    document.number("cache", stats.cache);
    write_memory_use(document, "usage", stats.memory);
    write_memory_use(document, "swap", stats.swap);
    write_memory_use(document, "swap_only", stats.swap_only);
    write_memory_use(document, "kernel", stats.kernel);
    write_memory_use(document, "kernelTCP", stats.kernel_tcp);
    document.number("oom_kill", stats.oom_kills);
    document.open("raw");
    for (const auto& [key, value] : stats.memory_raw)
        document.number(key, value);
    document.close();
    write_pressure(document, stats.memory_pressure);
    document.close();
}

static void write_block_io(Document& document, const Stats& stats)
{
    document.open("blkio");
    for (const auto& [name, entries] : stats.block_io) {
        document.open_array(name);
        for (const BlockIo& entry : entries) {
            std::string device = std::to_string(entry.major) + ":" + std::to_string(entry.minor);
            if (document.form() == Document::Form::lines) {
                document.number(device + (entry.op.empty() ? "" : "." + entry.op), entry.value);
                continue;
            }
            document.open_element(device);
            document.number("major", entry.major);
            document.number("minor", entry.minor);
            if (!entry.op.empty())
                document.text("op", entry.op);
            document.number("value", entry.value);
            document.close();
        }
        document.close();
    }
    write_pressure(document, stats.io_pressure);
    document.close();
}

static void write_rdt(Document& document, const Stats& stats)
{
    document.open("intel_rdt");
    if (stats.rdt) {
        const RdtUse& rdt = *stats.rdt;
        auto write_info = [&](std::string_view key, const std::map<std::string, std::string>& info) {
            if (info.empty())
                return;
            document.open(key);
            for (const auto& [name, value] : info) {
                // The mask alone is hexadecimal.
                if (name == "cbm_mask")
                    document.text(name, value);
                else
                    document.literal(name, value);
            }
            document.close();
        };
        auto write_schema = [&](std::string_view key, const std::string& schema) {
            if (!schema.empty())
                document.text(key, schema);
        };
        write_info("l3_cache_info", rdt.l3_info);
        write_schema("l3_cache_schema_root", rdt.l3_root);
        write_schema("l3_cache_schema", rdt.l3);
        write_info("mem_bw_info", rdt.mb_info);
        write_schema("mem_bw_schema_root", rdt.mb_root);
        write_schema("mem_bw_schema", rdt.mb);
        struct Group {
            const char* key;
            std::vector<const char*> counters;
        };
        for (const Group& group : {Group{"mbm_stats", {"mbm_total_bytes", "mbm_local_bytes"}}, Group{"cmt_stats", {"llc_occupancy"}}}) {
            bool counted = false;
            for (const RdtUse::Domain& domain : rdt.domains)
                for (const char* counter : group.counters)
                    counted = counted || domain.counters.contains(counter);
            if (!counted)
                continue;
            document.open_array(group.key);
            size_t index = 0;
            for (const RdtUse::Domain& domain : rdt.domains) {
                document.open_element(std::to_string(index++));
                for (const char* counter : group.counters)
                    if (auto found = domain.counters.find(counter); found != domain.counters.end())
                        document.number(counter, found->second);
                document.close();
            }
            document.close();
        }
    }
    document.close();
}

static void write_network(Document& document, const Stats& stats)
{
    document.open_array("network_interfaces");
    for (const NetworkUse& use : stats.network) {
        document.open_element(use.name);
        if (document.form() == Document::Form::json)
            document.text("Name", use.name);
        document.number("RxBytes", use.rx_bytes);
        document.number("RxPackets", use.rx_packets);
        document.number("RxErrors", use.rx_errors);
        document.number("RxDropped", use.rx_dropped);
        document.number("TxBytes", use.tx_bytes);
        document.number("TxPackets", use.tx_packets);
        document.number("TxErrors", use.tx_errors);
        document.number("TxDropped", use.tx_dropped);
        document.close();
    }
    document.close();
}

/// The keys are those that readers of runc's events know (engine-facing: a changed name is a lost number);
/// swap_only, oom_kill, peak and rdma are ours.
static std::string write_stats(const Stats& stats, Document::Form form)
{
    Document document(form);
    write_cpu(document, stats);
    document.open("cpuset");
    document.numbers("cpus", stats.cpus);
    document.numbers("mems", stats.mems);
    for (const auto& [key, value] : stats.cpuset_flags)
        document.number(key, value);
    document.close();
    write_memory(document, stats);
    document.open("pids");
    document.number("current", stats.pids);
    if (stats.pids_limit != 0)
        document.number("limit", stats.pids_limit);
    document.number("peak", stats.pids_peak);
    document.close();
    write_block_io(document, stats);
    document.open("hugetlb");
    for (const auto& [size, use] : stats.hugetlb)
        write_memory_use(document, size, use);
    document.close();
    document.open("rdma");
    for (const auto& [device, use] : stats.rdma) {
        document.open(device);
        document.number("hca_handle", use.handles);
        document.number("hca_object", use.objects);
        document.number("hca_handle_limit", use.handle_limit);
        document.number("hca_object_limit", use.object_limit);
        document.close();
    }
    document.close();
    write_rdt(document, stats);
    write_network(document, stats);
    return std::move(document).finish();
}

std::string stats_json(const Stats& stats) { return write_stats(stats, Document::Form::json); }
std::string stats_text(const Stats& stats) { return write_stats(stats, Document::Form::lines); }
