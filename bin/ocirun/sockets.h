// Unix sockets: of engines, which receive descriptors there, and the one on which a created container waits.
#pragma once

#include "fd/fd.h"
#include "result/result.h"
#include "state/state.h"

#include <string>

/// Connects to a unix socket, however long its path.
Result<UniqueFd> connect_to_socket(const std::string& path);

/// Sends `fd` over the unix socket at `path` (SOCK_STREAM, SCM_RIGHTS) with `name` as the message:
/// --console-socket ("/dev/pts/ptmx") and --pidfd-socket. Paths longer than sun_path work too.
Result<void> send_to_socket(const std::string& path, int fd, const std::string& name);

/// Makes `socket` the start socket: the state file `start`, on which the first process waits.
Result<void> listen_for_start(const ContainerState& state, int socket);

/// Connects to it. EAGAIN, without patience: the queue is full. ECONNREFUSED: nobody waits there.
enum class Patience { none, unlimited };
Result<UniqueFd> connect_to_start(const ContainerState& state, Patience patience);

/// Whether the first process waits there. The file alone says nothing: who has told it to start may have been killed before
/// removing it. The process holds the socket until it executes the program.
bool waits_for_start(const ContainerState& state);
