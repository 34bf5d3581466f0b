// Reading, writing and passing descriptors.
#include "fd/fd.h"

#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

Result<Pipe> Pipe::create()
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0)
        return errno_error("cannot make a pipe");
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<SocketPair> SocketPair::create()
{
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return errno_error("cannot make a socket pair");
    return SocketPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

template <typename Read>
static Result<std::string> read_by(Read read_some, size_t limit, size_t first_size)
{
    std::string text;
    size_t size = 0;
    text.resize(first_size);
    for (;;) {
        if (size == text.size())
            text.resize(text.size() * 2);
        ssize_t n = read_some(text.data() + size, text.size() - size, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno_error("cannot read");
        if (n == 0)
            break;
        size += static_cast<size_t>(n);
        if (size > limit)
            return Error{"input is larger than " + std::to_string(limit) + " bytes"};
    }
    text.resize(size);
    return text;
}

Result<std::string> read_all(int fd, size_t limit)
{
    return read_by([fd](char* to, size_t size, size_t) { return ::read(fd, to, size); }, limit, 8192);
}

Result<std::string> read_whole(int fd, size_t limit)
{
    struct stat status;
    if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        if (static_cast<size_t>(status.st_size) > limit)
            return Error{"input is larger than " + std::to_string(limit) + " bytes"};
        // One more byte to see the end of the file, and room for the padding that simdjson wants behind a text.
        return read_by([fd](char* to, size_t size, size_t at) { return ::pread(fd, to, size, static_cast<off_t>(at)); },
                       limit, static_cast<size_t>(status.st_size) + 65);
    }
    return read_all(fd, limit);
}

Result<std::string> read_file(const std::string& path, size_t limit)
{
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!file)
        return errno_error("cannot open '" + path + "'");
    return read_all(file.get(), limit).with_context("'" + path + "'");
}

Result<UniqueFd> memory_file(const char* name, std::string_view text)
{
    UniqueFd file(::memfd_create(name, MFD_CLOEXEC));
    if (!file)
        return errno_error("cannot make a memory file");
    if (text.empty())
        return file;
    TRY(write_all(file.get(), text).with_context("cannot fill a memory file"));
    if (::lseek(file.get(), 0, SEEK_SET) < 0)
        return errno_error("cannot rewind a memory file");
    return file;
}

Result<void> write_all(int fd, std::string_view text)
{
    while (!text.empty()) {
        ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno_error("cannot write");
        text.remove_prefix(static_cast<size_t>(n));
    }
    return {};
}

Result<sockaddr_un> socket_address(std::string_view path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return Error{"the path of the socket '" + std::string(path) + "' is too long"};
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

static constexpr size_t max_packet_fds = 8;
static constexpr size_t max_packet_size = 1 << 20;

Result<void> send_packet(int socket, std::string_view text, std::span<const int> fds)
{
    iovec part{const_cast<char*>(text.data()), text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * max_packet_fds)] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
    }
    while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return errno_error("cannot send a message");
    return {};
}

Result<Packet> receive_packet(int socket)
{
    Packet packet;
    // The size first (MSG_TRUNC with MSG_PEEK gives the packet's real length), so that short
    // packets, the common case, cost no large buffer.
    ssize_t size;
    while ((size = ::recv(socket, nullptr, 0, MSG_PEEK | MSG_TRUNC)) < 0)
        if (errno != EINTR)
            return errno_error("cannot receive a message");
    if (static_cast<size_t>(size) > max_packet_size)
        return Error{"a message is larger than 1 MiB"};
    packet.text.resize(static_cast<size_t>(size));

    iovec part{packet.text.data(), packet.text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * max_packet_fds)] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got;
    while ((got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0)
        if (errno != EINTR)
            return errno_error("cannot receive a message");
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        int fds[max_packet_fds];
        std::memcpy(fds, CMSG_DATA(header), count * sizeof(int));
        for (size_t i = 0; i < count; i++)
            packet.fds.emplace_back(fds[i]);
    }
    packet.text.resize(static_cast<size_t>(got));
    // Our packets are never empty, so that nothing read means that the peer has closed.
    packet.end_of_file = got == 0;
    return packet;
}
