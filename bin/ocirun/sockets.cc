// Unix sockets by their paths.
#include "sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

Result<UniqueFd> connect_to_socket(const std::string& path)
{
    // sun_path has 108 bytes; through the directory's descriptor any path fits.
    size_t slash = path.rfind('/');
    std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    UniqueFd directory(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        return errno_error("cannot open the folder of the socket '" + path + "'");
    std::string reachable = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + (slash == std::string::npos ? path : path.substr(slash + 1));
    const sockaddr_un address = TRY(socket_address(reachable));
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket)
        return errno_error("cannot make a socket");
    // Signals are blocked here: a listener that never accepts must not hold us for ever (man 7 unix: it holds connect).
    const timeval patience{10, 0};
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
        return errno_error("cannot set up a socket");
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
        if (errno == EAGAIN)
            return Error{"cannot connect to the socket '" + path + "': whoever listens there has accepted nobody for 10 seconds"};
        return errno_error("cannot connect to the socket '" + path + "'");
    }
    return socket;
}

Result<void> send_to_socket(const std::string& path, int fd, const std::string& name)
{
    UniqueFd socket = TRY(connect_to_socket(path));
    const int fds[] = {fd};
    return send_packet(socket.get(), name, fds).with_context("cannot send a descriptor to '" + path + "'");
}

/// The state file `start`. Through /proc/self/fd the path is short, however deep the bundle is.
static Result<sockaddr_un> start_address(const ContainerState& state)
{
    return socket_address("/proc/self/fd/" + std::to_string(state.directory_fd()) + "/start");
}

Result<void> listen_for_start(const ContainerState& state, int socket)
{
    const sockaddr_un address = TRY(start_address(state));
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 || ::listen(socket, 8) < 0)
        return errno_error("cannot make the start socket");
    return {};
}

Result<UniqueFd> connect_to_start(const ContainerState& state, Patience patience)
{
    const sockaddr_un address = TRY(start_address(state));
    UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (patience == Patience::none ? SOCK_NONBLOCK : 0), 0));
    if (!socket)
        return errno_error("cannot make a socket");
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        return errno_error("cannot reach the first process of container '" + state.id() + "'");
    return socket;
}

bool waits_for_start(const ContainerState& state)
{
    if (!state.has("start"))
        return false;
    Result<UniqueFd> reached = connect_to_start(state, Patience::none);
    return reached.has_value() || reached.error().error_number != ECONNREFUSED;
}
