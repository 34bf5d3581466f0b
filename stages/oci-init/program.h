// The program: its environment, its directory, where it is, and becoming it.
#pragma once

#include "path/in_root.h"
#include "plan/plan.h"
#include "privileges.h"
#include "result/result.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// NAME=VALUE, each name once: the last of a name wins, at the place of its first. What has no '=' is dropped.
std::vector<std::string> merge_environment(std::span<const std::string_view> variables);

/// The home directory of a user id in the text of a passwd file (man 5 passwd); nothing: no such user. Only the number
/// counts: a name made of digits is a name (CVE-2016-3697).
std::optional<std::string> find_home(std::string_view passwd, uid_t uid);

/// The interpreter in a script's first line and its end; nothing: it is not a script.
struct Shebang {
    std::string interpreter;
    bool ends_with_carriage_return = false;
};
std::optional<Shebang> parse_shebang(std::string_view start_of_file);

/// What the start of an ELF file says.
struct ElfFacts {
    bool is_elf = false;
    unsigned machine = 0;     ///< e_machine
    std::string interpreter;  ///< PT_INTERP; empty: static
};
ElfFacts parse_elf(std::string_view start_of_file);

/// The program as it will be executed.
struct Program {
    std::string path;
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
};

/// Reads arguments and environment from the plan; `instead`: arguments that replace the plan's. HOME comes from the
/// container's /etc/passwd when it is not set, LISTEN_PID goes with LISTEN_FDS.
Result<Program> read_program(const Plan& plan, std::span<char* const> instead, const InRoot& root, const User& user);

/// Makes the working directory where it is missing: a part of making the container, so not done for what enters it later.
Result<void> make_working_directory(const Plan& plan, const InRoot& root);

/// Enters it, as the user or before becoming the user, whichever is permitted. Magic links are refused, and what cannot
/// be reached from the root (CVE-2024-21626).
Result<void> enter_working_directory(const Plan& plan, const InRoot& root, const User& user);

/// The present directory is below the root.
Result<void> verify_working_directory();

/// Finds the file, as the user, in the words that engines look for, and why it may not be executed.
Result<void> find_program(Program& program, const InRoot& root, const User& user);

/// Whether a file's mode lets a user execute it, its owner or another one, whose groups are not known.
bool mode_lets_execute(mode_t mode, bool is_owner);

/// Executes it. Returns only with an error, which says what is wrong with the file.
Error execute(const Program& program);
