// PROGRAM of the chain loaders: found in PATH, and why it could not be executed.
#pragma once

#include "result/result.h"

#include <string>

/// An error of looking up or executing PROGRAM: 127 when that is missing, 126 otherwise, as env(1) and the engines tell them apart.
Error program_error(const std::string& what, int error_number);

/// The path that execvp(3) would take for `name`: the name itself when it has a slash, else the
/// first executable file in PATH. Errors have the exit codes 127 (not found) and 126 (not executable).
Result<std::string> find_in_path(const std::string& name);

/// Why an execve(2) of `path` failed, with exit code 126 or 127. A file that is there though the
/// kernel says ENOENT lacks its interpreter (man 2 execve).
Error execution_error(const std::string& path, int error_number);
