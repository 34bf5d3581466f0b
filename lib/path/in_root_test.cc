#include "path/in_root.h"

#include <doctest/doctest.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>

/// A hostile tree in a directory of its own, with a decoy beside it. Removed with all that is in it.
struct Tree {
    Tree()
    {
        REQUIRE(::mkdtemp(top) != nullptr);
        run("mkdir -p root/dir/sub decoy && echo secret >decoy/file && echo inside >root/dir/file && "
            "ln -s ../../../../../../../../../../elsewhere root/up && ln -s / root/slash && ln -s /dir root/absolute && "
            "ln -s \"$PWD/decoy\" root/decoy && ln -s /missing/below root/dangling && ln -s /proc/self/root root/magic && "
            "ln -s loop root/loop && ln -s dir/file root/link-to-file && ln -s \"$PWD/decoy/new\" root/dangling-outside");
    }
    ~Tree() { run("cd / && rm -rf --one-file-system \"$OLDPWD\""); }
    void run(const std::string& command) const { CHECK(std::system(("cd " + std::string(top) + " && " + command).c_str()) == 0); }
    bool has(const std::string& path) const
    {
        struct stat status;
        return ::lstat((std::string(top) + "/" + path).c_str(), &status) == 0;
    }
    InRoot root(bool with_openat2) const
    {
        Result<InRoot> root = InRoot::open_root(std::string(top) + "/root");
        REQUIRE(root.has_value());
        if (!with_openat2)
            root.value().forbid_openat2();
        return std::move(root).value();
    }
    /// What an open descriptor leads to, seen from the tree's top.
    std::string place_of(const Result<UniqueFd>& fd) const
    {
        if (!fd.has_value())
            return "error " + std::to_string(fd.error().error_number);
        char path[PATH_MAX] = {};
        ssize_t size = ::readlink(("/proc/self/fd/" + std::to_string(fd.value().get())).c_str(), path, sizeof path - 1);
        std::string text(path, size > 0 ? static_cast<size_t>(size) : 0);
        return text.starts_with(top) ? text.substr(std::string(top).size()) : "outside " + text;
    }
    char top[32] = "/tmp/in_root_test.XXXXXX";
};

TEST_CASE("lookups stay inside the root, with openat2 and without")
{
    for (bool with_openat2 : {true, false}) {
        CAPTURE(with_openat2);
        Tree tree;
        InRoot root = tree.root(with_openat2);
        auto open = [&](const char* path, Links links = Links::follow) { return tree.place_of(root.open(path, O_PATH, links)); };

        CHECK(open("dir/file") == "/root/dir/file");
        CHECK(open("/dir/file") == "/root/dir/file");
        CHECK(open("") == "/root");
        CHECK(open("/") == "/root");
        CHECK(open("..") == "/root");
        CHECK(open("../../dir/./sub/..") == "/root/dir");
        CHECK(open("/absolute/file") == "/root/dir/file");
        CHECK(open("slash/slash/dir") == "/root/dir");
        CHECK(open("link-to-file") == "/root/dir/file");
        CHECK(open("up") == "error " + std::to_string(ENOENT));
        CHECK(open("decoy/file") == "error " + std::to_string(ENOENT));
        CHECK(open("loop") == "error " + std::to_string(ELOOP));
        CHECK(open("dir/file/x") == "error " + std::to_string(ENOTDIR));
        CHECK(open("missing") == "error " + std::to_string(ENOENT));
        CHECK(open("absolute", Links::refuse_last) == "/root/absolute");
        CHECK(open("absolute/file", Links::refuse_last) == "/root/dir/file");
        CHECK(open("absolute/file", Links::refuse) == "error " + std::to_string(ELOOP));
        CHECK(open("dir/file", Links::refuse) == "/root/dir/file");
        CHECK(tree.place_of(root.open("dir/file", O_PATH | O_DIRECTORY)) == "error " + std::to_string(ENOTDIR));
        CHECK(tree.place_of(root.open("link-to-file", O_RDONLY)) == "/root/dir/file");
        CHECK(tree.place_of(root.open("dir", O_RDONLY | O_DIRECTORY)) == "/root/dir");
    }
}

TEST_CASE("a magic link of procfs is never followed")
{
    for (bool with_openat2 : {true, false}) {
        CAPTURE(with_openat2);
        Result<InRoot> root = InRoot::open_root("/");
        REQUIRE(root.has_value());
        if (!with_openat2)
            root.value().forbid_openat2();

        for (const char* path : {"/proc/self/root", "/proc/self/cwd/etc", "/proc/self/fd/0", "/proc/self/exe"}) {
            CAPTURE(path);
            Result<UniqueFd> opened = root.value().open(path, O_PATH);
            REQUIRE_FALSE(opened.has_value());
            CHECK(opened.error().error_number == ELOOP);
        }
        CHECK(root.value().open("/proc/self/status", O_RDONLY).has_value());
    }
}

TEST_CASE("missing directories and files are made inside the root, also where a dangling link leads")
{
    for (bool with_openat2 : {true, false}) {
        CAPTURE(with_openat2);
        Tree tree;
        InRoot root = tree.root(with_openat2);
        auto made = [&](const char* path) { return tree.place_of(root.make_directories(path, 0755)); };

        CHECK(made("a/b/c") == "/root/a/b/c");
        CHECK(made("a/b/c") == "/root/a/b/c");
        CHECK(made("absolute/new") == "/root/dir/new");
        CHECK(made("dangling/x") == "/root/missing/below/x");
        CHECK(made("up/new") == "/root/elsewhere/new");
        CHECK(made("../../outside") == "/root/outside");
        CHECK(made("dir/file/x") == "error " + std::to_string(ENOTDIR));
        CHECK(made("loop/x") == "error " + std::to_string(ELOOP));
        CHECK(tree.place_of(root.make_file("f/g/file", 0600)) == "/root/f/g/file");
        CHECK(tree.place_of(root.make_file("dir/file", 0600)) == "/root/dir/file");
        CHECK(tree.place_of(root.make_file("dangling-outside", 0600)).starts_with("/root/"));
        CHECK(tree.place_of(root.make_directories("absolute/y", 0755, Links::refuse)) == "error " + std::to_string(ELOOP));

        CHECK_FALSE(tree.has("outside"));
        CHECK_FALSE(tree.has("decoy/new"));
        CHECK_FALSE(tree.has("decoy/x"));
        CHECK_FALSE(tree.has("root/dir/y"));
    }
}

TEST_CASE("a place is a directory inside the root and a single name")
{
    Tree tree;
    InRoot root = tree.root(true);

    Result<InRoot::Place> place = root.find_place("/absolute/../dir/./node", false);
    REQUIRE(place.has_value());
    CHECK(place.value().name == "node");
    CHECK_FALSE(root.find_place("/", false).has_value());
    CHECK_FALSE(root.find_place("/a/..", false).has_value());
    CHECK_FALSE(root.find_place("/nowhere/node", false).has_value());
    CHECK(root.find_place("/nowhere/node", true).has_value());
    CHECK(tree.has("root/nowhere"));
}

TEST_CASE("clean_path takes dots and double slashes away")
{
    CHECK(clean_path("") == "/");
    CHECK(clean_path("/") == "/");
    CHECK(clean_path("a//b/./c/") == "/a/b/c");
    CHECK(clean_path("/../../a/../b") == "/b");
    CHECK(clean_path("/proc/../proc/./self") == "/proc/self");
    CHECK(clean_path("..") == "/");
}
