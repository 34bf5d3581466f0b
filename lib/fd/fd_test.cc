// Descriptors: reading whole files, packets with descriptors.
#include "fd/fd.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>

TEST_CASE("a packet arrives whole with its descriptors, close-on-exec")
{
    SocketPair pair = std::move(SocketPair::create()).value();
    Pipe pipe = std::move(Pipe::create()).value();
    const int fds[] = {pipe.write_end.get()};
    REQUIRE(send_packet(pair.ours.get(), "terminal", fds).has_value());
    REQUIRE(send_packet(pair.ours.get(), std::string(100'000, 'x')).has_value());

    Packet first = std::move(receive_packet(pair.theirs.get())).value();
    CHECK(first.text == "terminal");
    REQUIRE(first.fds.size() == 1);
    CHECK((::fcntl(first.fds[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(::write(first.fds[0].get(), "y", 1) == 1);
    CHECK(receive_packet(pair.theirs.get()).value().text.size() == 100'000);
}

TEST_CASE("the end of the other side is an empty packet, not an error")
{
    SocketPair pair = std::move(SocketPair::create()).value();
    pair.ours.reset();
    CHECK(receive_packet(pair.theirs.get()).value().end_of_file);
}

TEST_CASE("a limit on reading is kept")
{
    Pipe pipe = std::move(Pipe::create()).value();
    REQUIRE(write_all(pipe.write_end.get(), std::string(100, 'x')).has_value());
    pipe.write_end.reset();
    CHECK(read_all(pipe.read_end.get(), 99).error().message() == "input is larger than 99 bytes");

    UniqueFd file(::memfd_create("x", MFD_CLOEXEC));
    REQUIRE(write_all(file.get(), std::string(100, 'x')).has_value());
    CHECK(read_whole(file.get(), 100).value().size() == 100);
    CHECK_FALSE(read_whole(file.get(), 99).has_value());
}

TEST_CASE("a moved-from descriptor is closed by its new owner alone")
{
    UniqueFd first(::memfd_create("x", MFD_CLOEXEC));
    int number = first.get();
    UniqueFd second = std::move(first);
    CHECK(first.get() == -1);
    first.reset();
    CHECK(::fcntl(number, F_GETFD) >= 0);
    second.reset();
    CHECK(::fcntl(number, F_GETFD) < 0);
}

TEST_CASE("an undo runs unless it is dismissed")
{
    int undone = 0;
    {
        ScopeExit undo([&] { undone++; });
    }
    {
        ScopeExit undo([&] { undone++; });
        undo.dismiss();
    }
    CHECK(undone == 1);
}

TEST_CASE("a path that a socket's address cannot hold is an error, not another path")
{
    CHECK(std::string(socket_address(std::string(107, 'x')).value().sun_path) == std::string(107, 'x'));
    CHECK(socket_address(std::string(108, 'x')).error().message() == "the path of the socket '" + std::string(108, 'x') + "' is too long");
}
