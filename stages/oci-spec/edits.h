// The options of `oci-spec new` that change the configuration that it begins with.
#pragma once

#include "cli/cli.h"
#include "tree.h"

#include <vector>

/// Built when they are asked for: as constants they would be written at the start of every `plan`, see properties.cc.
std::vector<Option> edit_options();

/// Whether any of them was given.
bool has_edits(const Arguments& arguments);

/// Does what was given; positional arguments become the program and its arguments.
Result<void> apply_edits(Tree& config, const Arguments& arguments);
