// Runs a filter without the kernel.
#pragma once

#include "result/result.h"

#include <cstdint>
#include <linux/seccomp.h>
#include <string_view>

/// What the filter answers to this call: a SECCOMP_RET_ value. An error: the kernel would not have
/// taken the filter (an unknown instruction, a jump or a load out of bounds, no return at the end).
Result<uint32_t> run_filter(std::string_view raw, const seccomp_data& call);
