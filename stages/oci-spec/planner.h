// Walks a document along the property table: checks it, and writes its plan.
#pragma once

#include "id_map.h"
#include "json.h"
#include "plan/plan.h"
#include "properties.h"
#include "words.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

/// A version by SemVer 2.0.0: MAJOR.MINOR.PATCH with optional -PRERELEASE and +BUILD.
struct SpecVersion {
    unsigned major;
    unsigned minor;
    unsigned patch;
    auto operator<=>(const SpecVersion&) const = default;
};
std::optional<SpecVersion> parse_version(std::string_view text);

/// What to read a document as.
enum class Subject {
    config,   ///< a config.json
    process,  ///< a process object alone, as `exec --process` takes it
    seccomp,  ///< the object of linux.seccomp alone
    resources,  ///< the object linux.resources alone, as `update --resources` takes it
};

/// Where in a config.json such a document stands.
const char* pointer_of(Subject subject);

class Planner {
public:
    Planner(const Document& document, Subject subject, bool is_strict, Problems& problems);

    /// Checks everything and writes the plan; the plan is worth something only if there are no problems.
    void run();
    std::string take_plan() && { return std::move(plan_).finish(); }

    // For the handlers:

    Value top() const { return document_.root(); }
    bool is_strict() const { return is_strict_; }
    /// Whether limits of a running container are changed: there what turns something off is a wish, too.
    bool is_update() const { return subject_ == Subject::resources; }

    /// Whether the container has a namespace of that kind of its own or joins one.
    bool has_namespace(std::string_view kind) const { return static_cast<bool>(find_namespace(kind)); }
    /// The first entry of linux.namespaces of that kind, or none.
    Value find_namespace(std::string_view kind) const;
    /// Whether /dev is a bind mount: then it is the caller's, and nothing is made in it.
    bool is_dev_bound() const { return is_dev_bound_; }

    /// Whether there is a new user namespace without linux.uidMappings, without linux.gidMappings.
    bool has_no_users() const { return makes_user_namespace() && top()["linux"]["uidMappings"].size() == 0; }
    bool has_no_groups() const { return makes_user_namespace() && top()["linux"]["gidMappings"].size() == 0; }
    /// linux.uidMappings and linux.gidMappings.
    const IdMap& user_map();
    const IdMap& group_map();

    /// The value for which it was called with that word and that property before; nothing: this is the first one.
    Value find_earlier(Property property, std::string_view word, Value value);

    /// Adds a line to the plan.
    void emit(std::string_view directive, Value from, std::initializer_list<std::string_view> fields);
    void emit(std::string_view directive, Value from, std::span<const std::string> fields);
    /// Adds a line that stands nowhere in the document.
    void emit_default(std::string_view directive, std::initializer_list<std::string_view> fields);

    /// `found VALUE, expected EXPECTED` at the value.
    void add_problem(Value value, std::string_view expected);
    /// A sentence of its own at the value.
    void add_sentence(Value value, std::string sentence);
    /// `found nothing, expected EXPECTED` for the member `name` of `object`.
    void add_missing(Value object, std::string_view name, std::string_view expected);
    /// A warning about the value; the first ones only.
    void warn(Value value, const std::string& sentence);
    /// A word of a list of words separated by blanks; else a problem that lists them.
    bool check_word(Value value, std::string_view words);
    /// A whole number within bounds; else a problem. Values that are not there are fine.
    bool check_range(Value value, long long least, long long most);
    bool check_absolute_path(Value value);
    /// A list of numbers and ranges as cpuset(7) has them, "0-3,7"; else a problem. Values that are not there are fine.
    bool check_number_list(Value value);

private:
    void look_around();
    bool makes_user_namespace() const;
    /// True: nothing is wrong with the value and what is in it.
    bool visit(Value value, Property property);
    bool visit_members(Value value, Property property);
    bool check_type(Value value, Property property);
    void check_unknown_keys(Value value, Property property);
    void check_since(Value value, Property property);

    const Document& document_;
    Subject subject_;
    bool is_strict_;
    Problems& problems_;
    PlanWriter plan_;
    size_t warnings_ = 0;

    // What many handlers ask, looked up once: a lookup is a walk over the keys of an object.
    static constexpr size_t namespace_kinds = 1 + std::ranges::count(namespace_words, ' ');
    Value namespaces_[namespace_kinds];
    bool is_dev_bound_ = false;
    std::optional<SpecVersion> version_;
    std::optional<IdMap> user_map_;
    std::optional<IdMap> group_map_;
    /// A property's pattern, and the word.
    std::map<std::pair<std::string_view, std::string_view>, Value> seen_words_;
};

/// A document that was read, checked and planned. Without errors its plan is good.
struct Planned {
    Document document;
    std::vector<Error> errors;
    std::string plan;
};
Planned plan_of(std::string text, Subject subject, bool is_strict = false);

/// Whether an entry of `mounts` is a bind mount: by its type or by an option.
bool is_bind_mount(Value mount);
