// Reading signal names (man 7 signal).
#include "process/signal_name.h"

#include "plan/plan.h"

#include <cctype>
#include <csignal>
#include <cstring>
#include <string>

Error unknown_signal(std::string_view text)
{
    return Error{"unknown signal '" + std::string(text) + "'; give a name with or without SIG (TERM, SIGRTMIN+3; 'kill -l' lists them), or a number from 1 to " +
                 std::to_string(SIGRTMAX)};
}

Result<int> parse_signal(std::string_view text)
{
    if (!text.empty() && std::isdigit(static_cast<unsigned char>(text[0]))) {
        Result<long long> number = parse_number(text);
        if (!number.has_value() || number.value() > SIGRTMAX)
            return unknown_signal(text);
        return static_cast<int>(number.value());
    }
    std::string name;
    for (char c : text)
        name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (name.starts_with("SIG"))
        name.erase(0, 3);
    for (int number = 1; number < NSIG; number++) {
        const char* known = sigabbrev_np(number);
        if (known != nullptr && name == known)
            return number;
    }
    // Names that sigabbrev_np does not print.
    static constexpr struct {
        const char* name;
        int number;
    } others[] = {{"IOT", SIGIOT}, {"CLD", SIGCHLD}, {"POLL", SIGPOLL}, {"IO", SIGIO}, {"RTMIN", -1}, {"RTMAX", -2}};
    for (auto& other : others)
        if (name == other.name)
            return other.number == -1 ? SIGRTMIN : other.number == -2 ? SIGRTMAX : other.number;
    if (name.starts_with("RTMIN+") || name.starts_with("RTMAX-")) {
        Result<unsigned long long> distance = parse_unsigned(std::string_view(name).substr(6));
        if (distance.has_value() && distance.value() <= static_cast<unsigned long long>(SIGRTMAX - SIGRTMIN)) {
            int away = static_cast<int>(distance.value());
            return name.starts_with("RTMIN+") ? SIGRTMIN + away : SIGRTMAX - away;
        }
    }
    return unknown_signal(text);
}
