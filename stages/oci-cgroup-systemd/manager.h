// systemd over D-Bus: its manager, its jobs, its transient units (org.freedesktop.systemd1(5)).
#pragma once

#include "gvariant.h"
#include "result/result.h"

#include <memory>
#include <span>
#include <string>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <vector>

/// Which manager: that of the host (or of the container that we are root of), or that of the user.
enum class ManagerKind { system, user };

/// The one that whoever calls is master of: `system` for root where the host's systemd is root's, else `user`.
ManagerKind own_manager();

/// 252 of `252.39-1~deb12u1` or `v252-rc1`; where there is no number, more than any.
unsigned version_number(std::string_view text);

/// A unit that is to be.
struct UnitRequest {
    std::string name;         ///< with its suffix, .scope or .slice
    std::string description;
    std::string slice;        ///< empty: where the manager puts it
    std::vector<pid_t> pids;  ///< a scope needs one: systemd ends one without processes
    std::vector<Property> properties;
};

/// What the manager knows of a unit.
enum class UnitState {
    unknown,
    ended,    ///< or failed, and not forgotten yet
    running,  ///< or about to
};

/// A connection to a manager.
class Manager {
public:
    static Result<Manager> connect(ManagerKind kind);

    Result<UnitState> state(const std::string& unit);
    /// Makes the transient unit and waits for it.
    Result<void> start(const UnitRequest& request);
    /// The unit's cgroup, below the root of each hierarchy.
    Result<std::string> control_group(const std::string& unit);
    Result<std::string> description(const std::string& unit);
    /// Without those that this version of systemd does not have yet.
    Result<void> leave_out_unknown(std::vector<Property>& properties);
    /// What these properties are now; without those that can be set but not be read.
    Result<std::vector<Property>> read_properties(const std::string& unit, std::span<const Property> like);
    /// Changes properties until the unit ends: all or none.
    Result<void> set_properties(const std::string& unit, std::span<const Property> properties);
    /// Moves processes into the unit's cgroup, or one below it.
    Result<void> attach(const std::string& unit, const std::string& below, std::span<const pid_t> pids);
    /// SIGKILL to every process of the unit.
    Result<void> kill(const std::string& unit);
    /// Stops the unit, waits for that, and lets the manager forget it. One that does not exist is fine.
    Result<void> stop(const std::string& unit);
    /// Lets the manager forget a unit that has ended.
    Result<void> forget(const std::string& unit);

private:
    struct Closer {
        void operator()(sd_bus* bus) const { ::sd_bus_flush_close_unref(bus); }
    };
    struct Job;
    class Message;
    class Reply;

    explicit Manager(sd_bus* bus) : bus_(bus) {}
    /// Calls a method that makes a job, and waits for its end; returns the job's result (`done`, `failed`, `timeout`, ...).
    Result<std::string> run_job(Message& call, const std::string& attempted);
    Result<std::string> string_property(const std::string& unit, const char* interface, const char* property);

    std::unique_ptr<sd_bus, Closer> bus_;
};
