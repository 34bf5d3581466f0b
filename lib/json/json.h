// Writing JSON (the reading is oci-spec's alone).
#pragma once

#include <string>
#include <string_view>

namespace json {

/// `text` as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD.
std::string quote(std::string_view text);

}  // namespace json
