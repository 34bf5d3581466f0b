// What every program of the toolkit does in the same way: say errors, record steps.
#pragma once

#include "result/result.h"

#include <string_view>

/// Diagnostics of this process. The one place with process-wide state: the name that errors begin
/// with, and the descriptors that ocirun has passed (spec/protocol.md).
namespace stage {

/// Names the program; the name starts every sentence on stderr.
void set_name(const char* name);
const char* name();

/// Errors go to `fd` in wire form instead of stderr (ocirun's --error-fd). -1: stderr.
void set_error_fd(int fd);

/// Gives the memory file `fd` the size of a record of steps. With `keep_all` it keeps them all, as far as 256 KiB go, for steps_since().
Result<void> prepare_step_file(int fd, bool keep_all);

/// Steps are recorded in the memory file `fd` (ocirun's --step-fd), in this program's slot.
void set_step_fd(int fd);
/// -1: there is none.
int step_fd();

/// Test hook (hidden option --test-step N:SIGNAL): sends this process SIGNAL at the start of its
/// step number N (1 is the first). A bad value is an error.
Result<void> set_test_step(std::string_view text);

/// Set-id bits would give the caller's choice of paths to somebody else's rights: every program asks this first
/// (CVE-2016-8659, CVE-2026-41163).
Result<void> refuse_set_id();

/// Records what is about to be done, so that whoever finds this process dead can say where it died.
void step(std::string_view what);

/// Says an error: one line on stderr `NAME: sentence`, or a line in wire form on the error
/// descriptor: `STAGE TAB ERRNO TAB EXIT-CODE TAB POINTER TAB SENTENCE-WITHOUT-ERRNO`. Returns the
/// exit code to end with.
int report(const Error& error);

/// Says a warning: one line on stderr `NAME: warning: sentence`, or on the error descriptor a line in wire form whose
/// exit code is 0.
void warn(std::string_view text);

/// The wire form of report(), and its inverse (used by ocirun).
std::string error_line(const Error& error);
struct StageError {
    std::string stage;
    Error error;
};
Result<StageError> parse_error_line(std::string_view line);

/// All steps that were recorded since `position`, which is 0 at first and moves on: lines `PROGRAM: STEP`, of several programs in the order
/// in which they came. Empty where the file does not keep them.
std::string steps_since(int step_fd, size_t& position);

/// The last step that `stage_name` recorded in the memory file `step_fd`; empty: none.
std::string last_step(int step_fd, std::string_view stage_name);

}  // namespace stage
