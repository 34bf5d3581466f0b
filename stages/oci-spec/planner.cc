// The walk along the property table.
#include "planner.h"

#include "handlers.h"
#include "nearest.h"
#include "number_list/number_list.h"
#include "stage/stage.h"
#include "version.h"

#include <charconv>
#include <cstring>

static bool is_dotted_identifiers(std::string_view text)
{
    bool empty = true;
    for (char c : text) {
        if (c == '.') {
            if (empty)
                return false;
            empty = true;
            continue;
        }
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'))
            return false;
        empty = false;
    }
    return !empty;
}

std::optional<SpecVersion> parse_version(std::string_view text)
{
    size_t plus = text.find('+');
    if (plus != std::string_view::npos && !is_dotted_identifiers(text.substr(plus + 1)))
        return std::nullopt;
    text = text.substr(0, plus);
    size_t dash = text.find('-');
    if (dash != std::string_view::npos && !is_dotted_identifiers(text.substr(dash + 1)))
        return std::nullopt;
    text = text.substr(0, dash);

    unsigned numbers[3];
    for (size_t i = 0; i < 3; i++) {
        auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), numbers[i]);
        size_t digits = static_cast<size_t>(end - text.data());
        if (problem != std::errc() || digits == 0 || (digits > 1 && text[0] == '0'))
            return std::nullopt;
        text.remove_prefix(digits);
        if (i < 2 && !text.starts_with('.'))
            return std::nullopt;
        if (i < 2)
            text.remove_prefix(1);
    }
    if (!text.empty())
        return std::nullopt;
    return SpecVersion{numbers[0], numbers[1], numbers[2]};
}

Planner::Planner(const Document& document, Subject subject, bool is_strict, Problems& problems)
    : document_(document)
    , subject_(subject)
    , is_strict_(is_strict)
    , problems_(problems)
{
}

const char* pointer_of(Subject subject)
{
    switch (subject) {
    case Subject::process: return "/process";
    case Subject::seccomp: return "/linux/seccomp";
    case Subject::resources: return "/linux/resources";
    case Subject::config: break;
    }
    return "";
}

void Planner::run()
{
    if (!top())
        return;
    if (subject_ == Subject::config)
        look_around();
    visit(top(), subject_ == Subject::config ? Property::root() : *Property::find(pointer_of(subject_)));
}

static bool is_bind_on_dev(Value mount)
{
    std::string_view destination = mount["destination"].text();
    while (destination.size() > 1 && destination.ends_with('/'))
        destination.remove_suffix(1);
    return (destination == "/dev" || destination == "dev") && is_bind_mount(mount);
}

bool is_bind_mount(Value mount)
{
    if (mount["type"].text() == "bind")
        return true;
    for (Value option = mount["options"].first(); option; option = option.next())
        if (option.text() == "bind" || option.text() == "rbind")
            return true;
    return false;
}

/// Types are not checked yet: values of the wrong type are just not found here.
void Planner::look_around()
{
    for (Value entry = top()["linux"]["namespaces"].first(); entry; entry = entry.next()) {
        Value type = entry["type"];
        if (std::optional<size_t> kind = index_of_word(namespace_words, type.text()); kind && type.is(Kind::string) && !namespaces_[*kind])
            namespaces_[*kind] = entry;
    }
    for (Value mount = top()["mounts"].first(); mount; mount = mount.next())
        is_dev_bound_ = is_dev_bound_ || is_bind_on_dev(mount);
    version_ = parse_version(top()["ociVersion"].text());
}

Value Planner::find_namespace(std::string_view kind) const
{
    std::optional<size_t> index = index_of_word(namespace_words, kind);
    return index ? namespaces_[*index] : Value();
}

bool Planner::makes_user_namespace() const
{
    Value entry = find_namespace("user");
    return entry && entry["path"].text().empty();
}

const IdMap& Planner::user_map()
{
    if (!user_map_)
        user_map_.emplace(top()["linux"]["uidMappings"]);
    return *user_map_;
}

const IdMap& Planner::group_map()
{
    if (!group_map_)
        group_map_.emplace(top()["linux"]["gidMappings"]);
    return *group_map_;
}

Value Planner::find_earlier(Property property, std::string_view word, Value value)
{
    auto [place, is_new] = seen_words_.try_emplace({property.pattern(), word}, value);
    return is_new ? Value() : place->second;
}

void Planner::emit(std::string_view directive, Value from, std::initializer_list<std::string_view> fields)
{
    plan_.add(directive, from.pointer(), fields);
}

void Planner::emit(std::string_view directive, Value from, std::span<const std::string> fields)
{
    plan_.add(directive, from.pointer(), fields);
}

void Planner::emit_default(std::string_view directive, std::initializer_list<std::string_view> fields)
{
    plan_.add(directive, "-", fields);
}

/// What a message calls a value: scalars by what they are, the rest by their kind.
static std::string describe(Value value)
{
    switch (value.kind()) {
    case Kind::string: return value.text().empty() ? "an empty string" : quoted(value.text());
    case Kind::number:
        // The spelling of a number may be as long as the document.
        return std::string(value.text().substr(0, 40)) + (value.text().size() > 40 ? "..." : "");
    case Kind::boolean: return std::string(value.text());
    default: return name_of(value.kind());
    }
}

void Planner::add_problem(Value value, std::string_view expected)
{
    add_sentence(value, "found " + describe(value) + ", expected " + std::string(expected));
}

void Planner::add_sentence(Value value, std::string sentence) { problems_.add(value.place(), std::move(sentence)); }

void Planner::add_missing(Value object, std::string_view name, std::string_view expected)
{
    problems_.add(object.place(), "found nothing, expected " + std::string(expected), name);
}

void Planner::warn(Value value, const std::string& sentence)
{
    warnings_++;
    if (warnings_ <= max_warnings)
        stage::warn(value.pointer() + ": " + sentence);
    else if (warnings_ == max_warnings + 1)
        stage::warn("and more warnings like these");
}

bool Planner::check_word(Value value, std::string_view words)
{
    if (contains_word(words, value.text()))
        return true;
    std::string list;
    for (char c : words)
        list += c == ' ' ? std::string(", ") : std::string(1, c);
    add_problem(value, (words.find(' ') == std::string_view::npos ? "" : "one of ") + list);
    return false;
}

bool Planner::check_range(Value value, long long least, long long most)
{
    if (!value)
        return true;
    std::optional<long long> number = value.to_signed();
    if (number && *number >= least && *number <= most)
        return true;
    add_problem(value, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return false;
}

bool Planner::check_absolute_path(Value value)
{
    if (value.text().starts_with('/'))
        return true;
    add_problem(value, "an absolute path");
    return false;
}

bool Planner::check_number_list(Value value)
{
    // As long as the kernel takes one (cpuset_cgrp_files: 100 + 6 * NR_CPUS).
    if (value.text().empty() || (value.text().size() <= 100 + 6 * 8192 && parse_number_list(value.text()).has_value()))
        return true;
    add_problem(value, "a list of numbers and ranges from 0 to 8191, such as 0-3,7");
    return false;
}

bool Planner::visit(Value value, Property property)
{
    size_t problems_before = problems_.count();
    if (value.is(Kind::broken) || !check_type(value, property))
        return false;
    if (is_strict_)
        check_since(value, property);
    bool is_good = true;
    switch (property.type()) {
    case Type::object: is_good = visit_members(value, property); break;
    case Type::map:
        for (Value member = value.first(); member; member = member.next())
            is_good = (member.is(Kind::null) || visit(member, property.first())) && is_good;
        break;
    case Type::array:
        for (Value item = value.first(); item; item = item.next())
            is_good = visit(item, property.first()) && is_good;
        break;
    default: break;
    }
    if (is_strict_ && property.fate() == Fate::ignored)
        warn(value, "is ignored: it is " + std::string(property.note()));
    // Handlers trust the types of what they are given.
    if (property.handler() != nullptr && is_good && problems_.count() == problems_before)
        property.handler()(*this, value, property);
    return is_good && problems_.count() == problems_before;
}

bool Planner::visit_members(Value value, Property property)
{
    size_t known = 0;
    bool is_good = true;
    for (Property member = property.first(); member; member = member.next()) {
        Value found = value[member.name()];
        if (found) {
            known++;
            is_good = visit(found, member) && is_good;
        } else if (member.is_required()) {
            add_missing(value, member.name(), name_of(member.type()));
        }
    }
    if (is_strict_ && known != value.size())
        check_unknown_keys(value, property);
    return is_good;
}

bool Planner::check_type(Value value, Property property)
{
    Type type = property.type();
    auto is_unsigned_below = [&](unsigned long long most) {
        std::optional<unsigned long long> number = value.to_unsigned();
        return number && *number <= most;
    };
    bool fits = false;
    Kind wanted = Kind::number;
    switch (type) {
    case Type::object:
    case Type::map:
        wanted = Kind::object;
        fits = value.is(wanted);
        break;
    case Type::array:
        wanted = Kind::array;
        fits = value.is(wanted);
        break;
    case Type::string:
        wanted = Kind::string;
        fits = value.is(wanted);
        break;
    case Type::boolean:
        wanted = Kind::boolean;
        fits = value.is(wanted);
        break;
    case Type::uint16: fits = is_unsigned_below(UINT16_MAX); break;
    case Type::uint32: fits = is_unsigned_below(UINT32_MAX); break;
    case Type::uint64: fits = is_unsigned_below(UINT64_MAX); break;
    case Type::int32: {
        std::optional<long long> number = value.to_signed();
        fits = number && *number >= INT32_MIN && *number <= INT32_MAX;
        break;
    }
    case Type::int64: fits = value.to_signed().has_value(); break;
    case Type::anything: return true;
    }
    if (fits)
        return true;
    // A number of the wrong kind is named, as its value is what is wrong; else the kind says enough.
    if (wanted == Kind::number && value.is(Kind::number))
        add_problem(value, name_of(type));
    else
        add_sentence(value, std::string("found ") + name_of(value.kind()) + ", expected " + std::string(name_of(type)));
    return false;
}

void Planner::check_unknown_keys(Value value, Property property)
{
    for (Value member = value.first(); member; member = member.next()) {
        bool is_known = false;
        for (Property p = property.first(); p && !is_known; p = p.next())
            is_known = p.name() == member.key();
        if (is_known)
            continue;
        std::string_view nearest;
        // Comparing costs too much for a million unknown keys, and only the first are said anyway.
        if (problems_.count() < max_errors) {
            std::vector<std::string_view> names;
            for (Property p = property.first(); p; p = p.next())
                names.push_back(p.name());
            nearest = find_nearest(member.key(), names);
        }
        std::string sentence = "found the unknown key " + quoted(member.key()) + ", expected " +
                               (nearest.empty() ? "one of this object's properties" : "perhaps " + quoted(nearest));
        problems_.add(member.key_place(), sentence);
    }
}

/// A property that is newer than the version that the document names is a sign of a wrong version.
void Planner::check_since(Value value, Property property)
{
    std::optional<SpecVersion> since = parse_version(property.since());
    if (version_ && since && *version_ < *since)
        problems_.add(value.key_place(), "found a property of runtime-spec " + std::string(property.since()) +
                                             ", expected 'ociVersion' to be at least that");
}

Planned plan_of(std::string text, Subject subject, bool is_strict)
{
    Problems problems;
    Document document = Document::parse(std::move(text), pointer_of(subject), problems);
    Planner planner(document, subject, is_strict, problems);
    planner.run();
    std::vector<Error> errors = problems.to_errors(document);
    return {std::move(document), std::move(errors), std::move(planner).take_plan()};
}
