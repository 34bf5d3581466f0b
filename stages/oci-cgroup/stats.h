// What a cgroup uses and may use: read from its files, written as a document.
#pragma once

#include "cgroup/cgroup.h"
#include "result/result.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

/// A limit that is not there.
inline constexpr uint64_t unlimited = UINT64_MAX;

/// Whose use is measured: a cgroup in its hierarchies, and where known a process in it (for its network)
/// and its groups of resctrl.
struct Target {
    std::string name;
    pid_t pid = 0;  ///< 0: not known
    unsigned long long start_time = 0;
    std::vector<CgroupLocation> locations;
    std::string resctrl;  ///< the group's directory; empty: none
};

/// Pressure stall information (Documentation/accounting/psi.rst); averages as the kernel writes them.
struct Pressure {
    struct Line {
        std::string avg10, avg60, avg300;
        uint64_t total = 0;
    };
    std::optional<Line> some;
    std::optional<Line> full;
};

struct MemoryUse {
    uint64_t limit = 0, usage = 0, max = 0, failcnt = 0;
};

struct BlockIo {
    uint64_t major = 0, minor = 0;
    std::string op;
    uint64_t value = 0;
};

struct NetworkUse {
    std::string name;
    uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0;
    uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0;
};

struct RdmaUse {
    uint64_t handles = 0, objects = 0, handle_limit = unlimited, object_limit = unlimited;
};

/// Of resctrl (Documentation/arch/x86/resctrl.rst). Empty: the host or the container has no such thing.
struct RdtUse {
    struct Domain {
        std::map<std::string, uint64_t> counters;  ///< llc_occupancy, mbm_total_bytes, mbm_local_bytes
    };
    std::map<std::string, std::string> l3_info;  ///< cbm_mask, min_cbm_bits, num_closids
    std::map<std::string, std::string> mb_info;  ///< bandwidth_gran, delay_linear, min_bandwidth, num_closids
    std::string l3_root, l3, mb_root, mb;        ///< schemata lines
    std::vector<Domain> domains;
};

/// A moment's use. What the host does not count is 0 or empty.
struct Stats {
    // Times of the processor in nanoseconds.
    uint64_t cpu_total = 0, cpu_user = 0, cpu_kernel = 0;
    std::vector<uint64_t> percpu, percpu_user, percpu_kernel;
    uint64_t periods = 0, throttled_periods = 0, throttled_time = 0;
    std::optional<Pressure> cpu_pressure, memory_pressure, io_pressure;

    std::vector<unsigned> cpus, mems;
    std::map<std::string, int64_t> cpuset_flags;  ///< v1: cpu_exclusive and so on

    MemoryUse memory, swap /* memory and swap together */, swap_only, kernel, kernel_tcp;
    uint64_t cache = 0, oom_kills = 0;
    std::vector<std::pair<std::string, uint64_t>> memory_raw;  ///< memory.stat

    uint64_t pids = 0, pids_limit = 0 /* 0: none */, pids_peak = 0;

    std::map<std::string, std::vector<BlockIo>> block_io;  ///< by its name in the document
    std::map<std::string, MemoryUse> hugetlb;              ///< by page size
    std::map<std::string, RdmaUse> rdma;                   ///< by device
    std::vector<NetworkUse> network;
    std::optional<RdtUse> rdt;

    /// Reads the files of `target`'s cgroups. Nothing: it is gone from all hierarchies.
    static Result<std::optional<Stats>> read(const Target& target);
};

/// The document that engines know from runc's `events` (its `data`), with what we count beyond: one line of JSON.
std::string stats_json(const Stats& stats);
/// The same as lines `memory.usage.limit VALUE`; a limit that is not there is `max`.
std::string stats_text(const Stats& stats);

// What stands in the files; pure, for tests.
std::vector<unsigned> parse_cpu_list(std::string_view text);                                 ///< `0-2,7`
std::optional<Pressure> parse_pressure(std::string_view text);                               ///< cpu.pressure
std::vector<BlockIo> parse_block_io_v1(std::string_view text);                               ///< blkio.throttle.io_serviced
std::map<std::string, std::vector<BlockIo>> parse_io_stat(std::string_view text);            ///< io.stat
std::vector<NetworkUse> parse_net_dev(std::string_view text);                                ///< /proc/PID/net/dev
std::map<std::string, RdmaUse> parse_rdma(std::string_view current, std::string_view limit);  ///< rdma.current, rdma.max
std::vector<std::pair<std::string, uint64_t>> parse_pairs(std::string_view text);            ///< `key value` lines
