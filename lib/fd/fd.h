// Owners of file descriptors, pipes and socket pairs; ScopeExit; descriptors over sockets.
#pragma once

#include "result/result.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <vector>

/// Owns one file descriptor. Moving transfers it; a moved-from UniqueFd holds -1.
class UniqueFd {
public:
    explicit UniqueFd(int fd = -1) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~UniqueFd() { reset(); }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset()
    {
        if (fd_ >= 0)
            ::close(std::exchange(fd_, -1));
    }

private:
    int fd_;
};

/// Undoes a half-done change unless dismissed: arm it right after the change.
template <typename Undo>
class ScopeExit {
public:
    explicit ScopeExit(Undo undo) : undo_(std::move(undo)) {}
    ScopeExit(const ScopeExit&) = delete;
    ScopeExit& operator=(const ScopeExit&) = delete;
    ~ScopeExit()
    {
        if (armed_)
            undo_();
    }
    void dismiss() { armed_ = false; }

private:
    Undo undo_;
    bool armed_ = true;
};

/// Both ends are close-on-exec.
struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
    static Result<Pipe> create();
};

/// Two connected SOCK_SEQPACKET ends (a packet is complete or it did not happen), close-on-exec.
struct SocketPair {
    UniqueFd ours;
    UniqueFd theirs;
    static Result<SocketPair> create();
};

/// Reads until end of file, at most `limit` bytes; more is an error. Retries EINTR.
Result<std::string> read_all(int fd, size_t limit);

/// Reads a seekable `fd` from offset 0 without moving its offset, or a pipe to its end.
Result<std::string> read_whole(int fd, size_t limit);

/// Reads a file by its path. The error names it.
Result<std::string> read_file(const std::string& path, size_t limit);

/// A close-on-exec file in memory with `text` in it, at offset 0. `name` is for /proc/PID/fd.
Result<UniqueFd> memory_file(const char* name, std::string_view text = {});

/// Writes all of `text`, retrying EINTR and short writes.
Result<void> write_all(int fd, std::string_view text);

/// One packet, with the descriptors that came along. `end_of_file`: the peer is gone.
struct Packet {
    std::string text;
    std::vector<UniqueFd> fds;
    bool end_of_file = false;
};

/// The address of the unix socket at `path`; one that is longer than an address can be (107 bytes, man 7 unix) is an error.
Result<sockaddr_un> socket_address(std::string_view path);

/// Sends one packet with up to 8 descriptors (SCM_RIGHTS, man 7 unix).
Result<void> send_packet(int socket, std::string_view text, std::span<const int> fds = {});

/// Receives one packet of at most 1 MiB; received descriptors are close-on-exec.
Result<Packet> receive_packet(int socket);
