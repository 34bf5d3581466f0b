#include "document.h"
#include "stats.h"
#include "targets.h"

#include <doctest/doctest.h>

TEST_CASE("a list of processors is numbers and ranges")
{
    CHECK(parse_cpu_list("0-2,7") == std::vector<unsigned>{0, 1, 2, 7});
    CHECK(parse_cpu_list("3") == std::vector<unsigned>{3});
    CHECK(parse_cpu_list("").empty());
    CHECK(parse_cpu_list("0-99999999999").size() == 65536);
}

TEST_CASE("pressure is read as the kernel writes it, and is absent where the kernel has none")
{
    std::optional<Pressure> pressure = parse_pressure("some avg10=1.25 avg60=0.50 avg300=0.00 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");

    REQUIRE(pressure);
    CHECK(pressure->some->avg10 == "1.25");
    CHECK(pressure->some->total == 12345);
    CHECK(pressure->full->total == 7);
    CHECK_FALSE(parse_pressure(""));
    CHECK_FALSE(parse_pressure("some avg10=\"x\" avg60=0 avg300=0 total=0\n"));
}

TEST_CASE("io of v1 comes by device and operation, without the total")
{
    std::vector<BlockIo> entries = parse_block_io_v1("8:16 Read 4096\n8:16 Write 0\nTotal 4096\n");

    REQUIRE(entries.size() == 2);
    CHECK(entries[0].major == 8);
    CHECK(entries[0].minor == 16);
    CHECK(entries[0].op == "Read");
    CHECK(entries[0].value == 4096);
    CHECK(parse_block_io_v1("8:0 17\n")[0].value == 17);
}

TEST_CASE("io.stat of v2 becomes the same counters")
{
    auto all = parse_io_stat("8:0 rbytes=90 wbytes=5 rios=2 wios=1 dbytes=0 dios=0\n253:1\n");

    REQUIRE(all["ioServiceBytesRecursive"].size() == 3);
    CHECK(all["ioServiceBytesRecursive"][0].op == "Read");
    CHECK(all["ioServiceBytesRecursive"][0].value == 90);
    CHECK(all["ioServicedRecursive"][1].op == "Write");
    CHECK(all["ioServicedRecursive"][1].value == 1);
}

TEST_CASE("interfaces are read from /proc/PID/net/dev, headers passed over")
{
    std::vector<NetworkUse> all = parse_net_dev("Inter-|   Receive                    |  Transmit\n"
                                                " face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed\n"
                                                "  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");

    REQUIRE(all.size() == 1);
    CHECK(all[0].name == "eth0");
    CHECK(all[0].rx_bytes == 1);
    CHECK(all[0].rx_dropped == 4);
    CHECK(all[0].tx_bytes == 9);
    CHECK(all[0].tx_dropped == 12);
}

TEST_CASE("rdma has use and limits by device")
{
    auto all = parse_rdma("mlx4_0 hca_handle=2 hca_object=20\n", "mlx4_0 hca_handle=3 hca_object=max\n");

    CHECK(all["mlx4_0"].handles == 2);
    CHECK(all["mlx4_0"].handle_limit == 3);
    CHECK(all["mlx4_0"].object_limit == unlimited);
}

TEST_CASE("a document is JSON, or lines with the keys joined by points")
{
    for (Document::Form form : {Document::Form::json, Document::Form::lines}) {
        Document document(form);
        document.open("a");
        document.number("b", uint64_t{1});
        document.open_array("c");
        document.open_element("first");
        document.text("d", "x\"y");
        document.close();
        document.close();
        document.numbers("e", std::vector<unsigned>{1, 2});
        document.close();
        document.number("f", UINT64_MAX);

        std::string text = std::move(document).finish();
        if (form == Document::Form::json)
            CHECK(text == R"({"a":{"b":1,"c":[{"d":"x\"y"}],"e":[1,2]},"f":18446744073709551615})");
        else
            CHECK(text == "a.b 1\na.c.first.d x\"y\na.e 1 2\nf max\n");
    }
}

TEST_CASE("statistics have the objects that readers expect, also where nothing is counted")
{
    CHECK(stats_json(Stats{}).starts_with(R"({"cpu":{"usage":{"total":0,"kernel":0,"user":0},"throttling":{"periods":0)"));
    CHECK(stats_json(Stats{}).ends_with(R"("blkio":{},"hugetlb":{},"rdma":{},"intel_rdt":{},"network_interfaces":[]})"));
}

TEST_CASE("a line of the list has two fields, or those of the locations")
{
    Target target = parse_target("box\t17\t99\t\t2\t\t/sys/fs/cgroup\t/box").value();

    CHECK(target.name == "box");
    CHECK(target.pid == 17);
    CHECK(target.start_time == 99);
    REQUIRE(target.locations.size() == 1);
    CHECK(target.locations[0].directory() == "/sys/fs/cgroup/box");
    CHECK_FALSE(parse_target("box").has_value());
    CHECK_FALSE(parse_target("box\t17\t99\t\t2\t\t/sys/fs/cgroup\t/../box").has_value());
    CHECK_FALSE(parse_target("box\tx\t99\t\t2\t\t/sys/fs/cgroup\t/box").has_value());
}
