#include "mounts.h"

#include "mounts/mount_calls.h"
#include "settings.h"

#include <doctest/doctest.h>

static MountOptions options(std::initializer_list<Field> words)
{
    return parse_mount_options(std::span<const Field>(words.begin(), words.size()));
}

/// The mount that a plan with this line asks for; an error's sentence.
static std::string sentence_of(const std::string& line)
{
    Result<Plan> plan = Plan::parse("plan 1\ninit.mount\t/mounts/0\t" + line + "\nend\n", "init");
    REQUIRE(plan.has_value());
    Result<Mount> mount = parse_mount(plan.value().directives()[0]);
    return mount.has_value() ? mount.value().destination : mount.error().message();
}

TEST_CASE("the option list of a file system is split at commas that are not quoted or escaped")
{
    using Words = std::vector<std::string_view>;
    CHECK(split_at_commas("size=64k,mode=755") == Words{"size=64k", "mode=755"});
    CHECK(split_at_commas("") == Words{});
    CHECK(split_at_commas(",,a,") == Words{"a"});
    CHECK(split_at_commas("context=\"a:b:c0,c1\",x") == Words{"context=\"a:b:c0,c1\"", "x"});
    CHECK(split_at_commas("lowerdir=/a\\,b:/c,x") == Words{"lowerdir=/a\\,b:/c", "x"});
    CHECK(split_at_commas("a\\") == Words{"a\\"});
}

TEST_CASE("a bind changes what its options name, and nothing else")
{
    AttributeChange change = bind_change(options({"bind"}), MOUNT_ATTR_NOATIME);
    CHECK(change.is_empty());
    change = bind_change(options({"ro", "exec", "nosuid"}), 0);
    CHECK(change.set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID));
    CHECK(change.clear == MOUNT_ATTR_NOEXEC);
}

TEST_CASE("a word that clears a time of access matters only when that one is in force")
{
    CHECK(bind_change(options({"atime"}), 0).is_empty());
    AttributeChange change = bind_change(options({"atime"}), MOUNT_ATTR_NOATIME);
    CHECK(change.set == 0);
    CHECK(change.clear == MOUNT_ATTR__ATIME);
    change = bind_change(options({"noatime"}), 0);
    CHECK(change.set == MOUNT_ATTR_NOATIME);
    CHECK(change.clear == MOUNT_ATTR__ATIME);
    CHECK(bind_change(options({"nostrictatime"}), MOUNT_ATTR_NOATIME).is_empty());
    CHECK(bind_change(options({"norelatime"}), 0).set == MOUNT_ATTR_STRICTATIME);
}

TEST_CASE("what can be refused is refused before anything is touched")
{
    CHECK(sentence_of("/a/../b/\ttmpfs\ttmpfs") == "/b");
    CHECK(sentence_of("relative\ttmpfs\ttmpfs") == "/relative");
    CHECK(sentence_of("/x/..\ttmpfs\ttmpfs") == "/mounts/0: cannot mount on '/x/..': it is the root of the container");
    CHECK(sentence_of("/x\tbind\t/y\tbind\tmode=1") ==
          "/mounts/0: cannot mount on '/x': a bind mount takes no option 'mode=1' for a file system");
    CHECK(sentence_of("/x\ttmpfs\ttmpfs\tidmap") == "/mounts/0: cannot mount on '/x': only a bind mount can be id-mapped");
    CHECK(sentence_of("/x\t\t/y") == "/mounts/0: cannot mount on '/x': it has neither a type nor the option 'bind'");
    CHECK(sentence_of("/proc/self/attr\tbind\t/y\tbind") ==
          "/mounts/0: cannot mount on '/proc/self/attr': only a few files of /proc may be covered");
    CHECK(sentence_of("/proc\ttmpfs\ttmpfs") == "/mounts/0: cannot mount on '/proc': /proc must be a procfs");
    CHECK(sentence_of("/proc/meminfo\tbind\t/y\tbind") == "/proc/meminfo");
}

TEST_CASE("a kernel setting is named with dots or with slashes, and leads nowhere else")
{
    auto path = [](std::string_view key) {
        Result<std::string> result = sysctl_path(key);
        return result.has_value() ? result.value() : "refused";
    };
    CHECK(path("kernel.msgmax") == "sys/kernel/msgmax");
    CHECK(path("kernel/msgmax") == "sys/kernel/msgmax");
    CHECK(path("net.ipv4.conf.eth0/1.rp_filter") == "sys/net/ipv4/conf/eth0.1/rp_filter");
    CHECK(path("net/ipv4/conf/eth0.1/rp_filter") == "sys/net/ipv4/conf/eth0.1/rp_filter");
    for (const char* key : {"", "kernel", "net/../kernel/core_pattern", "net..x", "/kernel/x", ".kernel.x", "kernel.", "net/./x", "net.a b", "net.a\nb",
                            "net.a=b", "net.a+b", "..", "a/..", "net//x", "net.ipv4//..", "a./b"}) {
        CAPTURE(key);
        Result<std::string> result = sysctl_path(key);
        if (result.has_value()) {
            CHECK((result.value() + "/").find("/../") == std::string::npos);
            CHECK(result.value().starts_with("sys/"));
        }
    }
    CHECK(path("net/../kernel/core_pattern") == "refused");
    CHECK(path("net..x") == "refused");
    CHECK(path("net.a b") == "refused");
}
