// Undoing a container: what delete, a failed create and the end of run have in common.
#pragma once

#include "container.h"

/// Kills what lives, stops the unit, removes the cgroups, then the state, by the journal alone, so that it works
/// whatever is left of the container. Safe to repeat.
Result<void> undo_container(const Context& context, const StateRoot& root, ContainerState& state);

/// Waits (at most 10 s) for the end of a process that is about to end by itself.
void wait_for_end(const ProcessId& process);

/// Sends SIGKILL to the process if it is still that process, and waits (at most 10 s) until it is dead.
Result<void> kill_and_wait(const ProcessId& process);
