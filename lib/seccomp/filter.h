// Compiled system-call filters: reading, checking and loading them (seccomp(2)). No libseccomp here.
#pragma once

#include "fd/fd.h"
#include "plan/plan.h"
#include "result/result.h"

#include <string>
#include <string_view>

/// Reads a filter as `oci-seccomp compile` writes it: an array of struct sock_filter and nothing
/// else. An empty one, a broken one or one that is too long for the kernel (4096 instructions) is
/// an error: "no filter" is said by giving none.
Result<std::string> read_filter(int fd);

/// The same checks for a filter that is already in memory.
Result<void> check_filter(std::string_view raw);

/// The kernel's bit for a name as in config.json: SECCOMP_FILTER_FLAG_TSYNC, _LOG, _SPEC_ALLOW,
/// _WAIT_KILLABLE_RECV; the prefix may be left out.
Result<unsigned> filter_flag(std::string_view name);

/// Whether this kernel takes it.
bool is_filter_flag_supported(std::string_view name);

/// The flags that the plan's `seccomp.flag` lines ask for. No line at all: SPEC_ALLOW, as the
/// field's runtimes do for a config.json without `flags` (the speculation barrier that old kernels
/// put on every filtered process is dear, and Linux >= 5.16 has it off anyway). A line with an empty
/// name adds nothing: it is how `"flags": []` is told. The error carries the line's JSON pointer.
Result<unsigned> filter_flags(const Plan& plan);

/// Whether a rule of the filter asks a listener (SCMP_ACT_NOTIFY).
bool filter_notifies(std::string_view raw);

/// Loads the filter for this thread (or, with TSYNC, for all threads) and for what it executes.
/// The caller has set no_new_privs or has CAP_SYS_ADMIN in its user namespace. When the filter
/// notifies, the listener's descriptor is made and returned, close-on-exec; else the result holds -1
/// and WAIT_KILLABLE_RECV has no meaning.
Result<UniqueFd> load_filter(std::string_view raw, unsigned flags);
