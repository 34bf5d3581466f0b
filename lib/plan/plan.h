// The plan: what config.json asks for, one directive a line (spec/plan.md).
#pragma once

#include "plan/directives.h"
#include "result/result.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// A piece of the plan's text. Always NUL-terminated behind its end, so that `data()` can go to a
/// system call as it is.
using Field = std::string_view;

/// One line: the directive's type, where in config.json it came from ("-": nowhere) and its fields.
struct Directive {
    const DirectiveType* type;
    Field pointer;
    std::span<const Field> fields;

    bool is(std::string_view name) const { return type->is(name); }
    /// The field, or an empty one behind the last.
    Field operator[](size_t index) const { return index < fields.size() ? fields[index] : Field(); }
};

/// A plan that was read. It owns the text that its fields point into, so it can be moved but not copied.
class Plan {
public:
    /// Reads a plan. `stage` ("ns", "cgroup", ...) is the reader: a line whose name starts with that
    /// word must be known and have the right number of fields; the lines of others are passed over
    /// when unknown. An empty `stage` reads them all, strictly. The text must start with `plan 1`
    /// and end with `end`, so that a plan cut short is refused.
    static Result<Plan> parse(std::string text, std::string_view stage);

    /// Reads the plan from descriptor `fd`: from offset 0 of a file, or to the end of a pipe.
    static Result<Plan> read(int fd, std::string_view stage);

    Plan(Plan&&) = default;
    Plan& operator=(Plan&&) = default;

    std::span<const Directive> directives() const { return directives_; }
    /// The last line of that name (the last one wins), or null.
    const Directive* find(std::string_view name) const;
    /// The first field of the last line of that name, or `otherwise`.
    Field value(std::string_view name, Field otherwise = {}) const;

private:
    Plan() = default;
    std::unique_ptr<std::string> text_;  // moving a short string itself would move its characters
    std::vector<Field> fields_;
    std::vector<Directive> directives_;
};

/// Writes a plan line by line.
class PlanWriter {
public:
    PlanWriter();
    /// Adds `name TAB pointer TAB field...`. `name` must be in the table (asserted).
    void add(std::string_view name, std::string_view pointer, std::initializer_list<std::string_view> fields);
    void add(std::string_view name, std::string_view pointer, std::span<const std::string> fields);
    /// The text, ended by `end`.
    std::string finish() &&;

private:
    std::string text_;
};

/// The first line and the last.
inline constexpr std::string_view plan_first_line = "plan 1\n";
inline constexpr std::string_view plan_last_line = "end\n";

/// Most bytes of a plan that a reader takes.
inline constexpr size_t max_plan_size = 256 << 20;

/// Appends `field` with TAB, newline and backslash as `\t`, `\n`, `\\`.
void append_escaped(std::string& to, std::string_view field);

/// A line of escaped fields separated by TAB, without the newline: the wire form of every message
/// between our programs.
std::string join_fields(std::initializer_list<std::string_view> fields);
/// The inverse; a bad escape is an error.
Result<std::vector<std::string>> split_fields(std::string_view line);

/// A decimal number in a field; the error names the field's content.
Result<long long> parse_number(std::string_view text);
Result<unsigned long long> parse_unsigned(std::string_view text, int base = 10);
