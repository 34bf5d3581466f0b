// The conversation with ocirun: spec/protocol.md.
#pragma once

#include "fd/fd.h"
#include "result/result.h"

#include <optional>
#include <string>
#include <string_view>

/// The control socket and the start socket; each may be missing. Without a control socket nothing is
/// said and nothing is waited for.
class Control {
public:
    Control(int control_fd, int start_fd) : control_(control_fd), start_(start_fd) {}

    /// Whether somebody drives us.
    bool is_driven() const { return static_cast<bool>(control_); }

    /// Says `word`, with a descriptor if `fd` is not -1.
    Result<void> say(std::string_view word, int fd = -1);

    /// Waits for `word` and remembers a state that comes before it. When the other end is gone, ocirun
    /// has died: this process exits, silently.
    Result<void> wait_for(std::string_view word);

    /// Says `created`, and waits for the word to execute the program: `start`, or `commit` and then
    /// `start` over the start socket.
    Result<void> wait_for_start();

    /// The OCI state for hooks: waits for it when ocirun has not sent it yet.
    Result<std::string> state();
    /// The state, if it has come; otherwise one that tells what is known here.
    std::string known_state() const;
    /// This process's id as ocirun counts, if it said so; else as its own pid namespace does.
    std::string own_pid() const { return own_pid_.empty() ? std::to_string(::getpid()) : own_pid_; }
    /// The connection to the filter's agent, if it came with the state; -1: it did not.
    UniqueFd take_agent() { return std::move(agent_); }

    /// Says an error to whoever asked for the start, if that came over the start socket.
    bool report_to_starter(const Error& error);

private:
    /// The next message; nothing: it was the state or the listener, which are kept.
    Result<std::optional<std::string>> receive();
    Result<std::string> receive_word();
    UniqueFd control_;
    UniqueFd start_;
    UniqueFd starter_;
    std::string state_;
    std::string own_pid_;
    UniqueFd agent_;
};
