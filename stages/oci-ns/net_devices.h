// Network interfaces that move into the network namespace (runtime-spec config-linux.md, "Network Devices").
#pragma once

#include "result/result.h"

#include <string>
#include <string_view>
#include <vector>

/// One interface to move: its name here, and there.
struct NetDevice {
    std::string interface;
    std::string name; ///< may end in "%d": a number that is free
    std::string pointer;
};

/// INTERFACE or INTERFACE=NAME of --net-device.
Result<NetDevice> parse_net_device(std::string_view text);

/// Refuses names that no interface can have.
Result<void> check_net_device(const NetDevice& device);

/// Moves them into the network namespace that `target` is open on, each with its permanent global addresses, and brings
/// them up. If one cannot be moved, all are back as they were.
Result<void> move_net_devices(const std::vector<NetDevice>& devices, int target);
