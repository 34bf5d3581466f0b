// What is set on the process and its namespaces before privileges are dropped.
#pragma once

#include "plan/plan.h"
#include "result/result.h"

#include <string>
#include <string_view>

/// A session of our own, and a session keyring unless `init.no-new-keyring` is there.
Result<void> make_session(const Plan& plan);

/// `init.hostname`, `init.domainname`, `init.sysctl`. Before the root changes: kernel settings are written through a
/// procfs of our own.
Result<void> set_namespace_settings(const Plan& plan);

/// The CPUs to run on: `init.cpu-affinity`, or all that the cgroup has when `is_driven` (by ocirun).
Result<void> set_cpus(const Plan& plan, bool is_driven);

/// umask, score for the out-of-memory killer, scheduler, I/O priority, memory policy, personality; before the root changes.
Result<void> set_process_settings(const Plan& plan);

/// `init.rlimit` lines, all but the number of descriptors, which would hinder what comes; then that one.
enum class Limits { all_but_files, files };
Result<void> set_limits(const Plan& plan, Limits which);

/// The path below /proc/sys for a key with dots or with slashes: the first of either is the separator, the other stands for
/// itself. Refused is what could lead elsewhere.
Result<std::string> sysctl_path(std::string_view key);
