// Hooks: programs of others that run at points of a container's life (runtime-spec config.md "POSIX-platform Hooks").
#pragma once

#include "plan/plan.h"
#include "result/result.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>

/// What may end the wait for a hook: when `fd` can be read, `check` says whether to go on. Without one: nothing.
struct Interruption {
    int fd = -1;
    std::function<Result<void>()> check = {};
};

/// Whether the plan has hooks of `kind`.
bool has_hooks(const Plan& plan, std::string_view kind);

/// Runs the plan's hooks of `kind` one after the other, each with `state` (JSON) on stdin and nothing but its own environment;
/// `otherwise` is that of hooks that have none. One that fails, outlives its timeout or is interrupted ends it:
/// `error running KIND hook #N: 'PATH': exited with status 3: the last 4 KiB that it printed`. What a hook leaves running is
/// not waited for. What the plan's `ocirun.hook-output` lines name gets what ocirun's hooks print, and messages do not have it then.
Result<void> run_hooks(const Plan& plan, std::string_view kind, const std::string& state, const Interruption& interruption = {},
                       std::span<const std::string> otherwise = {});
