// The program and the v1 lines against what the rules mean.
#include "device_program.h"

#include <doctest/doctest.h>
#include <string>

struct Request {
    char type;
    uint32_t major;
    uint32_t minor;
    uint32_t access;
};

/// What the rules mean, said in the plainest way.
static bool is_allowed(std::span<const DeviceRule> rules, const Request& request)
{
    for (uint32_t bit : {access_mknod, access_read, access_write}) {
        if ((request.access & bit) == 0)
            continue;
        bool allowed = true;
        for (const DeviceRule& rule : rules)
            if ((rule.type == 'a' || rule.type == request.type) && (!rule.major || *rule.major == request.major) &&
                (!rule.minor || *rule.minor == request.minor) && (rule.access & bit) != 0)
                allowed = rule.allow;
        if (!allowed)
            return false;
    }
    return true;
}

/// Interprets the instructions that the generator uses; anything else, a jump out of the program and an unreachable
/// instruction fail the test.
static bool run_program(std::span<const bpf_insn> program, const Request& request, std::vector<bool>& reached)
{
    uint32_t words[3] = {request.access << 16 | (request.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR), request.major, request.minor};
    uint64_t r[11] = {};
    bool context_is_valid = true;
    reached.resize(program.size());
    for (size_t at = 0; at < program.size(); at++) {
        const bpf_insn& i = program[at];
        reached[at] = true;
        uint32_t immediate = static_cast<uint32_t>(i.imm);
        switch (i.code) {
        case BPF_LDX | BPF_MEM | BPF_W:
            REQUIRE(context_is_valid);
            REQUIRE(i.src_reg == BPF_REG_1);
            r[i.dst_reg] = words[i.off / 4];
            break;
        case BPF_ALU | BPF_MOV | BPF_X: r[i.dst_reg] = static_cast<uint32_t>(r[i.src_reg]); break;
        case BPF_ALU | BPF_AND | BPF_K: r[i.dst_reg] = static_cast<uint32_t>(r[i.dst_reg]) & immediate; break;
        case BPF_ALU | BPF_RSH | BPF_K: r[i.dst_reg] = static_cast<uint32_t>(r[i.dst_reg]) >> immediate; break;
        case BPF_ALU64 | BPF_MOV | BPF_K: r[i.dst_reg] = immediate; break;
        case BPF_JMP32 | BPF_JNE | BPF_K:
            if (static_cast<uint32_t>(r[i.dst_reg]) != immediate)
                at += static_cast<size_t>(i.off);
            break;
        case BPF_JMP32 | BPF_JEQ | BPF_K:
            if (static_cast<uint32_t>(r[i.dst_reg]) == immediate)
                at += static_cast<size_t>(i.off);
            break;
        case BPF_JMP | BPF_EXIT: return r[0] != 0;
        default: FAIL("unknown instruction " << static_cast<int>(i.code));
        }
        if (i.code != (BPF_LDX | BPF_MEM | BPF_W) && i.dst_reg == BPF_REG_1)
            context_is_valid = false;
    }
    FAIL("ran past the end");
    return false;
}

static std::vector<DeviceRule> rules_of(std::initializer_list<const char*> texts)
{
    std::vector<DeviceRule> rules;
    for (const char* text : texts)
        rules.push_back(parse_device_option(text).value());
    return rules;
}

static void check_program(std::span<const DeviceRule> rules)
{
    std::vector<bpf_insn> program = device_program(rules);
    std::vector<bool> reached;
    for (char type : {'b', 'c'})
        for (uint32_t major : {0u, 1u, 5u, 136u, 4095u})
            for (uint32_t minor : {0u, 3u, 1048575u})
                for (uint32_t access = 1; access <= access_all; access++) {
                    Request request{type, major, minor, access};
                    CAPTURE(type);
                    CAPTURE(major);
                    CAPTURE(minor);
                    CAPTURE(access);
                    CHECK(run_program(program, request, reached) == is_allowed(rules, request));
                }
}

TEST_CASE("the program decides as the rules do")
{
    check_program({});
    check_program(rules_of({"deny a"}));
    check_program(rules_of({"allow a"}));
    check_program(rules_of({"deny a", "allow a"}));
    check_program(rules_of({"deny a *:* rwm", "allow c *:* m", "allow b *:* m", "allow c 1:3 rwm", "allow c 136:* rwm", "allow c 5:0 rw"}));
    check_program(rules_of({"deny a", "allow c 1:3 r", "allow c 1:3 w"}));
    check_program(rules_of({"deny a", "allow c 1:* rwm", "deny c 1:3 w"}));
    check_program(rules_of({"deny a", "deny c 1:3 w", "allow c 1:* rwm"}));
    check_program(rules_of({"deny c 1:3 rwm"}));
    check_program(rules_of({"deny a *:* m", "allow b *:3 m"}));
    check_program(rules_of({"deny b 5:* rw", "allow a 5:3 w", "deny a *:1048575 r"}));
    check_program(rules_of({"allow c 1:3 rwm", "deny a", "allow b 1:0 r"}));
}

TEST_CASE("the program decides as rules made at random do")
{
    uint32_t state = 12345;
    auto random_below = [&](uint32_t limit) {
        state = state * 1664525 + 1013904223;
        return (state >> 16) % limit;
    };
    for (int round = 0; round < 300; round++) {
        std::vector<DeviceRule> rules;
        for (uint32_t count = random_below(6); count > 0; count--) {
            DeviceRule rule;
            rule.allow = random_below(2) != 0;
            rule.type = "abc"[random_below(3)];
            if (random_below(2) != 0)
                rule.major = random_below(2) != 0 ? 1 : 5;
            if (random_below(2) != 0)
                rule.minor = random_below(2) != 0 ? 0 : 3;
            rule.access = 1 + random_below(7);
            rules.push_back(rule);
        }
        check_program(rules);
    }
}

TEST_CASE("the program has no instruction that cannot be reached: the verifier would refuse it")
{
    std::vector<DeviceRule> rules = rules_of({"allow c 1:3 rwm", "deny a", "allow c 1:3 rw", "allow b *:* m"});
    std::vector<bpf_insn> program = device_program(rules);
    std::vector<bool> reached;

    for (char type : {'b', 'c'})
        for (uint32_t minor : {3u, 4u})
            for (uint32_t access = 1; access <= access_all; access++)
                run_program(program, {type, 1, minor, access}, reached);

    CHECK(std::vector<bool>(program.size(), true) == reached);
}

static std::string lines_of(std::initializer_list<const char*> texts)
{
    std::vector<DeviceRule> rules = rules_of(texts);
    Result<std::vector<DeviceLine>> lines = device_lines(rules);
    if (!lines.has_value())
        return lines.error().message();
    std::string text;
    for (const DeviceLine& line : lines.value())
        text += std::string(line.file) + "=" + line.value + ";";
    return text;
}

TEST_CASE("cgroup v1 is told a default and the exceptions from it")
{
    CHECK(lines_of({}) == "");
    CHECK(lines_of({"deny a", "allow c 1:3 rwm", "allow b *:* m"}) == "devices.deny=a;devices.allow=c 1:3 rwm;devices.allow=b *:* m;");
    CHECK(lines_of({"deny c 1:3 w"}) == "devices.deny=c 1:3 w;");
    CHECK(lines_of({"deny a", "allow a"}) == "devices.allow=a;");
    CHECK(lines_of({"deny a", "allow a *:* m"}) == "devices.deny=a;devices.allow=b *:* m;devices.allow=c *:* m;");
}

TEST_CASE("rules that change nothing are not written to cgroup v1")
{
    CHECK(lines_of({"allow c 1:3 rwm", "deny a"}) == "devices.deny=a;");
    CHECK(lines_of({"deny a", "deny c 1:3 rwm", "deny a"}) == "devices.deny=a;");
    CHECK(lines_of({"deny a", "allow c 1:3 rwm", "allow c 1:3 r"}) == "devices.deny=a;devices.allow=c 1:3 rwm;");
    CHECK(lines_of({"deny a", "allow c 1:3 r", "allow c 1:3 w"}) == "devices.deny=a;devices.allow=c 1:3 rw;");
    CHECK(lines_of({"deny a", "allow c 1:3 r", "allow c 1:* rw"}) == "devices.deny=a;devices.allow=c 1:* rw;");
    CHECK(lines_of({"deny a", "allow c 1:3 rw", "deny c 1:3 w"}) == "devices.deny=a;devices.allow=c 1:3 r;");
    CHECK(lines_of({"deny a", "allow c 1:3 rw", "deny c *:* rwm"}) == "devices.deny=a;");
}

TEST_CASE("what cgroup v1 cannot express is refused, not approximated")
{
    CHECK(lines_of({"deny a", "allow c 1:* rwm", "deny c 1:3 w"}).find("cannot make an exception from an exception") != std::string::npos);
    CHECK(lines_of({"deny c 1:* rwm", "allow c *:3 r"}).find("cannot make an exception from an exception") != std::string::npos);
    CHECK(lines_of({"deny a", "allow c 1:* r", "deny c 1:3 w"}) == "devices.deny=a;devices.allow=c 1:* r;");
}

TEST_CASE("a malformed device rule is refused with what was expected")
{
    for (const char* bad : {"", "deny", "forbid a", "deny x 1:3 r", "deny c 1 r", "deny c 1:3 rx", "deny c x:3 r", "deny c 1:3 r w", "deny c 1:99999999999 r"})
        CHECK_FALSE(parse_device_option(bad).has_value());
    CHECK(parse_device_option("deny c 1:q r").error().message() == "device rule: minor number 'q': expected a number or '*'");
    CHECK_FALSE(parse_device_option("deny c -1:* r").value().major.has_value());
}
