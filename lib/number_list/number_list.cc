// Reading lists of numbers.
#include "number_list/number_list.h"

#include "plan/plan.h"

#include <climits>

static constexpr unsigned long long last_number = 8191; // the most CPUs that Linux can be built for (CONFIG_NR_CPUS)

static std::string_view trim(std::string_view text)
{
    while (text.starts_with(' '))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    return text;
}

Result<std::vector<unsigned long>> parse_number_list(std::string_view text)
{
    constexpr unsigned bits = sizeof(unsigned long) * CHAR_BIT;
    std::vector<unsigned long> mask;
    auto no_list = [&] {
        return Error{"'" + std::string(text) + "' is no list of numbers and ranges from 0 to 8191, such as 0-3,7"};
    };
    for (std::string_view rest = text; !rest.empty();) {
        std::string_view item = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), item.size() + 1));
        item = trim(item);
        size_t dash = item.find('-');
        Result<unsigned long long> first = parse_unsigned(trim(item.substr(0, dash)));
        Result<unsigned long long> last =
            dash == std::string_view::npos ? first : parse_unsigned(trim(item.substr(dash + 1)));
        if (!first.has_value() || !last.has_value() || first.value() > last.value() || last.value() > last_number)
            return no_list();
        if (mask.size() <= last.value() / bits)
            mask.resize(last.value() / bits + 1);
        for (unsigned long long number = first.value(); number <= last.value(); number++)
            mask[number / bits] |= 1UL << number % bits;
    }
    if (mask.empty())
        return no_list();
    return mask;
}
