// Which descriptors the program gets.
#pragma once

#include "result/result.h"

/// Makes every descriptor from `first` on close-on-exec.
Result<void> close_on_exec_from(int first);
