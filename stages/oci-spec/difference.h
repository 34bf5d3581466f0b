// What two documents differ in.
#pragma once

#include "json.h"

#include <string>

/// A line for each difference, `-` for what `a` has and `+` for what `b` has: `SIGN TAB POINTER TAB VALUE`, the value in
/// JSON. Empty: they say the same. The order of members and null for what is not there make no difference.
std::string differences(Value a, Value b);
