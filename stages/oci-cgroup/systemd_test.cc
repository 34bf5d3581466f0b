#include "systemd.h"

#include <doctest/doctest.h>

namespace {

LimitWrite write(int version, std::string file, std::string value)
{
    LimitWrite write;
    write.version = version;
    write.file = std::move(file);
    write.value = std::move(value);
    return write;
}

std::string properties(std::vector<LimitWrite> writes)
{
    std::string text;
    for (const std::string& property : limit_properties(writes))
        text += property + "\n";
    return text;
}

std::string devices(std::initializer_list<std::string_view> options)
{
    std::vector<DeviceRule> rules;
    for (std::string_view option : options)
        rules.push_back(parse_device_option(option).value());
    std::string text;
    for (const std::string& property : device_properties(rules))
        text += property + "\n";
    return text;
}

std::string unit(std::string_view path, std::string_view id = "web")
{
    Result<UnitName> name = parse_unit_path(path, id);
    return name.has_value() ? name.value().slice + " " + name.value().unit : "error: " + name.error().message();
}

}  // namespace

TEST_CASE("a cgroup path SLICE:PREFIX:NAME is a scope PREFIX-NAME in that slice")
{
    CHECK(unit("machine.slice:libpod:abc") == "machine.slice libpod-abc.scope");
    CHECK(unit(":cri:abc") == " cri-abc.scope");
    CHECK(unit("a-b.slice::abc") == "a-b.slice abc.scope");
    CHECK(unit("a.slice:x:a-pod.slice") == "a.slice a-pod.slice");
    CHECK(unit("") == " ocirun-web.scope");
}

TEST_CASE("characters that a unit's name cannot have are escaped")
{
    CHECK(unit("", "a+b") == " ocirun-a\\x2bb.scope");
    CHECK(unit("::a b@c") == " a\\x20b\\x40c.scope");
}

TEST_CASE("any other path is no unit")
{
    for (std::string_view path : {"/a/b", "a/b", "a", "a:b", "a:b:c:d", "/a:b:c", "a.slice:b:c/d", "a:b:c", "a.slice:b:"})
        CHECK_MESSAGE(unit(path).starts_with("error: "), path);
    CHECK(unit("/a/b") == "error: cgroup path '/a/b': expected SLICE:PREFIX:NAME, as systemd manages the cgroups");
}

TEST_CASE("limits of cgroup v2 are properties of the unit")
{
    CHECK(properties({write(2, "memory.max", "1000"), write(2, "memory.low", "5"), write(2, "memory.swap.max", "max"), write(2, "memory.high", "7"),
                      write(2, "memory.min", "1"), write(2, "pids.max", "20"), write(2, "cpu.weight", "100"), write(2, "io.weight", "50")}) ==
          "MemoryMax=uint64 1000\nMemoryLow=uint64 5\nMemorySwapMax=uint64 18446744073709551615\nMemoryHigh=uint64 7\nMemoryMin=uint64 1\n"
          "TasksMax=uint64 20\nCPUWeight=uint64 100\nIOWeight=uint64 50\n");
    CHECK(properties({write(2, "pids.max", "max")}) == "TasksMax=uint64 18446744073709551615\n");
}

TEST_CASE("limits of cgroup v1 are properties of the unit")
{
    CHECK(properties({write(1, "memory.limit_in_bytes", "1000"), write(1, "cpu.shares", "512"), write(1, "pids.max", "3"), write(1, "blkio.weight", "40"),
                      write(1, "cpu.cfs_period_us", "50000"), write(1, "cpu.cfs_quota_us", "25000")}) ==
          "MemoryLimit=uint64 1000\nCPUShares=uint64 512\nTasksMax=uint64 3\nBlockIOWeight=uint64 40\n"
          "CPUQuotaPerSecUSec=uint64 500000\nCPUQuotaPeriodUSec=uint64 50000\n");
    CHECK(properties({write(1, "cpuset.cpus", "0"), write(1, "memory.soft_limit_in_bytes", "5")}) == "");
}

TEST_CASE("processor time is rounded up to whole percents, which is all that systemd keeps")
{
    CHECK(properties({write(2, "cpu.max", "50000 100000")}) == "CPUQuotaPerSecUSec=uint64 500000\nCPUQuotaPeriodUSec=uint64 100000\n");
    CHECK(properties({write(2, "cpu.max", "50001 100000")}) == "CPUQuotaPerSecUSec=uint64 510000\nCPUQuotaPeriodUSec=uint64 100000\n");
    CHECK(properties({write(2, "cpu.max", "1000 1000000")}) == "CPUQuotaPerSecUSec=uint64 10000\nCPUQuotaPeriodUSec=uint64 1000000\n");
    CHECK(properties({write(2, "cpu.max", "max")}) == "CPUQuotaPerSecUSec=uint64 18446744073709551615\nCPUQuotaPeriodUSec=uint64 100000\n");
    CHECK(properties({write(2, "cpu.max", "18446744073709551615 1")}).starts_with("CPUQuotaPerSecUSec=uint64 18446744073709551615\n"));
}

TEST_CASE("CPUs and memory nodes are bits")
{
    CHECK(properties({write(2, "cpuset.cpus", "0-2,8")}) == "AllowedCPUs=@ay [7, 1]\n");
    CHECK(properties({write(2, "cpuset.mems", "0")}) == "AllowedMemoryNodes=@ay [1]\n");
    CHECK(properties({write(2, "cpuset.cpus", "nonsense")}) == "");
    CHECK(properties({write(2, "cpuset.cpus", "0-99999")}) == "");
}

TEST_CASE("an idle processor is a weight of zero, and else the weight that is given, or none")
{
    CHECK(properties({write(2, "cpu.idle", "1")}) == "CPUWeight=uint64 0\n");
    CHECK(properties({write(2, "cpu.idle", "0")}) == "CPUWeight=uint64 18446744073709551615\n");
    CHECK(properties({write(2, "cpu.weight", "50"), write(2, "cpu.idle", "0")}) == "CPUWeight=uint64 50\n");
}

TEST_CASE("limits of a block device are lists with that device")
{
    CHECK(properties({write(2, "io.max", "8:0 rbps=5 wiops=max"), write(2, "io.max", "8:16 wbps=6 riops=7")}) ==
          "IOReadBandwidthMax=@a(st) [('/dev/block/8:0', 5)]\nIOWriteIOPSMax=@a(st) [('/dev/block/8:0', 18446744073709551615)]\n"
          "IOWriteBandwidthMax=@a(st) [('/dev/block/8:16', 6)]\nIOReadIOPSMax=@a(st) [('/dev/block/8:16', 7)]\n");
    CHECK(properties({write(2, "io.weight", "8:0 50"), write(2, "io.latency", "8:0 target=75")}) ==
          "IODeviceWeight=@a(st) [('/dev/block/8:0', 50)]\nIODeviceLatencyTargetUSec=@a(st) [('/dev/block/8:0', 75)]\n");
    CHECK(properties({write(1, "blkio.throttle.read_bps_device", "8:0 5"), write(1, "blkio.throttle.write_bps_device", "8:0 0"),
                      write(1, "blkio.weight_device", "8:0 500")}) ==
          "BlockIOReadBandwidth=@a(st) [('/dev/block/8:0', 5)]\nBlockIOWriteBandwidth=@a(st) [('/dev/block/8:0', 18446744073709551615)]\n"
          "BlockIODeviceWeight=@a(st) [('/dev/block/8:0', 500)]\n");
    CHECK(properties({write(2, "io.weight", "default 50"), write(2, "io.weight", "8:0 default"), write(2, "io.max", "8:0 rbps=5x"), write(2, "io.max", "'8:0 rbps=5")}) == "");
}

TEST_CASE("what systemd has no property for is left to the cgroup's files")
{
    CHECK(properties({write(2, "hugetlb.2MB.max", "5"), write(1, "blkio.throttle.read_iops_device", "8:0 5"), write(2, "memory.max", "64M")}) == "");
}

TEST_CASE("device rules that deny all and allow some are the unit's own")
{
    CHECK(devices({"deny a", "allow c 1:3 rw", "allow c 136:* rwm", "allow b *:* m", "allow c 5:0 r", "deny c 5:0 r"}) ==
          "DevicePolicy='strict'\nDeviceAllow=@a(ss) [('/dev/char/1:3', 'rw'), ('char-136', 'rwm'), ('block-*', 'm')]\n");
    CHECK(devices({"deny a"}) == "DevicePolicy='strict'\nDeviceAllow=@a(ss) []\n");
}

TEST_CASE("the unit is never stricter than the device rules")
{
    const char* anything = "DevicePolicy='auto'\nDeviceAllow=@a(ss) []\n";
    CHECK(devices({}) == anything);
    CHECK(devices({"allow a"}) == anything);
    CHECK(devices({"deny c 1:3 rw"}) == anything);
    // A hole in a wildcard, which a list of what is allowed does not have.
    CHECK(devices({"deny a", "allow c 1:* rw", "deny c 1:3 rw"}) == anything);
    CHECK(devices({"deny a", "allow c *:3 r"}) == "DevicePolicy='strict'\nDeviceAllow=@a(ss) [('char-*', 'r')]\n");
}
