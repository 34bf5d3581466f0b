// Values in GVariant's text format, as D-Bus values.
#pragma once

#include "result/result.h"

#include <string>
#include <string_view>
#include <vector>

/// A value with its D-Bus type (D-Bus specification, "Type System").
struct GVariant {
    std::string type;                     ///< a complete type: `t`, `as`, `(st)`, `v`, ...
    std::string text = {};                ///< of a basic type: the string itself, the number in digits, `true` or `false`
    std::vector<GVariant> children = {};  ///< of an array, a tuple, a dictionary's entry; the one in a variant
};

/// Reads GVariant's text format (https://docs.gtk.org/glib/gvariant-text-format.html): `true`, `5`, `uint64 5`, `'text'`,
/// `['a', 'b']`, `('a', 1)`, `{'key': <5>}`, `@as []`, `[byte 0x01, 0x02]`. A number without a type is an int32, or a double when
/// it has a point; the elements of an array have the type of the first. Maybe types, which D-Bus does not have, are refused.
Result<GVariant> parse_gvariant(std::string_view text);

/// The inverse: text that is read as the same value again.
std::string gvariant_text(const GVariant& value);

/// A unit's property.
struct Property {
    std::string name;
    GVariant value;

    bool is_list_of_tuples() const { return value.type.starts_with("a("); }
};

/// `NAME=VALUE`. A time in seconds, `TimeoutStopSec=5`, becomes the property that systemd has over D-Bus, in
/// microseconds: `TimeoutStopUSec=uint64 5000000`.
Result<Property> parse_property(std::string_view text);
