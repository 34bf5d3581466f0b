// Sizes, shares of CPUs and times as people write them.
#include "amount/amount.h"

#include "plan/plan.h"

Result<std::string> parse_size(std::string_view text)
{
    static constexpr std::string_view suffixes = "KMGT";
    std::string_view number = text;
    int shift = 0;
    if (!text.empty()) {
        char last = text.back() >= 'a' ? static_cast<char>(text.back() - 'a' + 'A') : text.back();
        if (size_t at = suffixes.find(last); at != std::string_view::npos) {
            shift = 10 * (static_cast<int>(at) + 1);
            number.remove_suffix(1);
        }
    }
    Result<long long> parsed = parse_number(number);
    if (!parsed.has_value() || (shift > 0 && (parsed.value() < 0 || parsed.value() > INT64_MAX >> shift)))
        return Error{"'" + std::string(text) + "': expected a size such as 64M or 1G", 0, {}, exit_usage};
    return std::to_string(parsed.value() << shift);
}

Result<std::string> parse_cpus(std::string_view text)
{
    const Error bad{"'" + std::string(text) + "': expected a number of CPUs such as 2 or 0.5", 0, {}, exit_usage};
    size_t point = text.find('.');
    std::string digits(text.substr(0, point));
    std::string fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
    if ((digits.empty() && fraction.empty()) || fraction.size() > 5 || digits.size() > 6)
        return bad;
    // 100000 microseconds are one CPU: five digits behind the point.
    fraction.resize(5, '0');
    Result<unsigned long long> quota = parse_unsigned(digits + fraction);
    return quota.has_value() ? Result<std::string>(std::to_string(quota.value())) : bad;
}

Result<std::chrono::milliseconds> parse_interval(std::string_view text)
{
    const Error bad{"'" + std::string(text) + "': expected a time such as 5s, 500ms or 1m30s", 0, {}, exit_usage};
    struct Unit {
        std::string_view name;
        long long milliseconds;
    };
    static constexpr Unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
    long long total = 0;
    for (std::string_view rest = text; !rest.empty();) {
        size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
        Result<long long> number = parse_number(rest.substr(0, digits));
        // A day is long enough between two samples.
        if (!number.has_value() || number.value() > 86'400'000)
            return bad;
        rest.remove_prefix(digits);
        size_t letters = std::min(rest.find_first_of("0123456789"), rest.size());
        std::string_view name = rest.substr(0, letters);
        rest.remove_prefix(letters);
        const Unit* found = nullptr;
        for (const Unit& unit : units)
            if (unit.name == name || (name.empty() && digits == text.size() && unit.name == "s"))
                found = &unit;
        if (found == nullptr)
            return bad;
        total += number.value() * found->milliseconds;
    }
    if (total <= 0 || total > 86'400'000)
        return bad;
    return std::chrono::milliseconds(total);
}
