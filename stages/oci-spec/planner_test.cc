// The property table and the walk along it.
#include "planner.h"

#include "handlers.h"

#include <algorithm>
#include <doctest/doctest.h>

namespace {

struct Outcome {
    std::string plan;
    std::vector<Error> errors;
    explicit Outcome(std::string_view text, Subject subject = Subject::config, bool is_strict = false)
    {
        Planned planned = plan_of(std::string(text), subject, is_strict);
        plan = std::move(planned.plan);
        errors = std::move(planned.errors);
    }
    std::string first() const { return errors.empty() ? "" : errors[0].message(); }
    bool has(std::string_view line) const { return plan.find("\n" + std::string(line) + "\n") != std::string::npos; }
};

/// A config.json with that in its `linux`.
std::string with_linux(std::string_view section)
{
    return "{\"ociVersion\": \"1.0.2\", \"linux\": {" + std::string(section) + "}}";
}

}  // namespace

TEST_CASE("the table's rows are found by their pattern and lead to those below")
{
    Property type = *Property::find("/process/rlimits/*/type");
    CHECK(type.name() == "type");
    CHECK(type.type() == Type::string);
    CHECK(type.is_required());
    CHECK(type.since() == "1.0.0");
    CHECK(type.note() == "init.rlimit");
    CHECK_FALSE(type.first());
    CHECK(Property::find("/process/rlimits/*")->first().name() == "type");
    CHECK_FALSE(Property::find("/no/such"));
}

TEST_CASE("every directive that a row names is in the plan's table, and every row of config.json's there has a property")
{
    std::vector<Property> open{Property::root().first()};
    std::string notes;
    while (!open.empty()) {
        Property property = open.back();
        open.pop_back();
        if (!property)
            continue;
        open.push_back(property.next());
        open.push_back(property.first());
        if (property.fate() != Fate::planned)
            continue;
        std::string_view words = property.note();
        for (size_t blank; !words.empty(); words.remove_prefix(std::min(blank, words.size() - 1) + 1)) {
            blank = words.find(' ');
            INFO(property.pattern());
            CHECK(find_directive_type(words.substr(0, blank)) != nullptr);
        }
        notes += std::string(property.note()) + " ";
    }
    for (const DirectiveType& type : directive_types)
        if (type.property().starts_with('/')) {
            INFO(type.name());
            CHECK(contains_word(notes, type.name()));
        }
}

TEST_CASE("versions are SemVer")
{
    CHECK(parse_version("1.0.2-dev"));
    CHECK(parse_version("1.0.0-rc.6+git.1"));
    CHECK(parse_version("1.10.3")->minor == 10);
    for (const char* bad : {"", "1", "1.0", "1.0.", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-a..b", "1.0.0+", "1.0.0 ", "1.0.0.0", "-1.0.0", "99999999999.0.0"}) {
        INFO(bad);
        CHECK_FALSE(parse_version(bad));
    }
}

TEST_CASE("words are found whole")
{
    CHECK(contains_word("pid network", "pid"));
    CHECK(contains_word("pid network", "network"));
    CHECK_FALSE(contains_word("pid network", "net"));
    CHECK_FALSE(contains_word("pid network", "id"));
    CHECK_FALSE(contains_word("pid network", "pid network"));
    CHECK_FALSE(contains_word("pid network", ""));
}

TEST_CASE("each type has its bounds")
{
    auto process = [](const char* what) { return Outcome(std::string("{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",") + what + "}}"); };
    CHECK(process("\"user\":{\"uid\":4294967294}").errors.empty());
    CHECK(process("\"user\":{\"uid\":4294967296}").first() == "/process/user/uid: 1:71: found 4294967296, expected a whole number from 0 to 4294967295");
    CHECK(process("\"user\":{\"uid\":-1}").errors.size() == 1);
    CHECK(process("\"user\":{\"uid\":1.0}").errors.size() == 1);
    CHECK(process("\"user\":{\"uid\":1e3}").errors.size() == 1);
    CHECK(process("\"user\":{\"uid\":true}").first() == "/process/user/uid: 1:71: found a boolean, expected a whole number from 0 to 4294967295");
    CHECK(process("\"oomScoreAdj\":-1001").first() == "/process/oomScoreAdj: 1:71: found -1001, expected a whole number from -1000 to 1000");
    CHECK(process("\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":0,\"hard\":18446744073709551615}]").errors.empty());
    CHECK(process("\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":0,\"hard\":18446744073709551616}]").errors.size() == 1);
    CHECK(process("\"terminal\":1").first() == "/process/terminal: 1:68: found a number, expected true or false");
    CHECK(process("\"env\":\"PATH=/\"").first() == "/process/env: 1:63: found a string, expected an array");
}

TEST_CASE("zero leaves what is, -1 is kept")
{
    Outcome zero(with_linux(R"("resources":{"memory":{"limit":0,"swap":0},"pids":{"limit":0},"cpu":{"shares":0,"quota":0,"cpus":""},"blockIO":{"weight":0}})"));
    CHECK(zero.errors.empty());
    CHECK(zero.plan.find("cgroup.memory") == std::string::npos);
    CHECK(zero.plan.find("cgroup.pids.limit\t/linux/resources/pids/limit\t0\n") != std::string::npos);  // the least
    CHECK(Outcome(R"({"pids": {"limit": 0}})", Subject::resources).plan == "plan 1\nend\n");
    CHECK(zero.plan.find("cgroup.cpu") == std::string::npos);
    CHECK(zero.plan.find("cgroup.blkio") == std::string::npos);

    Outcome unlimited(with_linux(R"("resources":{"memory":{"limit":-1},"pids":{"limit":-1},"cpu":{"quota":-1}})"));
    CHECK(unlimited.has("cgroup.memory.limit\t/linux/resources/memory/limit\t-1"));
    CHECK(unlimited.has("cgroup.pids.limit\t/linux/resources/pids/limit\t-1"));
    CHECK(unlimited.has("cgroup.cpu.quota\t/linux/resources/cpu/quota\t-1"));
    CHECK(Outcome(with_linux(R"("resources":{"memory":{"limit":-2}})")).errors.size() == 1);
}

TEST_CASE("a sysctl belongs to a namespace, whatever its spelling")
{
    auto sysctl = [](const std::string& key, const char* kinds) {
        std::string list;
        for (std::string_view rest = kinds; !rest.empty();) {
            size_t blank = rest.find(' ');
            list += (list.empty() ? "{\"type\":\"" : ",{\"type\":\"") + std::string(rest.substr(0, blank)) + "\"}";
            rest = blank == std::string_view::npos ? "" : rest.substr(blank + 1);
        }
        return Outcome(with_linux("\"namespaces\":[" + list + "],\"sysctl\":{\"" + key + "\":\"1\"}")).errors.empty();
    };
    CHECK(sysctl("net.ipv4.ip_forward", "network"));
    CHECK(sysctl("net/ipv4/conf/eth0.100/forwarding", "network"));
    CHECK(sysctl("net.ipv4.conf.eth0/100.forwarding", "network"));
    CHECK_FALSE(sysctl("net.ipv4.ip_forward", "ipc uts mount"));
    CHECK(sysctl("kernel.msgmax", "ipc"));
    CHECK(sysctl("fs.mqueue.msg_max", "ipc"));
    CHECK_FALSE(sysctl("kernel.msgmax", "network"));
    CHECK(sysctl("kernel.domainname", "uts"));
    CHECK_FALSE(sysctl("kernel.domainname", "ipc"));
    CHECK_FALSE(sysctl("user.max_user_namespaces", "network"));
    // The host's.
    for (const char* key : {"kernel.core_pattern", "kernel.pid_max", "kernel.shm_rmid_forcedx", "kernel.sem.x", "vm.swappiness", "fs.file-max", "kernel", "net"})
        CHECK_FALSE(sysctl(key, "network ipc uts"));
    // CVE-2022-0811.
    for (const char* key : {"net/../kernel/core_pattern", "net./../kernel/core_pattern", "net.ipv4.x=1", "net.ipv4.x+kernel.core_pattern", "net//x", "net.",
                            "net/./x", "net.ipv4.x\\nkernel.core_pattern", "net.ipv4 .x", "../proc", "/net/x", ".net.x", ""}) {
        INFO(key);
        CHECK_FALSE(sysctl(key, "network ipc uts"));
    }
    CHECK_FALSE(Outcome(with_linux(R"("namespaces":[{"type":"network"}],"sysctl":{"net.x":"1\nkernel.core_pattern=x"})")).errors.empty());
    CHECK_FALSE(Outcome(with_linux(R"("namespaces":[{"type":"network"}],"sysctl":{"net.x":"1+kernel.core_pattern=x"})")).errors.empty());
    CHECK(Outcome(with_linux(R"("namespaces":[{"type":"ipc"}],"sysctl":{"kernel.sem":"250 32000\t32 128"})")).errors.empty());
}

TEST_CASE("a process alone has the pointers that it would have in config.json")
{
    Outcome planned(R"({"args": ["true"], "cwd": "/", "user": {"uid": 7, "gid": 8, "umask": 18}})", Subject::process);
    CHECK(planned.errors.empty());
    CHECK(planned.has("init.arg\t/process/args/0\ttrue"));
    CHECK(planned.has("init.user\t/process/user\t7\t8\t0022"));
    CHECK(planned.plan.find("cgroup.") == std::string::npos);
    CHECK(planned.plan.find("init.device") == std::string::npos);
    CHECK(Outcome(R"({"args": [], "cwd": "x"})", Subject::process).errors.size() == 2);
}
