#include "mounts/mount_options.h"

#include "mounts/mount_calls.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

static MountOptions parse(std::initializer_list<Field> words)
{
    return parse_mount_options(std::span<const Field>(words.begin(), words.size()));
}

TEST_CASE("the table is sorted, has no word twice, and holds all 72 words of the field")
{
    std::string_view before;
    for (const MountOption& option : known_mount_options()) {
        CHECK(before < option.word);
        before = option.word;
    }
    CHECK(known_mount_options().size() == 72);
    CHECK(find_mount_option("size=65536k") == nullptr);
}

TEST_CASE("the last word about a thing wins")
{
    CHECK((parse({"ro", "rw"}).set_flags & MS_RDONLY) == 0);
    CHECK((parse({"ro", "rw"}).clear_flags & MS_RDONLY) != 0);
    CHECK((parse({"rw", "ro"}).set_flags & MS_RDONLY) != 0);
    CHECK((parse({"rw", "ro"}).clear_flags & MS_RDONLY) == 0);
    CHECK(parse({"noatime", "strictatime"}).set_flags == MS_STRICTATIME);
    CHECK(parse({"rro", "rrw"}).set_attributes == 0);
    CHECK(parse({"rro", "rrw"}).clear_attributes == MOUNT_ATTR_RDONLY);
    CHECK(parse({"rrw", "rro"}).clear_attributes == 0);
}

TEST_CASE("the times of access are cleared as a whole before one is set")
{
    MountOptions options = parse({"rnoatime"});
    CHECK(options.set_attributes == MOUNT_ATTR_NOATIME);
    CHECK(options.clear_attributes == MOUNT_ATTR__ATIME);
    options = parse({"rnoatime", "rstrictatime"});
    CHECK(options.set_attributes == MOUNT_ATTR_STRICTATIME);
    options = parse({"rnoatime", "rrelatime"});
    CHECK(options.set_attributes == 0);
    CHECK(options.clear_attributes == MOUNT_ATTR__ATIME);
}

TEST_CASE("what the table does not know is data for the file system, in order")
{
    MountOptions options = parse({"nosuid", "size=65536k", "mode=755", "ro=yes", "", "acl", "newinstance"});
    REQUIRE(options.data.size() == 5);
    CHECK(options.data[0] == "size=65536k");
    CHECK(options.data[2] == "ro=yes");
    CHECK(options.data[3] == "acl");
    CHECK(options.set_flags == MS_NOSUID);
}

TEST_CASE("propagation words keep their order, extensions their value")
{
    MountOptions options = parse({"rbind", "slave", "rshared", "idmap=uids=0-1-2", "tmpcopyup"});
    REQUIRE(options.propagation.size() == 2);
    CHECK(options.propagation[0] == MS_SLAVE);
    CHECK(options.propagation[1] == (MS_SHARED | MS_REC));
    CHECK(options.set_flags == (MS_BIND | MS_REC));
    CHECK(options.has(idmap));
    CHECK(options.has(tmpcopyup));
    CHECK_FALSE(options.has(idmap_recursive));
    CHECK(options.idmap == "uids=0-1-2");
    CHECK(parse({"ridmap"}).has(idmap_recursive));
}

TEST_CASE("flags become the attributes of a new mount")
{
    CHECK(attributes_of_flags(MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY | MS_RELATIME) ==
          (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY));
    CHECK(attributes_of_flags(MS_STRICTATIME | MS_NODIRATIME) == (MOUNT_ATTR_STRICTATIME | MOUNT_ATTR_NODIRATIME));
    CHECK(propagation_flag("rslave") == (MS_SLAVE | MS_REC));
    CHECK(propagation_flag("ro") == 0);
}
