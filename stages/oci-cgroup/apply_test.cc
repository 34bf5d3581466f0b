// Limits in a tree of plain files that has the kernel's names: what is written, in which order, and what is written
// back.
#include "apply.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace
{

/// A folder with files as a cgroup of one hierarchy has them, for controllers that no kernel at hand offers.
class FakeCgroup
{
public:
    FakeCgroup(int version, std::string controllers, std::vector<std::pair<std::string, std::string>> files)
        : files_(std::move(files))
    {
        char name[] = "/tmp/oci-cgroup-test.XXXXXX";
        path_ = ::mkdtemp(name);
        for (const auto& [file, text] : files_)
            set(file, text);
        open.push_back(
            {{version, std::move(controllers), path_, "/"},
             CgroupDir(UniqueFd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), version, path_)});
    }
    ~FakeCgroup()
    {
        for (const auto& [file, text] : files_)
            ::unlink((path_ + "/" + file).c_str());
        ::rmdir(path_.c_str());
    }
    std::string operator[](const std::string& file) const
    {
        UniqueFd fd(::open((path_ + "/" + file).c_str(), O_RDONLY | O_CLOEXEC));
        return fd ? read_all(fd.get(), 1 << 16).value() : "no such file";
    }
    void set(const std::string& file, const std::string& text)
    {
        UniqueFd fd(::open((path_ + "/" + file).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
        REQUIRE(write_all(fd.get(), text).has_value());
    }
    std::vector<Hierarchy> hierarchies() const
    {
        return {{open[0].location.version, open[0].location.controllers, path_, "/"}};
    }

    std::vector<OpenCgroup> open;

private:
    ::std::string path_;
    std::vector<std::pair<std::string, std::string>> files_;
};

/// Plans and writes; an error as text.
std::string apply(FakeCgroup& cgroup, std::initializer_list<std::vector<std::string>> lines, bool is_new = true,
                  std::vector<OldValue>* replaced = nullptr)
{
    PlanWriter writer;
    for (const std::vector<std::string>& line : lines)
        writer.add(line[0], "/" + line[0], std::span<const std::string>(line).subspan(1));
    Plan plan = Plan::parse(std::move(writer).finish(), "cgroup").value();
    Result<std::vector<LimitWrite>> writes =
        limit_writes(plan.directives(), cgroup.hierarchies(),
                     is_new ? std::span<const OpenCgroup>() : std::span<const OpenCgroup>(cgroup.open));
    if (!writes.has_value())
        return writes.error().message();
    Result<void> written = write_limits(cgroup.open[0].dir, cgroup.open[0].location, writes.value(), replaced);
    return written.has_value() ? "" : written.error().message();
}

} // namespace

TEST_CASE("real-time: period and runtime go to the files of the v1 controller 'cpu'")
{
    FakeCgroup cgroup(1, "cpu,cpuacct", {{"cpu.rt_period_us", ""}, {"cpu.rt_runtime_us", ""}});
    CHECK(apply(cgroup, {{"cgroup.cpu.realtime-period", "1000000"}, {"cgroup.cpu.realtime-runtime", "950000"}}) == "");
    CHECK(cgroup["cpu.rt_period_us"] == "1000000");
    CHECK(cgroup["cpu.rt_runtime_us"] == "950000");
}

TEST_CASE("real-time: a kernel without RT_GROUP_SCHED is an error that names the limit")
{
    FakeCgroup cgroup(1, "cpu", {{"cpu.shares", ""}});
    CHECK(apply(cgroup, {{"cgroup.cpu.realtime-runtime", "950000"}}) ==
          "/cgroup.cpu.realtime-runtime: cannot write '950000' to 'cpu.rt_runtime_us': No such file or directory");
}

TEST_CASE("blkio: weights of CFQ, leaves and devices, by their files of v1")
{
    FakeCgroup cgroup(1, "blkio",
                      {{"blkio.weight", ""},
                       {"blkio.leaf_weight", ""},
                       {"blkio.weight_device", ""},
                       {"blkio.leaf_weight_device", ""}});
    CHECK(apply(cgroup, {{"cgroup.blkio.weight", "500"},
                         {"cgroup.blkio.leaf-weight", "300"},
                         {"cgroup.blkio.weight-device", "8", "16", "700", "200"}}) == "");
    CHECK(cgroup["blkio.weight"] == "500");
    CHECK(cgroup["blkio.leaf_weight"] == "300");
    CHECK(cgroup["blkio.weight_device"] == "8:16 700");
    CHECK(cgroup["blkio.leaf_weight_device"] == "8:16 200");
}

TEST_CASE("blkio: with BFQ, which has no leaf weights, its files are used")
{
    FakeCgroup cgroup(1, "blkio", {{"blkio.bfq.weight", ""}, {"blkio.bfq.weight_device", ""}});
    CHECK(apply(cgroup, {{"cgroup.blkio.weight", "500"}, {"cgroup.blkio.weight-device", "8", "16", "700", ""}}) == "");
    CHECK(cgroup["blkio.bfq.weight"] == "500");
    CHECK(cgroup["blkio.bfq.weight_device"] == "8:16 700");
    CHECK(apply(cgroup, {{"cgroup.blkio.leaf-weight", "300"}}) ==
          "/cgroup.blkio.leaf-weight: cannot write '300' to 'blkio.leaf_weight': No such file or directory");
}

TEST_CASE("io: a device's weight goes to BFQ as it is, else to io.weight in its range")
{
    FakeCgroup bfq(2, "", {{"io.bfq.weight", ""}, {"io.weight", ""}});
    CHECK(apply(bfq, {{"cgroup.blkio.weight-device", "8", "16", "700", ""}}) == "");
    CHECK(bfq["io.bfq.weight"] == "8:16 700");
    CHECK(bfq["io.weight"] == "");
    FakeCgroup cost(2, "", {{"io.weight", ""}});
    CHECK(apply(cost, {{"cgroup.blkio.weight-device", "8", "16", "1000", ""}}) == "");
    CHECK(cost["io.weight"] == "8:16 10000");
}

TEST_CASE("network: class and priorities go to net_cls and net_prio, mounted together")
{
    FakeCgroup cgroup(1, "net_cls,net_prio", {{"net_cls.classid", ""}, {"net_prio.ifpriomap", ""}});
    CHECK(apply(cgroup, {{"cgroup.network.class-id", "1048577"}, {"cgroup.network.priority", "eth0", "5"}}) == "");
    CHECK(cgroup["net_cls.classid"] == "1048577");
    CHECK(cgroup["net_prio.ifpriomap"] == "eth0 5");
}

TEST_CASE("rdma: handles and objects of a device, on v1 and on v2")
{
    for (int version : {1, 2}) {
        FakeCgroup cgroup(version, version == 1 ? "rdma" : "", {{"rdma.max", ""}});
        CHECK(apply(cgroup, {{"cgroup.rdma", "mlx5_1", "3", "10000"}}) == "");
        CHECK(cgroup["rdma.max"] == "mlx5_1 hca_handle=3 hca_object=10000");
    }
    FakeCgroup cgroup(2, "", {{"rdma.max", ""}});
    CHECK(apply(cgroup, {{"cgroup.rdma", "mlx5_1", "", "7"}}) == "");
    CHECK(cgroup["rdma.max"] == "mlx5_1 hca_object=7");
}

TEST_CASE("hugetlb: the reservations are limited too, where the kernel counts them")
{
    FakeCgroup old(1, "hugetlb", {{"hugetlb.2MB.limit_in_bytes", ""}});
    CHECK(apply(old, {{"cgroup.hugetlb", "2MB", "4194304"}}) == "");
    CHECK(old["hugetlb.2MB.limit_in_bytes"] == "4194304");
    FakeCgroup cgroup(2, "", {{"hugetlb.1GB.max", ""}, {"hugetlb.1GB.rsvd.max", ""}});
    CHECK(apply(cgroup, {{"cgroup.hugetlb", "1GB", "-1"}}) == "");
    CHECK(cgroup["hugetlb.1GB.max"] == "max");
    CHECK(cgroup["hugetlb.1GB.rsvd.max"] == "max");
}

TEST_CASE("memory of old kernels: hierarchy and TCP have files, kernel memory is passed over")
{
    FakeCgroup cgroup(
        1, "memory",
        {{"memory.use_hierarchy", ""}, {"memory.kmem.tcp.limit_in_bytes", ""}, {"memory.kmem.limit_in_bytes", ""}});
    CHECK(apply(cgroup, {{"cgroup.memory.use-hierarchy", "true"},
                         {"cgroup.memory.kernel-tcp", "5000"},
                         {"cgroup.memory.kernel", "7000"}}) == "");
    CHECK(cgroup["memory.use_hierarchy"] == "1");
    CHECK(cgroup["memory.kmem.tcp.limit_in_bytes"] == "5000");
    CHECK(cgroup["memory.kmem.limit_in_bytes"] == "");
}

TEST_CASE("v2: what one half of a limit does not say is taken from the cgroup")
{
    FakeCgroup cgroup(2, "",
                      {{"memory.max", "1000000\n"},
                       {"memory.swap.max", "500000\n"},
                       {"memory.current", "0\n"},
                       {"cpu.max", "20000 100000\n"}});
    std::vector<OldValue> replaced;
    CHECK(apply(cgroup, {{"cgroup.memory.limit", "1200000"}, {"cgroup.cpu.period", "50000"}}, false, &replaced) == "");
    CHECK(cgroup["memory.max"] == "1200000\n");
    CHECK(cgroup["memory.swap.max"] == "300000\n");
    CHECK(cgroup["cpu.max"].starts_with("20000 50000"));
    REQUIRE(replaced.size() == 3);
    CHECK(replaced[0].value == "1000000");
    CHECK(replaced[1].value == "500000");
    CHECK(replaced[2].value == "20000 100000");

    cgroup.set("memory.max", "1000000\n");
    cgroup.set("memory.swap.max", "500000\n");
    CHECK(apply(cgroup, {{"cgroup.memory.swap", "1100000"}}, false) == "");
    CHECK(cgroup["memory.swap.max"] == "100000\n");
    CHECK(apply(cgroup, {{"cgroup.memory.limit", "2000000"}}, false) ==
          "/cgroup.memory.limit: memory and swap together ('1100000') is less than the memory limit ('2000000')");
    cgroup.set("memory.swap.max", "max\n");
    CHECK(apply(cgroup, {{"cgroup.memory.limit", "2000000"}}, false) == "");
    CHECK(cgroup["memory.swap.max"] == "max\n");
}

TEST_CASE("checkBeforeUpdate refuses before anything is written")
{
    FakeCgroup cgroup(
        2, "", {{"memory.max", "max"}, {"memory.current", "5000\n"}, {"memory.swap.max", "max"}, {"cpu.weight", ""}});
    CHECK(apply(cgroup,
                {{"cgroup.memory.check-before-update", "true"},
                 {"cgroup.memory.limit", "4999"},
                 {"cgroup.cpu.shares", "1024"}},
                false) ==
          "/cgroup.memory.limit: the limit '4999' is below the present use '5000': Device or resource busy");
    CHECK(cgroup["memory.max"] == "max");
    CHECK(cgroup["cpu.weight"] == "");
    CHECK(apply(cgroup, {{"cgroup.memory.check-before-update", "true"}, {"cgroup.memory.limit", "5000"}}, false) == "");
}

TEST_CASE("what a file said before is written back in the form that the kernel takes")
{
    auto back = [](std::string file, std::string value, std::string text, std::string key = "",
                   std::string reset = "") {
        LimitWrite write;
        write.file = std::move(file);
        write.value = std::move(value);
        write.key = std::move(key);
        write.reset = std::move(reset);
        return old_value(write, text);
    };
    CHECK(back("memory.max", "1000", "max") == "max");
    CHECK(back("cpu.max", "1000 2000", "max 100000") == "max 100000");
    CHECK(back("cpu.max", "1000 2000", "1000 100000") == "1000 100000");
    CHECK(back("cpuset.cpus", "0", "") == "\n");
    CHECK(back("memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 0") == "0");
    CHECK(back("io.weight", "200", "default 100\n8:0 50") == "100");
    CHECK(back("io.weight", "8:0 70", "default 100\n8:0 50", "8:0", "8:0 default") == "8:0 50");
    CHECK(back("io.weight", "8:0 70", "default 100\n8:16 50", "8:0", "8:0 default") == "8:0 default");
    CHECK(back("io.max", "8:0 rbps=5", "8:0 rbps=max wbps=7 riops=max wiops=max", "8:0", "8:0 rbps=max") ==
          "8:0 rbps=max wbps=7 riops=max wiops=max");
    CHECK(back("io.max", "8:0 rbps=5", "", "8:0", "8:0 rbps=max") == "8:0 rbps=max");
    CHECK(back("io.max", "8:0 rbps=5", "") == "8:0 rbps=max wbps=max riops=max wiops=max"); // by `unified`
    CHECK(back("io.latency", "8:0 target=5", "") == "8:0 target=0");
    CHECK(back("misc.max", "res_a 5", "res_a 7\nres_b max") == "res_a 7");
    CHECK(back("net_prio.ifpriomap", "eth0 5", "lo 0\neth0 2\n", "eth0", "eth0 0") == "eth0 2");
    CHECK(back("rdma.max", "mlx hca_handle=2", "mlx hca_handle=max hca_object=9", "mlx", "") ==
          "mlx hca_handle=max hca_object=9");
}
