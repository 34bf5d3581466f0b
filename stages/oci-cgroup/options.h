// Limits that are given by options, as the directives that a plan would have.
#pragma once

#include "amount/amount.h"
#include "cli/cli.h"
#include "device_rules.h"
#include "plan/plan.h"
#include "result/result.h"

#include <list>
#include <span>
#include <string>
#include <vector>

/// The limit options of `create` and `update`.
extern const std::span<const Option> limit_options;

/// What the options said. Owns the text that the directives and rules point to.
class OptionLimits {
public:
    static Result<OptionLimits> read(const Arguments& arguments);

    /// Their `pointer` is the option's name: `--pids`.
    const std::vector<Directive>& directives() const { return directives_; }
    const std::vector<DeviceRule>& devices() const { return devices_; }

private:
    void add(std::string_view directive, std::string_view option, std::vector<std::string> fields);

    std::list<std::string> texts_;  // a list: what is pointed to does not move
    std::list<std::vector<Field>> fields_;
    std::vector<Directive> directives_;
    std::vector<DeviceRule> devices_;
};

/// As parse_signal(), but not 0.
Result<int> parse_signal_name(std::string_view text);
