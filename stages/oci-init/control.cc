// Messages to and from ocirun.
#include "control.h"

#include "plan/plan.h"
#include "stage/stage.h"
#include "version.h"

#include <sys/socket.h>

/// A state too long for a packet comes as a file.
static constexpr size_t max_state = 16 << 20;

Result<void> Control::say(std::string_view word, int fd)
{
    if (!is_driven())
        return {};
    std::span<const int> fds = fd >= 0 ? std::span<const int>(&fd, 1) : std::span<const int>();
    return send_packet(control_.get(), word, fds).with_context("cannot tell ocirun '" + std::string(word) + "'");
}

Result<std::optional<std::string>> Control::receive()
{
    Packet packet = TRY(receive_packet(control_.get()).with_context("cannot hear ocirun"));
    if (packet.end_of_file)
        ::_exit(exit_stage_failed);
    if (packet.text == "state" && packet.fds.size() == 1) {
        state_ = TRY(read_whole(packet.fds[0].get(), max_state).with_context("cannot read the state"));
    } else if (packet.text.starts_with("state\t")) {
        state_ = TRY(split_fields(packet.text))[1];
    } else if (packet.text.starts_with("listener\t")) {
        own_pid_ = TRY(split_fields(packet.text))[1];
        if (packet.fds.size() == 1)
            agent_ = std::move(packet.fds[0]);
    } else {
        return std::optional(std::move(packet.text));
    }
    return std::optional<std::string>();
}

Result<std::string> Control::receive_word()
{
    for (;;)
        if (std::optional<std::string> word = TRY(receive()))
            return std::move(*word);
}

Result<void> Control::wait_for(std::string_view word)
{
    if (!is_driven())
        return {};
    const std::string text = TRY(receive_word());
    if (text != word)
        return Error{"expected '" + std::string(word) + "' on the control socket, got '" + text + "'"};
    return {};
}

Result<std::string> Control::state()
{
    while (state_.empty() && is_driven())
        if (std::optional<std::string> word = TRY(receive()))
            return Error{"expected 'state' on the control socket, got '" + *word + "'"};
    return known_state();
}

std::string Control::known_state() const
{
    if (!state_.empty())
        return state_;
    return "{\"ociVersion\":\"" OCIRUN_SPEC_VERSION "\",\"id\":\"\",\"status\":\"creating\",\"pid\":" + std::to_string(::getpid()) +
           ",\"bundle\":\"\"}";
}

Result<void> Control::wait_for_start()
{
    TRY(say("created"));
    while (is_driven()) {
        std::string text = TRY(receive_word());
        if (text == "start") {
            start_.reset();
            return {};
        }
        if (text != "commit" || !start_)
            return Error{"expected 'start' on the control socket, got '" + text + "'"};
        // From now on ocirun may go, and a `start` may come whenever somebody likes.
        control_.reset();
    }
    // Held until the program is executed: as long as somebody listens there, the container counts as created.
    while (start_ && !starter_) {
        UniqueFd starter(::accept4(start_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!starter) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            return errno_error("cannot wait for 'start'");
        }
        // Whoever goes away without the word, or says another one, starts nothing.
        Result<Packet> packet = receive_packet(starter.get());
        if (!packet.has_value() || packet.value().text != "start")
            continue;
        if (!send_packet(starter.get(), "starting").has_value())
            continue;
        starter_ = std::move(starter);
    }
    return {};
}

bool Control::report_to_starter(const Error& error)
{
    return starter_ && send_packet(starter_.get(), "error\t" + stage::error_line(error)).has_value();
}
