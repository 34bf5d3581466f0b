// The properties of the runtime-spec: the one table that drives types, required and unknown keys, and the plan.
#pragma once

#include "json.h"

#include <cstdint>
#include <string_view>
#include <vector>

class Planner;
class Property;

/// What a property holds. The whole numbers are checked for their range.
enum class Type : uint8_t {
    object,  ///< the properties below it in the table
    map,     ///< any keys; the row `*` says what they hold
    array,   ///< the row `*` says what its items are
    string,
    boolean,
    uint16,
    uint32,
    uint64,
    int32,
    int64,
    anything,  ///< not looked at
};

/// "an object", "a whole number from 0 to 65535", and so on.
std::string_view name_of(Type type);

/// Plans a property, or finds what is wrong with it. Called when the value and everything below it has
/// the right types and no other problem.
using Handler = void (*)(Planner& planner, Value value, Property property);

/// What becomes of a property.
enum class Fate : uint8_t {
    planned,    ///< it, or the object that it is part of, becomes the directive that is named
    container,  ///< it only holds others
    ignored,    ///< it has no meaning here; `note` says why
    refused,    ///< an error when it is there; `note` says why
};

/// A row of the table.
class Property {
public:
    static Property root() { return Property(0); }
    /// The row with that pattern, e.g. "/process/rlimits/*/type".
    static std::optional<Property> find(std::string_view pattern);

    /// A JSON pointer with `*` for any key or index.
    std::string_view pattern() const;
    /// The last token of the pattern.
    std::string_view name() const;
    Type type() const;
    Fate fate() const;
    bool is_required() const;
    /// The first version of the runtime-spec that has it.
    std::string_view since() const;
    /// The directives that it becomes, or why it is ignored.
    std::string_view note() const;
    Handler handler() const;

    /// For loops over the properties below this one: `for (Property p = o.first(); p; p = p.next())`.
    Property first() const;
    Property next() const;
    explicit operator bool() const { return row_ != none; }

private:
    static constexpr uint16_t none = 0xffff;
    explicit constexpr Property(uint16_t row) : row_(row) {}
    uint16_t row_;
};
