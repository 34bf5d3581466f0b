// The index and the state directories, on a real file system.
#include "state/state.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {
/// A directory that is removed again.
struct TempDir {
    std::string path;
    TempDir()
    {
        char name[] = "/tmp/ocirun-state-XXXXXX";
        path = ::mkdtemp(name);
    }
    ~TempDir() { (void)!std::system(("rm -rf '" + path + "'").c_str()); }
    bool has(const std::string& name) const { return ::access((path + "/" + name).c_str(), F_OK) == 0; }
};

StateRoot root_in(const TempDir& dir) { return std::move(*StateRoot::open(dir.path + "/root", true).value()); }
}  // namespace

TEST_CASE("container ids are letters, digits and _+-., without a dot in front")
{
    for (const char* id : {"a", "A-1_b+c.d", "0123456789abcdef", "-x"})
        CHECK(check_container_id(id).has_value());
    for (const char* id : {"", ".", "..", ".a", "a/b", "a b", "a\n", "ä", "a:b"})
        CHECK_FALSE(check_container_id(id).has_value());
    CHECK(check_container_id(std::string(230, 'x')).has_value());
    CHECK_FALSE(check_container_id(std::string(231, 'x')).has_value());
}

TEST_CASE("a state root is made with its parents, private to its owner")
{
    TempDir dir;
    CHECK_FALSE(StateRoot::open(dir.path + "/a/b/c", false).value().has_value());
    REQUIRE(StateRoot::open(dir.path + "/a/b/c/", true).value().has_value());
    struct stat status;
    REQUIRE(::stat((dir.path + "/a/b/c").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE("a state root that others can write, or a link, is refused")
{
    TempDir dir;
    ::mkdir((dir.path + "/open").c_str(), 0700);
    ::chmod((dir.path + "/open").c_str(), 0770);
    CHECK_FALSE(StateRoot::open(dir.path + "/open", true).has_value());
    REQUIRE(::symlink(dir.path.c_str(), (dir.path + "/link").c_str()) == 0);
    CHECK_FALSE(StateRoot::open(dir.path + "/link", true).has_value());
}

TEST_CASE("an entry is found by its id with all that was recorded, and is gone when removed")
{
    TempDir dir;
    StateRoot root = root_in(dir);
    ::mkdir((dir.path + "/bundle").c_str(), 0700);
    {
        ContainerState state = std::move(ContainerState::create(root, "box", {{"boot", {"b"}}})).value();
        REQUIRE(state.record({{"bundle", {"a\tb"}}}).has_value());
        REQUIRE(state.create_directory(dir.path + "/bundle", true).has_value());
        REQUIRE(state.write("plan", "text").has_value());
        CHECK(ContainerState::create(root, "box", {{"boot", {"b"}}}).error().message() == "container with given ID already exists: 'box'");
    }
    CHECK(root.ids().value() == std::vector<std::string>{"box"});
    ContainerState found = std::move(*ContainerState::find(root, "box").value());
    CHECK(found.read("plan").value() == "text");
    CHECK(found.journal().value()[1].fields[0] == "a\tb");
    CHECK(dir.has("bundle/.ocirun-box/plan"));

    REQUIRE(found.remove_all(found.journal().value()).has_value());
    CHECK_FALSE(dir.has("bundle/.ocirun-box"));
    CHECK(root.ids().value().empty());
    CHECK_FALSE(ContainerState::find(root, "box").value().has_value());
    CHECK(found.remove_all(found.journal().value()).has_value());
}

TEST_CASE("an unsafe bundle leaves the state in the root")
{
    TempDir dir;
    StateRoot root = root_in(dir);
    ::mkdir((dir.path + "/bundle").c_str(), 0700);
    ::chmod((dir.path + "/bundle").c_str(), 0777);
    ContainerState state = std::move(ContainerState::create(root, "box", {{"boot", {"b"}}})).value();
    REQUIRE(state.create_directory(dir.path + "/bundle", true).has_value());
    CHECK_FALSE(dir.has("bundle/.ocirun-box"));
    CHECK(dir.has("root/.state-box"));
    REQUIRE(state.remove_all(state.journal().value()).has_value());
    CHECK_FALSE(dir.has("root/.state-box"));
}

TEST_CASE("another directory in the place of the state directory is not believed")
{
    TempDir dir;
    StateRoot root = root_in(dir);
    const std::string bundle = dir.path + "/bundle";
    ::mkdir(bundle.c_str(), 0700);
    {
        ContainerState state = std::move(ContainerState::create(root, "box", {{"boot", {"b"}}})).value();
        REQUIRE(state.create_directory(bundle, true).has_value());
    }
    REQUIRE(::rename((bundle + "/.ocirun-box").c_str(), (bundle + "/moved").c_str()) == 0);
    ::mkdir((bundle + "/.ocirun-box").c_str(), 0700);

    ContainerState found = std::move(*ContainerState::find(root, "box").value());
    CHECK_FALSE(found.has_directory());
    CHECK_FALSE(found.read("plan").value().has_value());
    ::close(::open((bundle + "/.ocirun-box/precious").c_str(), O_CREAT | O_RDWR, 0600));
    REQUIRE(found.remove_all(found.journal().value()).has_value());
    CHECK(dir.has("bundle/.ocirun-box/precious"));
    CHECK_FALSE(dir.has("root/box"));
}

TEST_CASE("a journal that names a directory with another name removes nothing there")
{
    TempDir dir;
    StateRoot root = root_in(dir);
    ::mkdir((dir.path + "/precious").c_str(), 0700);
    ContainerState state = std::move(ContainerState::create(root, "box", {{"boot", {"b"}}, {"directory", {dir.path + "/precious"}}})).value();
    struct stat status;
    REQUIRE(::stat((dir.path + "/precious").c_str(), &status) == 0);
    REQUIRE(state.record({{"directory-inode", {std::to_string(status.st_dev), std::to_string(status.st_ino)}}}).has_value());
    REQUIRE(state.remove_all(state.journal().value()).has_value());
    CHECK(dir.has("precious"));
    CHECK_FALSE(dir.has("root/box"));
}

TEST_CASE("a leftover beside the bundle is taken, but not the state of a container that lives")
{
    TempDir dir;
    StateRoot root = root_in(dir);
    const std::string bundle = dir.path + "/bundle";
    ::mkdir(bundle.c_str(), 0700);
    auto leave = [&](const std::string& pid, const std::string& start_time) {
        ::mkdir((bundle + "/.ocirun-box").c_str(), 0700);
        UniqueFd file(::open((bundle + "/.ocirun-box/state.json").c_str(), O_CREAT | O_RDWR | O_TRUNC, 0600));
        REQUIRE(write_all(file.get(), "{\"init_process_pid\":" + pid + ",\"init_process_start\":" + start_time + "}").has_value());
    };
    const std::string ourselves = std::to_string(::getpid());
    leave(ourselves, "1");
    {
        ContainerState state = std::move(ContainerState::create(root, "box", {{"boot", {"b"}}})).value();
        REQUIRE(state.create_directory(bundle, true).has_value());
        CHECK_FALSE(state.has("state.json"));
        CHECK_FALSE(dir.has("root/.state-box"));
        REQUIRE(state.remove_all(state.journal().value()).has_value());
        CHECK_FALSE(dir.has("bundle/.ocirun-box"));
    }
    leave(ourselves, std::to_string(read_process_status(::getpid())->start_time));
    ContainerState state = std::move(ContainerState::create(root, "box", {{"boot", {"b"}}})).value();
    REQUIRE(state.create_directory(bundle, true).has_value());
    CHECK(dir.has("root/.state-box"));
    REQUIRE(state.remove_all(state.journal().value()).has_value());
    CHECK(dir.has("bundle/.ocirun-box/state.json"));
    CHECK_FALSE(dir.has("root/.state-box"));
}

TEST_CASE("a file that does not begin as a journal is no container and stays")
{
    TempDir dir;
    StateRoot root = root_in(dir);
    UniqueFd file(::open((dir.path + "/root/passwd").c_str(), O_CREAT | O_RDWR, 0600));
    REQUIRE(write_all(file.get(), "root:x:0:0\n").has_value());
    CHECK(ContainerState::find(root, "passwd").error().message() ==
          "'" + dir.path + "/root/passwd' is not the state of a container; is '" + dir.path + "/root' a state root?");
}

TEST_CASE("an entry that others can write is refused")
{
    TempDir dir;
    StateRoot root = root_in(dir);
    int fd = ::open((dir.path + "/root/box").c_str(), O_CREAT | O_WRONLY, 0600);
    ::fchmod(fd, 0666);
    ::close(fd);
    CHECK_FALSE(ContainerState::find(root, "box").has_value());
}

TEST_CASE("who holds the lock is seen, and a second one gives up in time")
{
    TempDir dir;
    StateRoot root = root_in(dir);
    ContainerState creating = std::move(ContainerState::create(root, "box", {{"boot", {"b"}}})).value();
    ContainerState other = std::move(*ContainerState::find(root, "box").value());
    CHECK(other.is_locked());
    CHECK(other.lock(0).error().message() == "container 'box' is busy: another command is creating or deleting it");
    creating.unlock();
    CHECK_FALSE(other.is_locked());
    CHECK(other.lock(0).has_value());
}

TEST_CASE("an unfinished entry of a dead creator is removed, that of a living one stays")
{
    TempDir dir;
    StateRoot root = root_in(dir);
    auto touch = [&](const char* name) { ::close(::open((dir.path + "/root/" + name).c_str(), O_CREAT | O_RDWR, 0600)); };
    touch(".new-1-box");
    touch(".new-2-other-box");
    touch(".new-3-box");
    UniqueFd alive(::open((dir.path + "/root/.new-3-box").c_str(), O_RDWR));
    REQUIRE(::lockf(alive.get(), F_TEST, 0) == 0);
    ContainerState holder = std::move(ContainerState::create(root, "unrelated", {{"boot", {"b"}}})).value();
    REQUIRE(remove_unfinished_entries(root, "box").has_value());
    CHECK_FALSE(dir.has("root/.new-1-box"));
    CHECK(dir.has("root/.new-2-other-box"));
    CHECK(dir.has("root/unrelated"));
}
