// Which devices a cgroup may use: rules, and what cgroup v1 is told of them.
#pragma once

#include "plan/plan.h"
#include "result/result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Bits of DeviceRule::access, as the kernel numbers them (linux/bpf.h, BPF_DEVCG_ACC_*).
enum DeviceAccess : uint32_t { access_mknod = 1, access_read = 2, access_write = 4, access_all = 7 };

/// One rule. Rules are applied in order to what the parent cgroup allows: for each kind of access the
/// last rule that matches decides.
struct DeviceRule {
    bool allow = false;
    char type = 'a';                ///< b, c, or a: both
    std::optional<uint32_t> major;  ///< nothing: any
    std::optional<uint32_t> minor;
    uint32_t access = access_all;
    Field where = {};  ///< for errors

    /// About every device and every access: whatever came before is of no account.
    bool is_for_everything() const { return type == 'a' && !major && !minor && access == access_all; }
};

/// The fields of the directive `cgroup.device`: allow|deny TYPE MAJOR MINOR ACCESS.
Result<DeviceRule> parse_device_rule(std::span<const Field> fields);
/// The option's value: `allow c 1:3 rwm`, `deny a *:* rwm`, `deny a`.
Result<DeviceRule> parse_device_option(std::string_view text);

/// Rules as cgroup v1 and systemd have them: a default, and exceptions from it.
struct DefaultAndExceptions {
    bool allow_by_default = true;
    const DeviceRule* default_from = nullptr;  ///< null: as the parent has it
    std::vector<DeviceRule> exceptions = {};
};

/// A hole in an exception with wildcards, which cannot be said that way, is an error.
Result<DefaultAndExceptions> reduce(std::span<const DeviceRule> rules);

/// `rwm`, or those of the letters that are in `access`.
std::string access_text(uint32_t access);

/// What is written to a cgroup v1, in order.
struct DeviceLine {
    const char* file;  ///< devices.allow or devices.deny
    std::string value;
    Field where;
};

/// The least that has to be written for `rules`; an error as that of reduce().
Result<std::vector<DeviceLine>> device_lines(std::span<const DeviceRule> rules);

/// What has to be written to a cgroup whose devices.list says `present`, so that `rules` hold, without a moment in which a device is denied
/// that was allowed and will be. Where the default changes there is such a moment.
Result<std::vector<DeviceLine>> device_transition(std::string_view present, std::span<const DeviceRule> rules);

/// The way back to `before` for a cgroup whose devices.list says `present`. (When everything was allowed by default, v1 does not tell the
/// exceptions.)
Result<std::vector<DeviceLine>> device_lines_back(std::string_view present, std::string_view before);
