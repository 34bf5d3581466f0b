// Copying the content of a directory, for tmpcopyup.
#pragma once

#include "result/result.h"

/// Copies what is in directory `from` into directory `to`: owners, modes, times, links, nodes. Links are copied, never
/// followed. Both are borrowed.
Result<void> copy_tree(int from, int to);
