// Sizes and shares of CPUs as people write them.
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
