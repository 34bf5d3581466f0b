// Names of network interfaces.
#pragma once

#include <string_view>

/// Whether the kernel takes it as a name (net/core/dev.c, dev_valid_name). Without '%', which asks for a number (dev_alloc_name).
bool is_interface_name(std::string_view name);

/// A name, or one that ends in '%d', for which the kernel puts a number that is free.
bool is_interface_name_or_template(std::string_view name);
