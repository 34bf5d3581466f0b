// Reading and writing plans.
#include "plan/plan.h"

#include "fd/fd.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>

void append_escaped(std::string& to, std::string_view field)
{
    for (char c : field) {
        if (c == '\t')
            to += "\\t";
        else if (c == '\n')
            to += "\\n";
        else if (c == '\\')
            to += "\\\\";
        else
            to += c;
    }
}

std::string join_fields(std::initializer_list<std::string_view> fields)
{
    std::string line;
    bool first = true;
    for (std::string_view field : fields) {
        if (!first)
            line += '\t';
        first = false;
        append_escaped(line, field);
    }
    return line;
}

/// Undoes the escapes in place; returns the new end, or null for a bad escape.
static char* unescape(char* begin, char* end)
{
    char* backslash = static_cast<char*>(std::memchr(begin, '\\', static_cast<size_t>(end - begin)));
    if (backslash == nullptr)
        return end;
    char* to = backslash;
    for (char* from = backslash; from < end; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        from++;
        if (from == end)
            return nullptr;
        switch (*from) {
        case 't': *to++ = '\t'; break;
        case 'n': *to++ = '\n'; break;
        case '\\': *to++ = '\\'; break;
        default: return nullptr;
        }
    }
    return to;
}

Result<std::vector<std::string>> split_fields(std::string_view line)
{
    std::vector<std::string> fields;
    for (;;) {
        size_t tab = line.find('\t');
        std::string field(line.substr(0, tab));
        char* end = unescape(field.data(), field.data() + field.size());
        if (end == nullptr)
            return Error{"bad escape in a message"};
        field.resize(static_cast<size_t>(end - field.data()));
        fields.push_back(std::move(field));
        if (tab == std::string_view::npos)
            return fields;
        line.remove_prefix(tab + 1);
    }
}

static Error plan_error(size_t line, const std::string& what)
{
    return Error{"plan line " + std::to_string(line) + ": " + what};
}

static bool belongs_to(std::string_view name, std::string_view stage)
{
    return stage.empty() || (name.starts_with(stage) && name.size() > stage.size() && name[stage.size()] == '.');
}

Result<Plan> Plan::parse(std::string text, std::string_view stage)
{
    if (!text.starts_with(plan_first_line))
        return plan_error(1, text.starts_with("plan ") ? "unknown version; this program reads 'plan 1'" : "expected 'plan 1'");
    if (text.find('\0') != std::string::npos)
        return Error{"plan: contains a NUL byte"};

    Plan plan;
    plan.text_ = std::make_unique<std::string>(std::move(text));
    // Counted first: vectors that grow would touch twice the memory, which in a container's first process is the container's.
    const auto lines = static_cast<size_t>(std::count(plan.text_->begin(), plan.text_->end(), '\n'));
    const auto fields = static_cast<size_t>(std::count(plan.text_->begin(), plan.text_->end(), '\t'));
    plan.directives_.reserve(lines);
    plan.fields_.reserve(fields);
    // Where each directive's fields start in fields_: spans are made when fields_ no longer grows.
    std::vector<size_t> starts;
    starts.reserve(lines);
    char* at = plan.text_->data() + plan_first_line.size();
    char* const end = plan.text_->data() + plan.text_->size();
    bool ended = false;
    const DirectiveType* type = nullptr;
    for (size_t line = 2; at < end; line++) {
        char* line_end = static_cast<char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
        if (line_end == nullptr)
            return plan_error(line, "cut short");
        if (ended)
            return plan_error(line, "something follows 'end'");
        char* next_line = line_end + 1;
        if (std::string_view(at, static_cast<size_t>(line_end - at)) == "end") {
            ended = true;
            at = next_line;
            continue;
        }
        char* name_end = static_cast<char*>(std::memchr(at, '\t', static_cast<size_t>(line_end - at)));
        std::string_view name(at, static_cast<size_t>((name_end != nullptr ? name_end : line_end) - at));
        // Lines of one kind follow each other.
        if (type == nullptr || !type->is(name))
            type = find_directive_type(name);
        if (type == nullptr) {
            if (belongs_to(name, stage))
                return plan_error(line, "unknown directive '" + std::string(name) + "'");
            at = next_line;
            continue;
        }
        if (name_end == nullptr)
            return plan_error(line, "'" + std::string(name) + "' has no JSON pointer ('-' for none)");

        size_t first_field = plan.fields_.size();
        for (at = name_end + 1;;) {
            char* tab = static_cast<char*>(std::memchr(at, '\t', static_cast<size_t>(line_end - at)));
            char* field_end = tab != nullptr ? tab : line_end;
            char* unescaped_end = unescape(at, field_end);
            if (unescaped_end == nullptr)
                return plan_error(line, "bad escape");
            *unescaped_end = '\0';
            plan.fields_.emplace_back(at, static_cast<size_t>(unescaped_end - at));
            at = field_end + 1;
            if (tab == nullptr)
                break;
        }
        size_t count = plan.fields_.size() - first_field - 1;
        if (count < type->min_fields || (type->max_fields != many && count > type->max_fields))
            return plan_error(line, "'" + std::string(type->name()) + "' has " + std::to_string(count) + " fields; expected " +
                                        (type->fields().empty() ? "none" : std::string(type->fields())));
        Field pointer = plan.fields_[first_field];
        if (pointer != "-" && !pointer.starts_with('/'))
            return plan_error(line, "'" + std::string(pointer) + "' is neither a JSON pointer nor '-'");
        plan.directives_.push_back({type, pointer, {}});
        starts.push_back(first_field + 1);
        at = next_line;
    }
    if (!ended)
        return Error{"plan: cut short (no 'end')"};
    for (size_t i = 0; i < plan.directives_.size(); i++) {
        size_t next = i + 1 < starts.size() ? starts[i + 1] - 1 : plan.fields_.size();
        plan.directives_[i].fields = std::span<const Field>(plan.fields_.data() + starts[i], next - starts[i]);
    }
    return plan;
}

Result<Plan> Plan::read(int fd, std::string_view stage)
{
    std::string text = TRY(read_whole(fd, max_plan_size).with_context("cannot read the plan"));
    return parse(std::move(text), stage);
}

const Directive* Plan::find(std::string_view name) const
{
    for (size_t i = directives_.size(); i > 0; i--)
        if (directives_[i - 1].is(name))
            return &directives_[i - 1];
    return nullptr;
}

Field Plan::value(std::string_view name, Field otherwise) const
{
    const Directive* directive = find(name);
    return directive != nullptr ? (*directive)[0] : otherwise;
}

PlanWriter::PlanWriter()
{
    // A usual plan without growing; memory that is not written costs nothing.
    text_.reserve(16 << 10);
    text_ = plan_first_line;
}

static void append_line_start(std::string& text, std::string_view name, std::string_view pointer)
{
    assert(find_directive_type(name) != nullptr);
    text += name;
    text += '\t';
    append_escaped(text, pointer.empty() ? "-" : pointer);
}

void PlanWriter::add(std::string_view name, std::string_view pointer, std::initializer_list<std::string_view> fields)
{
    append_line_start(text_, name, pointer);
    for (std::string_view field : fields) {
        text_ += '\t';
        append_escaped(text_, field);
    }
    text_ += '\n';
}

void PlanWriter::add(std::string_view name, std::string_view pointer, std::span<const std::string> fields)
{
    append_line_start(text_, name, pointer);
    for (const std::string& field : fields) {
        text_ += '\t';
        append_escaped(text_, field);
    }
    text_ += '\n';
}

std::string PlanWriter::finish() &&
{
    text_ += plan_last_line;
    return std::move(text_);
}

Result<long long> parse_number(std::string_view text)
{
    long long number = 0;
    auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || problem != std::errc() || end != text.data() + text.size())
        return Error{"'" + std::string(text) + "' is not a number in range"};
    return number;
}

Result<unsigned long long> parse_unsigned(std::string_view text, int base)
{
    unsigned long long number = 0;
    auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (text.empty() || problem != std::errc() || end != text.data() + text.size())
        return Error{"'" + std::string(text) + "' is not a number in range"};
    return number;
}
