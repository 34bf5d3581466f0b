// The hooks that run on this side: createContainer and startContainer.
#pragma once

#include "control.h"
#include "plan/plan.h"

#include <string>
#include <vector>

/// Whether the plan has hooks of that kind.
bool has_hooks(const Plan& plan, std::string_view kind);

/// Runs them in order, each with the state on its standard input and only the environment that its line gives;
/// `otherwise`: the environment of those that give none. The first that fails, or outlives its timeout, ends all.
Result<void> run_hooks(const Plan& plan, std::string_view kind, Control& control, const std::vector<std::string>& otherwise = {});
