#include "program.h"

#include <doctest/doctest.h>

#include <elf.h>

using Words = std::vector<std::string>;

static Words merge(std::initializer_list<std::string_view> variables)
{
    return merge_environment(std::span<const std::string_view>(variables.begin(), variables.size()));
}

TEST_CASE("the last variable of a name wins, at the place of the first")
{
    CHECK(merge({}) == Words{});
    CHECK(merge({"A=1", "B=2", "A=3"}) == Words{"A=3", "B=2"});
    CHECK(merge({"A=", "AA=1", "A=2"}) == Words{"A=2", "AA=1"});
    CHECK(merge({"PATH=/a", "PATH=/b", "PATH=/c=d"}) == Words{"PATH=/c=d"});
}

TEST_CASE("a variable without a name or without '=' is dropped")
{
    CHECK(merge({"A", "=x", "", "B=1"}) == Words{"B=1"});
}

TEST_CASE("the home directory is found by number alone")
{
    const std::string_view passwd = "root:x:0:0:root:/root:/bin/sh\n1000:x:0:0::/wrong:/bin/sh\nuser:x:1000:1000:A, B:/home/user:/bin/sh\n";
    CHECK(find_home(passwd, 0) == "/root");
    CHECK(find_home(passwd, 1000) == "/home/user");
    CHECK_FALSE(find_home(passwd, 7).has_value());
    CHECK_FALSE(find_home("", 0).has_value());
}

TEST_CASE("broken lines of passwd are passed over")
{
    CHECK(find_home("\n::::\nx\nroot:x:0:0\nroot:x:-0:0:::\nroot:x:0x0:0::/hex:\nr:x:0:0::relative:/sh\nr:x:0:0::/last", 0) == "/last");
    CHECK_FALSE(find_home("r:x: 0:0::/space:/sh\nr:x:00000000000000000000000000:0\n", 0).has_value());
    CHECK_FALSE(find_home("r:x:4294967296:0::/overflow:/sh\n", 0).has_value());
}

TEST_CASE("the interpreter of a script is read as the kernel reads it")
{
    auto interpreter = [](std::string_view text) {
        std::optional<Shebang> shebang = parse_shebang(text);
        return shebang ? shebang->interpreter + (shebang->ends_with_carriage_return ? " CR" : "") : "none";
    };
    CHECK(interpreter("#!/bin/sh\necho") == "/bin/sh");
    CHECK(interpreter("#! \t/bin/sh -e x\n") == "/bin/sh");
    CHECK(interpreter("#!/bin/sh\r\n") == "/bin/sh CR");
    CHECK(interpreter("#!/usr/bin/env python\r\n") == "/usr/bin/env");
    CHECK(interpreter("#!/bin/sh") == "/bin/sh");
    CHECK(interpreter("#!\n") == "");
    CHECK(interpreter("#") == "none");
    CHECK(interpreter("") == "none");
    CHECK(interpreter("echo #!/bin/sh") == "none");
}

/// A 64-bit little-endian ELF file with one program header.
static std::string make_elf(unsigned char machine, const std::string& loader)
{
    std::string file(64 + 56, '\0');
    file.replace(0, 4, ELFMAG);
    file[EI_CLASS] = ELFCLASS64;
    file[EI_DATA] = ELFDATA2LSB;
    file[18] = static_cast<char>(machine);
    file[32] = 64;  // e_phoff
    file[54] = 56;  // e_phentsize
    file[56] = 1;   // e_phnum
    if (!loader.empty()) {
        file[64] = PT_INTERP;
        file[64 + 8] = static_cast<char>(file.size());
        file[64 + 32] = static_cast<char>(loader.size() + 1);
        file += loader + '\0';
    }
    return file;
}

TEST_CASE("an ELF file tells its machine and its loader")
{
    ElfFacts facts = parse_elf(make_elf(EM_AARCH64, "/lib/ld.so"));
    CHECK(facts.is_elf);
    CHECK(facts.machine == EM_AARCH64);
    CHECK(facts.interpreter == "/lib/ld.so");
    CHECK(parse_elf(make_elf(EM_X86_64, "")).interpreter.empty());
    CHECK_FALSE(parse_elf("#!/bin/sh\nbut long enough to be one").is_elf);
}

TEST_CASE("a damaged ELF file is read without harm")
{
    const std::string whole = make_elf(EM_X86_64, "/lib/ld.so");
    for (size_t size = 0; size < whole.size(); size++)
        (void)parse_elf(whole.substr(0, size));
    for (size_t at = 0; at < whole.size(); at++) {
        std::string damaged = whole;
        damaged[at] = '\xff';
        (void)parse_elf(damaged);
    }
    std::string endless = whole;
    endless[54] = 0;  // headers without a size
    endless[56] = endless[57] = '\xff';
    CHECK(parse_elf(endless).is_elf);
}

TEST_CASE("a mode lets its owner execute by the first x, others only where both of theirs do")
{
    CHECK(mode_lets_execute(0700, true));
    CHECK_FALSE(mode_lets_execute(0700, false));
    CHECK_FALSE(mode_lets_execute(0677, true));
    CHECK(mode_lets_execute(0677, false));
    CHECK_FALSE(mode_lets_execute(0710, false));
    CHECK_FALSE(mode_lets_execute(0701, false));
    CHECK_FALSE(mode_lets_execute(0644, true));
}
