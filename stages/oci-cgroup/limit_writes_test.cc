// Each limit lands in the right file with the right value, on v1 and on v2.
#include "limit_writes.h"

#include <doctest/doctest.h>

static const std::vector<Hierarchy> v2{{2, "", "/sys/fs/cgroup", "/"}};
static const std::vector<Hierarchy> v1{{1, "cpu,cpuacct", "/c/cpu", "/"}, {1, "memory", "/c/memory", "/"}, {1, "pids", "/c/pids", "/"},
                                       {1, "cpuset", "/c/cpuset", "/"},   {1, "blkio", "/c/blkio", "/"},   {1, "net_cls,net_prio", "/c/net", "/"}};
static const std::vector<Hierarchy> hybrid{{1, "memory", "/c/memory", "/"}, {2, "", "/c/unified", "/"}};

/// `lines`: `NAME FIELDS` as in a plan, without the pointer, which is "/NAME".
static std::string writes_of(const std::vector<Hierarchy>& hierarchies, std::initializer_list<std::vector<std::string>> lines)
{
    PlanWriter writer;
    for (const std::vector<std::string>& line : lines)
        writer.add(line[0], "/" + line[0], std::span<const std::string>(line).subspan(1));
    Plan plan = Plan::parse(std::move(writer).finish(), "cgroup").value();
    Result<std::vector<LimitWrite>> writes = limit_writes(plan.directives(), hierarchies);
    if (!writes.has_value())
        return writes.error().message();
    std::string text;
    for (const LimitWrite& write : writes.value()) {
        CHECK(write.where.starts_with("/cgroup."));
        text += write.file + "=" + write.value;
        if (!write.other_file.empty())
            text += "|" + write.other_file + "=" + write.other_value;
        text += write.is_optional ? "?;" : ";";
    }
    return text;
}

TEST_CASE("memory: v1 takes the numbers as they are")
{
    CHECK(writes_of(v1, {{"cgroup.memory.limit", "1000"}}) == "memory.limit_in_bytes=1000;");
    CHECK(writes_of(v1, {{"cgroup.memory.limit", "1000"}, {"cgroup.memory.swap", "1500"}, {"cgroup.memory.reservation", "500"}}) ==
          "memory.limit_in_bytes=1000;memory.memsw.limit_in_bytes=1500;memory.soft_limit_in_bytes=500;");
    CHECK(writes_of(v1, {{"cgroup.memory.swappiness", "0"}}) == "memory.swappiness=0;");
    CHECK(writes_of(v1, {{"cgroup.memory.disable-oom-killer", "true"}}) == "memory.oom_control=1;");
    CHECK(writes_of(v1, {{"cgroup.memory.disable-oom-killer", "false"}}) == "");
    CHECK(writes_of(v1, {{"cgroup.memory.limit", "-1"}}) == "memory.limit_in_bytes=-1;memory.memsw.limit_in_bytes=-1?;");
}

TEST_CASE("memory: v2 counts swap alone and says max for unlimited")
{
    CHECK(writes_of(v2, {{"cgroup.memory.limit", "1000"}, {"cgroup.memory.swap", "1500"}, {"cgroup.memory.reservation", "500"}}) ==
          "memory.max=1000;memory.swap.max=500;memory.low=500;");
    CHECK(writes_of(v2, {{"cgroup.memory.limit", "1000"}, {"cgroup.memory.swap", "1000"}}) == "memory.max=1000;memory.swap.max=0;");
    CHECK(writes_of(v2, {{"cgroup.memory.limit", "-1"}, {"cgroup.memory.swap", "-1"}, {"cgroup.memory.reservation", "-1"}}) ==
          "memory.max=max;memory.swap.max=max?;memory.low=max;");
    CHECK(writes_of(v2, {{"cgroup.memory.limit", "1000"}, {"cgroup.memory.swap", "999"}}) ==
          "/cgroup.memory.swap: memory and swap together ('999') is less than the memory limit ('1000')");
    CHECK(writes_of(v2, {{"cgroup.memory.swap", "999"}}) == "/cgroup.memory.swap: a limit of memory and swap together needs a limit of memory");
}

TEST_CASE("what only v1 has is refused on v2, with the property's pointer")
{
    CHECK(writes_of(v2, {{"cgroup.memory.swappiness", "10"}}).starts_with("/cgroup.memory.swappiness: swappiness exists on cgroup v1 only"));
    CHECK(writes_of(v2, {{"cgroup.memory.disable-oom-killer", "true"}}).starts_with("/cgroup.memory.disable-oom-killer: "));
    CHECK(writes_of(v2, {{"cgroup.memory.disable-oom-killer", "false"}, {"cgroup.memory.use-hierarchy", "true"}}) == "");
    CHECK(writes_of(v2, {{"cgroup.cpu.realtime-runtime", "10"}}).starts_with("/cgroup.cpu.realtime-runtime: "));
    CHECK(writes_of(v2, {{"cgroup.network.class-id", "10"}}).starts_with("/cgroup.network.class-id: "));
}

TEST_CASE("zero leaves a limit as it is, but for pids, where it is the least")
{
    for (const std::vector<Hierarchy>& hierarchies : {v1, v2}) {
        CHECK(writes_of(hierarchies, {{"cgroup.memory.limit", "0"}, {"cgroup.memory.swap", "0"}, {"cgroup.memory.reservation", "0"}}) == "");
        CHECK(writes_of(hierarchies, {{"cgroup.cpu.shares", "0"}, {"cgroup.cpu.quota", "0"}, {"cgroup.cpu.period", "0"}}) == "");
        CHECK(writes_of(hierarchies, {{"cgroup.blkio.weight", "0"}, {"cgroup.cpuset.cpus", ""}}) == "");
        CHECK(writes_of(hierarchies, {{"cgroup.pids.limit", "0"}}) == "pids.max=1;");
    }
}

TEST_CASE("cpu: shares, quota, period, burst and idle")
{
    CHECK(writes_of(v1, {{"cgroup.cpu.shares", "512"}, {"cgroup.cpu.quota", "50000"}, {"cgroup.cpu.period", "100000"}, {"cgroup.cpu.burst", "10"}}) ==
          "cpu.shares=512;cpu.cfs_period_us=100000;cpu.cfs_quota_us=50000;cpu.cfs_burst_us=10;");
    CHECK(writes_of(v2, {{"cgroup.cpu.shares", "1024"}, {"cgroup.cpu.quota", "50000"}, {"cgroup.cpu.period", "100000"}, {"cgroup.cpu.burst", "10"}}) ==
          "cpu.weight=100;cpu.max=50000 100000;cpu.max.burst=10;");
    CHECK(writes_of(v2, {{"cgroup.cpu.quota", "50000"}}) == "cpu.max=50000;");
    CHECK(writes_of(v2, {{"cgroup.cpu.quota", "-1"}, {"cgroup.cpu.period", "5000"}}) == "cpu.max=max 5000;");
    CHECK(writes_of(v2, {{"cgroup.cpu.period", "5000"}}) == "cpu.max=max 5000;");
    CHECK(writes_of(v2, {{"cgroup.cpu.shares", "1024"}, {"cgroup.cpu.idle", "1"}}) == "cpu.idle=1;");
    CHECK(writes_of(v1, {{"cgroup.cpu.realtime-period", "1000"}, {"cgroup.cpu.realtime-runtime", "900"}}) == "cpu.rt_period_us=1000;cpu.rt_runtime_us=900;");
}

TEST_CASE("shares become a weight by a formula that keeps least, default and most")
{
    CHECK(weight_of_shares(0) == 1);
    CHECK(weight_of_shares(2) == 1);
    CHECK(weight_of_shares(1024) == 100);
    CHECK(weight_of_shares(262144) == 10000);
    CHECK(weight_of_shares(1000000) == 10000);
    unsigned long long before = 0;
    for (unsigned long long shares = 2; shares <= 262144; shares += 2) {
        unsigned long long weight = weight_of_shares(shares);
        if (weight < before || weight < 1 || weight > 10000)
            FAIL("the weight of " << shares << " shares is " << weight);
        before = weight;
    }
}

TEST_CASE("pids: -1 is max; anything else goes to the kernel as it is")
{
    CHECK(writes_of(v1, {{"cgroup.pids.limit", "20"}}) == "pids.max=20;");
    CHECK(writes_of(v2, {{"cgroup.pids.limit", "-1"}}) == "pids.max=max;");
    CHECK(writes_of(v2, {{"cgroup.pids.limit", "5"}, {"cgroup.pids.limit", "-7"}}) == "pids.max=-7;");
}

TEST_CASE("block devices: weights of BFQ first, throttles by kind")
{
    CHECK(writes_of(v1, {{"cgroup.blkio.weight", "500"}, {"cgroup.blkio.weight-device", "8", "0", "100", ""}}) ==
          "blkio.weight=500|blkio.bfq.weight=500;blkio.weight_device=8:0 100|blkio.bfq.weight_device=8:0 100;");
    CHECK(writes_of(v2, {{"cgroup.blkio.weight", "1000"}, {"cgroup.blkio.weight-device", "8", "0", "10", ""}}) ==
          "io.bfq.weight=1000|io.weight=10000;io.bfq.weight=8:0 10|io.weight=8:0 1;");
    CHECK(writes_of(v1, {{"cgroup.blkio.throttle", "read-bps", "8", "0", "1000"}, {"cgroup.blkio.throttle", "write-iops", "8", "0", "5"}}) ==
          "blkio.throttle.read_bps_device=8:0 1000;blkio.throttle.write_iops_device=8:0 5;");
    CHECK(writes_of(v2, {{"cgroup.blkio.throttle", "write-bps", "8", "16", "1000"}, {"cgroup.blkio.throttle", "read-iops", "8", "0", "0"}}) ==
          "io.max=8:16 wbps=1000;io.max=8:0 riops=max;");
    CHECK(writes_of(v2, {{"cgroup.blkio.weight", "1001"}}) == "/cgroup.blkio.weight: weight '1001': expected 10 to 1000");
    CHECK(io_weight_of(10) == 1);
    CHECK(io_weight_of(1000) == 10000);
    CHECK(io_weight_of(100) == 910);
}

TEST_CASE("a controller of a hybrid host is looked for in v1 first, then in v2")
{
    CHECK(writes_of(hybrid, {{"cgroup.memory.limit", "7"}, {"cgroup.hugetlb", "2MB", "4194304"}}) ==
          "memory.limit_in_bytes=7;hugetlb.2MB.max=4194304;hugetlb.2MB.rsvd.max=4194304?;");
}

TEST_CASE("a controller that no hierarchy has is an error with the property's pointer")
{
    CHECK(writes_of({{1, "memory", "/c/memory", "/"}}, {{"cgroup.pids.limit", "5"}}) ==
          "/cgroup.pids.limit: no cgroup hierarchy has the controller 'pids'");
}

TEST_CASE("names of files are never taken from a configuration unchecked")
{
    for (const char* bad : {"../../x", "2MB/..", "", "MB", "2", "2TB", "2MB.rsvd", "123456789MB"})
        CHECK(writes_of(v2, {{"cgroup.hugetlb", bad, "1"}}).starts_with("/cgroup.hugetlb: page size '"));
    for (const char* bad : {"../cgroup.procs", "a/b.c", "..", ".", "", "memory"})
        CHECK(writes_of(v2, {{"cgroup.unified", bad, "1"}}).starts_with("/cgroup.unified: '"));
}

TEST_CASE("unified: written as it is, a line at a time, after the rest; needs v2")
{
    CHECK(writes_of(v2, {{"cgroup.unified", "io.max", "8:0 rbps=1\n8:16 rbps=2\n"}, {"cgroup.unified", "memory.high", "5"}, {"cgroup.pids.limit", "3"}}) ==
          "pids.max=3;io.max=8:0 rbps=1;io.max=8:16 rbps=2;memory.high=5;");
    CHECK(writes_of(v1, {{"cgroup.unified", "memory.high", "5"}}) == "/cgroup.unified: 'memory.high' needs cgroup v2, which is not mounted");
}

TEST_CASE("network and RDMA")
{
    CHECK(writes_of(v1, {{"cgroup.network.class-id", "1048577"}, {"cgroup.network.priority", "eth0", "5"}}) ==
          "net_cls.classid=1048577;net_prio.ifpriomap=eth0 5;");
    CHECK(writes_of(v2, {{"cgroup.rdma", "mlx5_1", "3", ""}}) == "rdma.max=mlx5_1 hca_handle=3;");
    CHECK(writes_of(v2, {{"cgroup.rdma", "mlx5_1", "3", "10000"}}) == "rdma.max=mlx5_1 hca_handle=3 hca_object=10000;");
}
