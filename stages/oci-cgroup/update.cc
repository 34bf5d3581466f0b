// Changing limits: all or none.
#include "update.h"

#include "apply.h"
#include "controllers.h"
#include "device_program.h"
#include "stage/stage.h"

#include <fcntl.h>

namespace
{

class Updater
{
public:
    Updater(std::vector<OpenCgroup> cgroups, std::span<const Directive> limits, std::span<const DeviceRule> devices,
            const RdtRequest& rdt, const OwnedUnit* unit)
        : cgroups_(std::move(cgroups))
        , limits_(limits)
        , devices_(devices)
        , rdt_(rdt)
        , unit_(unit)
    {
    }

    Result<void> run()
    {
        std::vector<Hierarchy> hierarchies;
        for (const OpenCgroup& cgroup : cgroups_)
            hierarchies.push_back({cgroup.location.version, cgroup.location.controllers, cgroup.location.mountpoint, "/"});
        // All that can be refused by looking at it is refused before anything is changed.
        std::vector<LimitWrite> writes = TRY(limit_writes(limits_, hierarchies, cgroups_));
        TRY(plan_devices());
        TRY(hand_on(writes));

        std::vector<OldValue> replaced;
        Result<void> done = change(writes, replaced);
        if (done.has_value())
            return {};
        Result<void> undone = undo(replaced);
        if (undone.has_value())
            return done;
        Error error = std::move(done).error();
        error.attempted +=
            " (and " + undone.error().message() + ", so that the limits are neither the old nor the new ones)";
        return error;
    }

private:
    Result<void> plan_devices()
    {
        if (devices_.empty())
            return {};
        devices_cgroup_ = find_controller(cgroups_, "devices");
        if (devices_cgroup_ == nullptr)
            return Error{"no cgroup hierarchy has the controller 'devices'"}.with_pointer(devices_.front().where);
        if (devices_cgroup_->location.version == 2)
            return {};
        old_devices_ = TRY(devices_cgroup_->dir.read("devices.list"));
        TRY(device_transition(old_devices_, devices_));
        return {};
    }

    Result<void> hand_on(const std::vector<LimitWrite>& writes)
    {
        for (const OpenCgroup& cgroup : cgroups_) {
            if (cgroup.location.version != 2)
                continue;
            UniqueFd mount(::open(cgroup.location.mountpoint.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            if (!mount)
                return errno_error("cannot open '" + cgroup.location.mountpoint + "'");
            TRY(hand_on_controllers(mount.get(), cgroup.location.path, cgroup.dir, writes, false));
        }
        return {};
    }

    Result<void> change(const std::vector<LimitWrite>& writes, std::vector<OldValue>& replaced)
    {
        for (const OpenCgroup& cgroup : cgroups_)
            TRY(write_limits(cgroup.dir, cgroup.location, writes, &replaced));
        if (!rdt_.schemata.empty())
            TRY(change_schemata(rdt_, old_schemata_));
        TRY(change_unit(writes));
        // The devices come last: on v2 they change in one step, so that there is nothing of them to be undone.
        if (devices_cgroup_ == nullptr)
            return {};
        if (devices_cgroup_->location.version == 1)
            return change_device_list();
        stage::step("replace the device program");
        return attach_device_program(devices_cgroup_->dir.fd(), device_program(devices_),
                                     OtherPrograms::replace_ours)
            .with_pointer(devices_.front().where);
    }

    /// All of it is tried; the error is the first one.
    Result<void> undo(const std::vector<OldValue>& replaced)
    {
        Result<void> undone;
        auto keep = [&](Result<void> step) {
            if (undone.has_value())
                undone = std::move(step);
        };
        // systemd writes to the files what it rounds: they come after it.
        if (!old_properties_.empty())
            keep(change_properties(old_properties_));
        keep(write_back(replaced));
        keep(write_schemata_back(rdt_.group, old_schemata_));
        if (changes_device_list_)
            keep(write_device_list_back());
        return undone;
    }

    Result<void> change_properties(const std::vector<std::string>& properties)
    {
        old_properties_ = TRY(set_unit_properties(*unit_, properties));
        return {};
    }

    /// The unit says the same as the files, so that systemd changes nothing when it writes them again. The kernel has been asked first: it tells better what
    /// is wrong, and to systemd nothing has happened yet.
    Result<void> change_unit(const std::vector<LimitWrite>& writes)
    {
        if (unit_ == nullptr)
            return {};
        std::vector<std::string> properties = limit_properties(writes);
        if (!devices_.empty()) {
            // A list is added to the one that is there, but for an empty one.
            properties.emplace_back("DeviceAllow=@a(ss) []");
            for (std::string& property : device_properties(devices_))
                properties.push_back(std::move(property));
        }
        if (properties.empty())
            return {};
        changes_device_list_ = devices_cgroup_ != nullptr && devices_cgroup_->location.version == 1;
        TRY(change_properties(properties));
        // systemd has written them, and rounded some.
        for (const OpenCgroup& cgroup : cgroups_)
            TRY(write_limits(cgroup.dir, cgroup.location, writes));
        return {};
    }

    Result<void> change_device_list()
    {
        changes_device_list_ = true;
        // systemd may have changed it since.
        const CgroupDir& dir = devices_cgroup_->dir;
        return write_device_lines(dir, TRY(device_transition(TRY(dir.read("devices.list")), devices_)));
    }

    Result<void> write_device_list_back()
    {
        const CgroupDir& dir = devices_cgroup_->dir;
        return write_device_lines(dir, TRY(device_lines_back(TRY(dir.read("devices.list")), old_devices_)));
    }

    std::vector<OpenCgroup> cgroups_;
    std::span<const Directive> limits_;
    std::span<const DeviceRule> devices_;
    const RdtRequest& rdt_;
    std::vector<std::string> old_schemata_;
    const OwnedUnit* unit_;
    const OpenCgroup* devices_cgroup_ = nullptr; ///< where the device rules are
    std::string old_devices_;
    bool changes_device_list_ = false; ///< v1: by systemd or by us
    std::vector<std::string> old_properties_; ///< the unit's, once they have been changed
};

} // namespace

Result<void> update_cgroup(std::vector<OpenCgroup> cgroups, std::span<const Directive> limits,
                           std::span<const DeviceRule> devices, const RdtRequest& rdt, const OwnedUnit* unit)
{
    return Updater(std::move(cgroups), limits, devices, rdt, unit).run();
}
