// Messages to and from ocirun.
#include "control.h"

#include "plan/plan.h"
#include "stage/stage.h"
#include "version.h"

#include <sys/socket.h>

static constexpr std::string_view state_prefix = "state\t";

Result<void> Control::say(std::string_view word, int fd)
{
    if (!is_driven())
        return {};
    std::span<const int> fds = fd >= 0 ? std::span<const int>(&fd, 1) : std::span<const int>();
    return send_packet(control_.get(), word, fds).with_context("cannot tell ocirun '" + std::string(word) + "'");
}

Result<std::string> Control::receive()
{
    Packet packet = TRY(receive_packet(control_.get()).with_context("cannot hear ocirun"));
    if (packet.end_of_file)
        ::_exit(exit_stage_failed);
    return std::move(packet.text);
}

Result<void> Control::wait_for(std::string_view word)
{
    while (is_driven()) {
        std::string text = TRY(receive());
        if (text.starts_with(state_prefix)) {
            state_ = TRY(split_fields(text))[1];
            continue;
        }
        if (text == word)
            break;
        return Error{"expected '" + std::string(word) + "' on the control socket, got '" + text + "'"};
    }
    return {};
}

Result<std::string> Control::state()
{
    while (state_.empty() && is_driven()) {
        std::string text = TRY(receive());
        if (!text.starts_with(state_prefix))
            return Error{"expected 'state' on the control socket, got '" + text + "'"};
        state_ = TRY(split_fields(text))[1];
    }
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
        std::string text = TRY(receive());
        if (text.starts_with(state_prefix)) {
            state_ = TRY(split_fields(text))[1];
            continue;
        }
        if (text == "start") {
            start_.reset();
            return {};
        }
        if (text != "commit" || !start_)
            return Error{"expected 'start' on the control socket, got '" + text + "'"};
        // From now on ocirun may go, and a `start` may come whenever somebody likes.
        control_.reset();
    }
    while (start_) {
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
        start_.reset();
    }
    return {};
}

bool Control::report_to_starter(const Error& error)
{
    return starter_ && send_packet(starter_.get(), "error\t" + stage::error_line(error)).has_value();
}
