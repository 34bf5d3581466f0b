// Hooks that run outside of the container: prestart, createRuntime, poststart, poststop.
#pragma once

#include "console.h"
#include "plan/plan.h"
#include "result/result.h"

#include <string>
#include <string_view>

/// Runs the plan's hooks of `kind` one after the other, with `state` (JSON) on stdin and nothing but
/// their own environment (runtime-spec config.md "POSIX-platform Hooks"). The first that fails ends
/// it: `error running KIND hook #N: 'PATH': exited with status 3: last 4 KiB of its stderr`.
/// With `signals` (may be null) a signal that asks us to end kills the hook and is the error.
Result<void> run_hooks(const Plan& plan, std::string_view kind, const std::string& state, const Signals* signals = nullptr);

/// Whether the plan has hooks of `kind`.
bool has_hooks(const Plan& plan, std::string_view kind);
