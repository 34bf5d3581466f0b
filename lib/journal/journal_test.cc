// Lines of the journal, whole and cut short.
#include "journal/journal.h"

#include "fd/fd.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fstream>
#include <sys/mount.h>
#include <unistd.h>

namespace {
std::string text_of(int fd) { return read_whole(fd, 1 << 20).value(); }
UniqueFd journal_with(std::string_view text)
{
    UniqueFd file = memory_file("journal").value();
    ::fcntl(file.get(), F_SETFL, O_APPEND);
    REQUIRE(write_all(file.get(), text).has_value());
    return file;
}
}  // namespace

TEST_CASE("what is appended to a journal is read from it")
{
    UniqueFd file = journal_with("boot\tb\n");
    REQUIRE(append_to_journal(file.get(), {{"cgroup", {"/a\tb\n\\"}}, {"made", {}}}).has_value());
    CHECK(text_of(file.get()) == "boot\tb\ncgroup\t/a\\tb\\n\\\\\nmade\n");
    std::vector<JournalEntry> entries = parse_journal(text_of(file.get()));
    REQUIRE(entries.size() == 3);
    CHECK(entries[1].fields == std::vector<std::string>{"/a\tb\n\\"});
    CHECK(entries[2].fields.empty());
}

TEST_CASE("without a journal nothing is recorded")
{
    CHECK(append_to_journal(-1, {{"cgroup", {"/a"}}}).has_value());
}

TEST_CASE("a line of a journal that cannot be read does not hide the others")
{
    std::vector<JournalEntry> entries = parse_journal(std::string_view("cgroup\t\\q\ncgroup\t/a\0b\ncgroup\t/c\n", 32));
    REQUIRE(entries.size() == 3);
    CHECK(entries[0].what == "damaged");
    CHECK(entries[1].what == "damaged");
    CHECK(entries[2].fields[0] == "/c");
}

TEST_CASE("a line that was cut short has not happened, whatever is appended to it")
{
    // Behind a backslash, too, which is the first half of an escape.
    for (std::string_view cut : {"cgroup\t/b", "cgroup\t/b\\", "cgroup", "c"}) {
        UniqueFd file = journal_with("boot\tb\n" + std::string(cut));
        CHECK(parse_journal(text_of(file.get())).size() == 1);
        REQUIRE(append_to_journal(file.get(), {{"directory", {"/c"}}}).has_value());
        std::vector<JournalEntry> entries = parse_journal(text_of(file.get()));
        REQUIRE(entries.size() == 2);
        CHECK(entries[1].what == "directory");
    }
}

TEST_CASE("a full disk cuts a line short, and the next one is whole when there is room again")
{
    if (::geteuid() != 0)
        return;
    char directory[] = "/tmp/ocirun-journal-XXXXXX";
    REQUIRE(::mkdtemp(directory) != nullptr);
    REQUIRE(::mount("tmpfs", directory, "tmpfs", 0, "size=8k") == 0);
    ScopeExit unmount([&] {
        ::umount2(directory, MNT_DETACH);
        ::rmdir(directory);
    });
    const std::string fill = std::string(directory) + "/fill";
    std::ofstream(fill) << 'x';
    UniqueFd file(::open((std::string(directory) + "/journal").c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(append_to_journal(file.get(), {{"boot", {std::string(4000, 'b')}}}).has_value());

    Result<void> refused = append_to_journal(file.get(), {{"cgroup", {std::string(200, 'c')}}});

    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message() == "cannot write the journal: No space left on device");
    CHECK(text_of(file.get()).size() == 4096);
    REQUIRE(::unlink(fill.c_str()) == 0);
    REQUIRE(append_to_journal(file.get(), {{"directory", {"/d"}}}).has_value());
    std::vector<JournalEntry> entries = parse_journal(text_of(file.get()));
    REQUIRE(entries.size() == 2);
    CHECK(entries[1].fields[0] == "/d");
}
