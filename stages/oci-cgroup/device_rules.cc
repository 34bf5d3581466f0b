// Reading device rules, and reducing them to what cgroup v1 can express.
#include "device_rules.h"
#include "scan/scan.h"

#include <algorithm>

static Error bad_rule(const std::string& what) { return Error{"device rule: " + what}; }

static Result<std::optional<uint32_t>> parse_device_number(std::string_view text, const char* what)
{
    // -1 is the runtime-spec's other way to say any.
    if (text == "*" || text == "-1" || text.empty())
        return std::optional<uint32_t>();
    Result<unsigned long long> number = parse_unsigned(text);
    if (!number.has_value() || number.value() > UINT32_MAX)
        return bad_rule(std::string(what) + " number '" + std::string(text) + "': expected a number or '*'");
    return std::optional<uint32_t>(static_cast<uint32_t>(number.value()));
}

Result<DeviceRule> parse_device_rule(std::span<const Field> fields)
{
    if (fields.size() != 5)
        return bad_rule("expected allow|deny TYPE MAJOR MINOR ACCESS");
    DeviceRule rule;
    if (fields[0] != "allow" && fields[0] != "deny")
        return bad_rule("'" + std::string(fields[0]) + "': expected allow or deny");
    rule.allow = fields[0] == "allow";
    if (fields[1] != "a" && fields[1] != "b" && fields[1] != "c")
        return bad_rule("type '" + std::string(fields[1]) + "': expected a, b or c");
    rule.type = fields[1][0];
    rule.major = TRY(parse_device_number(fields[2], "major"));
    rule.minor = TRY(parse_device_number(fields[3], "minor"));
    rule.access = 0;
    for (char c : fields[4]) {
        if (c == 'r')
            rule.access |= access_read;
        else if (c == 'w')
            rule.access |= access_write;
        else if (c == 'm')
            rule.access |= access_mknod;
        else
            return bad_rule("access '" + std::string(fields[4]) + "': expected letters of rwm");
    }
    if (rule.access == 0)
        return bad_rule("no access is named: expected letters of rwm");
    return rule;
}

Result<DeviceRule> parse_device_option(std::string_view text)
{
    std::vector<Field> words;
    while (!text.empty()) {
        size_t end = text.find(' ');
        if (end != 0)
            words.push_back(text.substr(0, end));
        text = end == std::string_view::npos ? Field() : text.substr(end + 1);
    }
    if (words.size() < 2 || words.size() > 4)
        return bad_rule("expected 'allow|deny TYPE MAJOR:MINOR ACCESS'");
    Field numbers = words.size() > 2 ? words[2] : "*:*";
    size_t colon = numbers.find(':');
    if (colon == Field::npos)
        return bad_rule("'" + std::string(numbers) + "': expected MAJOR:MINOR");
    const Field fields[] = {words[0], words[1], numbers.substr(0, colon), numbers.substr(colon + 1), words.size() > 3 ? words[3] : "rwm"};
    return parse_device_rule(fields);
}

static bool covers(const std::optional<uint32_t>& a, const std::optional<uint32_t>& b) { return !a || a == b; }
static bool meets(const std::optional<uint32_t>& a, const std::optional<uint32_t>& b) { return !a || !b || a == b; }

/// Every device that `b` is about, `a` is about.
static bool covers(const DeviceRule& a, const DeviceRule& b) { return a.type == b.type && covers(a.major, b.major) && covers(a.minor, b.minor); }
/// Some device is in both.
static bool meets(const DeviceRule& a, const DeviceRule& b) { return a.type == b.type && meets(a.major, b.major) && meets(a.minor, b.minor); }
static bool same_devices(const DeviceRule& a, const DeviceRule& b) { return a.type == b.type && a.major == b.major && a.minor == b.minor; }

static Result<void> take_from_exceptions(std::vector<DeviceRule>& exceptions, const DeviceRule& rule)
{
    for (DeviceRule& exception : exceptions) {
        if (covers(rule, exception))
            exception.access &= ~rule.access;
        else if (meets(rule, exception) && (rule.access & exception.access) != 0)
            return bad_rule("cgroup v1 cannot make an exception from an exception with wildcards").with_pointer(rule.where);
    }
    std::erase_if(exceptions, [](const DeviceRule& exception) { return exception.access == 0; });
    return {};
}

static void add_exception(std::vector<DeviceRule>& exceptions, const DeviceRule& rule)
{
    DeviceRule added = rule;
    for (const DeviceRule& exception : exceptions)
        if (covers(exception, rule) && (rule.access & ~exception.access) == 0)
            return;
    // The kernel matches an access against one exception at a time, so that accesses of the same
    // devices have to be in one.
    std::erase_if(exceptions, [&](const DeviceRule& exception) {
        if (same_devices(exception, added)) {
            added.access |= exception.access;
            return true;
        }
        return covers(added, exception) && (exception.access & ~added.access) == 0;
    });
    exceptions.push_back(added);
}

std::string access_text(uint32_t access)
{
    std::string text;
    for (auto [bit, letter] : {std::pair(access_read, 'r'), std::pair(access_write, 'w'), std::pair(access_mknod, 'm')})
        if ((access & bit) != 0)
            text += letter;
    return text;
}

static std::string exception_text(const DeviceRule& rule)
{
    std::string text(1, rule.type);
    text += ' ';
    text += rule.major ? std::to_string(*rule.major) : "*";
    text += ':';
    text += rule.minor ? std::to_string(*rule.minor) : "*";
    return text + ' ' + access_text(rule.access);
}

Result<DefaultAndExceptions> reduce(std::span<const DeviceRule> rules)
{
    DefaultAndExceptions reduced;
    for (const DeviceRule& rule : rules) {
        if (rule.is_for_everything()) {
            reduced = {rule.allow, &rule};
            continue;
        }
        // To the kernel `a` means everything, whatever numbers follow.
        for (char type : {'b', 'c'}) {
            if (rule.type != 'a' && rule.type != type)
                continue;
            DeviceRule one = rule;
            one.type = type;
            if (rule.allow == reduced.allow_by_default)
                TRY(take_from_exceptions(reduced.exceptions, one));
            else
                add_exception(reduced.exceptions, one);
        }
    }
    return reduced;
}

static std::vector<DeviceLine> lines_of(const DefaultAndExceptions& reduced)
{
    std::vector<DeviceLine> lines;
    if (reduced.default_from != nullptr)
        lines.push_back({reduced.allow_by_default ? "devices.allow" : "devices.deny", "a", reduced.default_from->where});
    for (const DeviceRule& exception : reduced.exceptions)
        lines.push_back({reduced.allow_by_default ? "devices.deny" : "devices.allow", exception_text(exception), exception.where});
    return lines;
}

Result<std::vector<DeviceLine>> device_lines(std::span<const DeviceRule> rules) { return lines_of(TRY(reduce(rules))); }

/// devices.list of a cgroup that denies by default; nothing: it allows by default.
static Result<std::optional<std::vector<DeviceRule>>> parse_device_list(std::string_view text)
{
    std::vector<DeviceRule> exceptions;
    while (!text.empty()) {
        std::string_view line = take_line(text);
        if (line.starts_with('a'))
            return std::optional<std::vector<DeviceRule>>();
        exceptions.push_back(TRY(parse_device_option("allow " + std::string(line)).with_context("devices.list")));
    }
    return std::optional(std::move(exceptions));
}

static uint32_t access_of_same(const std::vector<DeviceRule>& rules, const DeviceRule& like)
{
    uint32_t access = 0;
    for (const DeviceRule& rule : rules)
        if (same_devices(rule, like))
            access |= rule.access;
    return access;
}

/// Both deny by default: what is new is allowed before what is old is denied.
static std::vector<DeviceLine> exchange(const std::vector<DeviceRule>& before, const std::vector<DeviceRule>& after, Field where)
{
    std::vector<DeviceLine> lines;
    for (const DeviceRule& rule : after)
        if ((rule.access & ~access_of_same(before, rule)) != 0)
            lines.push_back({"devices.allow", exception_text(rule), rule.where.empty() ? where : rule.where});
    for (const DeviceRule& rule : before) {
        DeviceRule surplus = rule;
        surplus.access &= ~access_of_same(after, rule);
        if (surplus.access != 0)
            lines.push_back({"devices.deny", exception_text(surplus), where});
    }
    return lines;
}

Result<std::vector<DeviceLine>> device_transition(std::string_view present, std::span<const DeviceRule> rules)
{
    DefaultAndExceptions wanted = TRY(reduce(rules));
    std::optional<std::vector<DeviceRule>> before = TRY(parse_device_list(present));
    if (wanted.default_from == nullptr || wanted.allow_by_default || !before)
        return lines_of(wanted);
    return exchange(*before, wanted.exceptions, wanted.default_from->where);
}

Result<std::vector<DeviceLine>> device_lines_back(std::string_view present, std::string_view before)
{
    std::optional<std::vector<DeviceRule>> wanted = TRY(parse_device_list(before));
    if (!wanted)
        return std::vector<DeviceLine>{{"devices.allow", "a", {}}};
    std::optional<std::vector<DeviceRule>> now = TRY(parse_device_list(present));
    std::vector<DeviceLine> lines;
    if (!now)
        lines.push_back({"devices.deny", "a", {}});
    for (DeviceLine& line : exchange(now.value_or(std::vector<DeviceRule>()), *wanted, {}))
        lines.push_back(std::move(line));
    return lines;
}
