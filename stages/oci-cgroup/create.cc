// Making a container's cgroup: directories, controllers, limits, device rules.
#include "create.h"

#include "apply.h"
#include "controllers.h"
#include "device_program.h"
#include "hierarchy.h"
#include "journal/journal.h"
#include "limit_writes.h"
#include "made_directories.h"
#include "process/process.h"
#include "scan/scan.h"
#include "stage/stage.h"

#include <fcntl.h>
#include <optional>
#include <sys/stat.h>

namespace {

/// The container's cgroup in one hierarchy.
struct Place {
    CgroupLocation location;
    UniqueFd mount;
    std::vector<std::string> missing = {};  ///< paths of directories to make, the cgroup first, its outermost parent last
    UniqueFd parent = UniqueFd();           ///< of the outermost; not open: the mount itself
    bool exists = false;                    ///< the cgroup is there
    bool is_new = false;                    ///< and was made by us
    std::optional<CgroupDir> opened = {};   ///< see cgroup_of()
};

bool is_denied(int problem) { return problem == EACCES || problem == EPERM || problem == EROFS; }

class Creator {
public:
    explicit Creator(const CgroupRequest& request) : request_(request) {}

    Result<std::vector<CgroupLocation>> create()
    {
        hierarchies_ = TRY(find_hierarchies());
        writes_ = TRY(limit_writes(request_.limits, hierarchies_));
        TRY(plan_devices());
        TRY(plan_delegation());
        TRY(start_unit_if_wanted());
        TRY(open_places());
        TRY(record());
        for (Place& place : places_)
            TRY(make(place));
        TRY(leave_unit());
        TRY(hand_on_controllers());
        TRY(check_type());
        for (Place& place : places_)
            if (place.exists)
                TRY(set_limits(place));
        TRY(set_devices());
        TRY(delegate());
        TRY(give_to_owner());

        std::vector<CgroupLocation> locations;
        for (Place& place : places_)
            if (place.exists)
                locations.push_back(std::move(place.location));
        made_.keep();
        return locations;
    }

private:
    /// Rules go to the devices hierarchy of v1, or as a program to v2.
    Result<void> plan_devices()
    {
        if (request_.devices.empty())
            return {};
        for (const Hierarchy& hierarchy : hierarchies_)
            if (hierarchy.version == 1 && hierarchy.has_controller("devices"))
                device_lines_ = TRY(device_lines(request_.devices));
        if (!device_lines_)
            device_program_ = device_program(request_.devices);
        return {};
    }

    /// v2 alone, without v1 beside it.
    bool is_unified() const { return hierarchies_.size() == 1 && hierarchies_[0].version == 2; }

    /// systemd makes the cgroup in the hierarchies that it manages, and gives it what it knows of limits.
    Result<void> start_unit_if_wanted()
    {
        const bool is_automatic = request_.manager == CgroupManager::automatic;
        if (request_.manager == CgroupManager::cgroupfs || (is_automatic && !request_.path.empty() && !is_unit_path(request_.path)))
            return {};
        UnitStart start{TRY(parse_unit_path(request_.path, request_.name).with_pointer(request_.path_where)), request_.name, request_.pid, {}, limit_properties(writes_), request_.journal_fd, request_.unit_test_step};
        const bool is_slice = start.name.unit.ends_with(".slice");
        if (is_slice)
            start.pid = 0;
        else if (start.pid == 0)
            return Error{"a scope of systemd needs a process to begin with: give --pid PID", 0, {}, exit_usage};
        else
            start.properties = {"Delegate=true", "DefaultDependencies=false"};
        for (const char* accounts : {"CPU", "Memory", "Tasks"})
            start.properties.push_back(std::string(accounts) + "Accounting=true");
        start.properties.push_back(is_unified() ? "IOAccounting=true" : "BlockIOAccounting=true");
        for (const std::vector<std::string>& more : {device_properties(request_.devices), request_.unit_properties})
            start.properties.insert(start.properties.end(), more.begin(), more.end());
        Result<std::string> path = start_unit(start);
        if (is_automatic && !path.has_value() && path.error().exit_code == exit_no_manager)
            return {};
        // Only oci-cgroup-systemd's own callers tell these errors apart.
        unit_path_ = TRY(std::move(path).with_exit_code(exit_failed));
        is_scope_held_ = !is_slice;
        unit_path_ += subgroup_;
        return {};
    }

    /// Below the scope's cgroup the controllers are handed on only when nobody is in that itself (cgroup-v2.rst, "No Internal Process Constraint").
    Result<void> leave_unit()
    {
        if (!is_scope_held_ || subgroup_.empty())
            return {};
        stage::step("move the process that holds the scope");
        for (Place& place : places_)
            if (place.location.version == 2 && place.exists)
                TRY(TRY(cgroup_of(place))->write("cgroup.procs", std::to_string(request_.pid)).with_pointer(request_.subgroup->pointer));
        return {};
    }

    Result<void> plan_delegation()
    {
        if (request_.subgroup != nullptr)
            subgroup_ = TRY(clean_path((*request_.subgroup)[0]).with_pointer(request_.subgroup->pointer));
        if (request_.delegate == nullptr)
            return {};
        delegated_ = TRY(clean_path((*request_.delegate)[0]).with_pointer(request_.delegate->pointer));
        // Whoever may make cgroups of v1 may lift their limits.
        if (!is_unified())
            return Error{"only a cgroup of v2 can be delegated to the container, and this host has controllers on v1"}.with_pointer(request_.delegate->pointer);
        return {};
    }

    /// Without limits and controllers of its own: what becomes of it is the container's affair.
    Result<void> delegate()
    {
        for (Place& place : places_) {
            if (delegated_.empty() || !place.exists)
                continue;
            const CgroupDir& cgroup = *TRY(cgroup_of(place));
            for (size_t end = delegated_.find('/', 1);; end = delegated_.find('/', end + 1)) {
                const std::string below = delegated_.substr(1, end == std::string::npos ? end : end - 1);
                stage::step("make the delegated cgroup");
                if (::mkdirat(cgroup.fd(), below.c_str(), 0755) == 0)
                    made_.add(place.location.directory() + "/" + below);
                else if (errno != EEXIST)
                    return errno_error("cannot make cgroup '" + below + "' in '" + place.location.directory() + "'").with_pointer(request_.delegate->pointer);
                if (end == std::string::npos)
                    break;
            }
        }
        return {};
    }

    Result<void> open_places()
    {
        const std::string& path = !unit_path_.empty() ? unit_path_ : !request_.path.empty() ? request_.path : request_.name;
        for (CgroupLocation& location : TRY(locate(hierarchies_, path).with_pointer(request_.path_where))) {
            UniqueFd mount(::open(location.mountpoint.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            if (!mount)
                return errno_error("cannot open '" + location.mountpoint + "'");
            places_.push_back({std::move(location), std::move(mount)});
            Place& place = places_.back();
            int fd = open_cgroup(place.mount.get(), place.location.path);
            if (fd >= 0) {
                place.exists = true;
                place.opened.emplace(UniqueFd(fd), place.location.version, place.location.directory());
                TRY(check_unused(place).with_pointer(request_.path_where));
            } else if (errno == ENOENT) {
                TRY(find_missing(place));
            } else {
                TRY(denied_or_error(place, place.location.path, errno));
            }
        }
        return {};
    }

    /// Which directories have to be made, below which one that is there.
    Result<void> find_missing(Place& place)
    {
        for (std::string path = place.location.path;;) {
            place.missing.push_back(path);
            path = parent_of(path);
            if (path == "/")
                return {};
            int fd = open_cgroup(place.mount.get(), path);
            if (fd >= 0) {
                place.parent = UniqueFd(fd);
                return {};
            }
            if (errno != ENOENT) {
                place.missing.clear();
                return denied_or_error(place, path, errno);
            }
        }
    }

    /// The cgroup's files; opened when they are needed first, which in most hierarchies is never.
    static Result<CgroupDir*> cgroup_of(Place& place)
    {
        if (!place.opened) {
            int fd = open_cgroup(place.mount.get(), place.location.path);
            if (fd < 0)
                return errno_error("cannot open cgroup '" + place.location.directory() + "'");
            place.opened.emplace(UniqueFd(fd), place.location.version, place.location.directory());
        }
        return &*place.opened;
    }

    /// A cgroup that is there already is taken over only when nobody is in it: its processes would get the
    /// container's limits, and would be killed with the container.
    Result<void> check_unused(const Place& place) const
    {
        std::vector<pid_t> inside = TRY(place.opened->processes());
        if (!unit_path_.empty())
            std::erase(inside, request_.pid);
        if (!inside.empty())
            return Error{"container's cgroup is not empty: cgroup '" + place.location.path + "' has processes " + list_of(inside)};
        if (TRY(place.opened->is_frozen()))
            return Error{"container's cgroup is frozen: '" + place.location.directory() + "'"};
        return {};
    }

    /// The journal's lines for what is about to be made or taken over: one write, so that they are there as
    /// a whole or not at all.
    Result<void> record()
    {
        if (request_.journal_fd < 0)
            return {};
        std::vector<JournalEntry> entries;
        for (const Place& place : places_) {
            for (size_t i = place.missing.size(); i > 1; i--)
                entries.push_back({"cgroup-parent", {place.location.mountpoint + place.missing[i - 1]}});
            if (place.exists || !place.missing.empty())
                entries.push_back({"cgroup", {place.location.directory()}});
        }
        stage::step("record the cgroups");
        return append_to_journal(request_.journal_fd, entries);
    }

    /// Somebody made it since we looked. The journal names it already: whoever reads it is to keep off.
    Error made_by_others(const Place& place)
    {
        Result<void> written = append_to_journal(request_.journal_fd, {{"cgroup-not-ours", {place.location.directory()}}});
        if (!written.has_value())
            return std::move(written).error();
        return Error{"cgroup '" + place.location.directory() + "' was made by somebody else at the same time", EEXIST}.with_pointer(request_.path_where);
    }

    Result<void> make(Place& place)
    {
        UniqueFd above = std::move(place.parent);
        for (size_t i = place.missing.size(); i > 0; i--) {
            const std::string& path = place.missing[i - 1];
            std::string directory = place.location.mountpoint + path;
            std::string name = path.substr(path.rfind('/') + 1);
            int parent = above ? above.get() : place.mount.get();
            stage::step("make cgroup " + directory);
            if (::mkdirat(parent, name.c_str(), 0755) == 0)
                made_.add(directory);
            // For a parent it is fine that somebody was faster; the cgroup itself would not be ours.
            else if (errno == EEXIST && i == 1)
                return made_by_others(place);
            else if (errno != EEXIST)
                return denied_or_error(place, path, errno);
            if (i == 1)
                break;
            above = UniqueFd(open_cgroup(parent, "/" + name));
            if (!above)
                return errno_error("cannot open cgroup '" + directory + "'");
        }
        place.is_new = !place.missing.empty();
        place.exists = place.exists || place.is_new;
        return {};
    }

    Result<void> denied_or_error(const Place& place, const std::string& path, int problem)
    {
        const LimitWrite* lost = nullptr;
        for (const LimitWrite& write : writes_)
            if (lost == nullptr && belongs_to(write, place.location))
                lost = &write;
        if (request_.tolerate_denied && is_denied(problem)) {
            // The words are those that users of rootless containers know.
            if (lost != nullptr)
                return Error{"cannot set " + std::string(lost->controller) + " limit: container could not join or create cgroup", problem,
                             std::string(lost->where)};
            if (request_.path.empty())
                return {};
            return Error{"unable to apply cgroup configuration: cannot make cgroup '" + place.location.mountpoint + path + "'", problem,
                         std::string(request_.path_where)};
        }
        return Error{"cannot make cgroup '" + place.location.mountpoint + path + "'", problem}.with_pointer(request_.path_where);
    }

    Result<void> hand_on_controllers()
    {
        // Beside v1, which has them, the v2 tree has no controllers for accounts.
        bool is_needed = is_unified();
        for (const LimitWrite& write : writes_)
            is_needed = is_needed || (write.version == 2 && !write.controller.empty());
        if (!is_needed)
            return {};
        for (Place& place : places_)
            if (place.location.version == 2 && place.exists)
                TRY(::hand_on_controllers(place.mount.get(), place.location.path, *TRY(cgroup_of(place)), writes_, is_unified()));
        return {};
    }

    /// Where the kernel would let nobody in: better said now than when the first process joins. (Beside v1
    /// the v2 tree has hardly a controller that could make it so.)
    Result<void> check_type()
    {
        if (hierarchies_.size() > 1)
            return {};
        for (Place& place : places_)
            if (place.location.version == 2 && place.exists && TRY(TRY(cgroup_of(place))->read("cgroup.type")) == "domain invalid")
                return Error{"cgroup '" + place.location.path + "' cannot hold processes ('domain invalid'): '" +
                             parent_of(place.location.path) + "' is threaded, or has processes itself"}.with_pointer(request_.path_where);
        return {};
    }

    Result<void> set_limits(Place& place)
    {
        // Without CPUs and memory nodes no process can enter a v1 cpuset, and a new one has none.
        if (place.location.version == 1 && place.location.has_controller("cpuset"))
            for (const char* file : {"cpuset.cpus", "cpuset.mems"})
                TRY(filled_cpuset(place, *TRY(cgroup_of(place)), place.location.path, file));
        for (const LimitWrite& write : writes_)
            if (belongs_to(write, place.location))
                return write_limits(*TRY(cgroup_of(place)), place.location, writes_);
        return {};
    }

    /// The CPUs or nodes of `cgroup`; when it has none, those of its parent are written first, and so on upwards.
    static Result<std::string> filled_cpuset(const Place& place, const CgroupDir& cgroup, const std::string& path, const char* file)
    {
        bool is_known_to_be_empty = place.is_new && path == place.location.path;
        std::string present = is_known_to_be_empty ? "" : TRY(cgroup.read(file));
        if (!present.empty() || path == "/")
            return present;
        std::string above = parent_of(path);
        UniqueFd fd(open_cgroup(place.mount.get(), above));
        if (!fd)
            return errno_error("cannot open cgroup '" + above + "'");
        CgroupDir parent(std::move(fd), 1, above);
        std::string value = TRY(filled_cpuset(place, parent, above, file));
        stage::step("fill a cpuset");
        TRY(cgroup.write(file, value));
        return value;
    }

    Result<void> set_devices()
    {
        for (Place& place : places_) {
            if (!place.exists)
                continue;
            if (device_lines_ && place.location.version == 1 && place.location.has_controller("devices")) {
                TRY(write_device_lines(*TRY(cgroup_of(place)), *device_lines_));
            } else if (!device_program_.empty() && place.location.version == 2) {
                stage::step("attach the device program");
                Result<void> attached = attach_device_program(TRY(cgroup_of(place))->fd(), device_program_,
                                                              place.is_new || !unit_path_.empty() ? OtherPrograms::keep : OtherPrograms::remove);
                if (attached.has_value())
                    continue;
                // Only the host's root may attach one. Whoever is not root in the initial user namespace cannot
                // make device nodes either (man 2 mknod), so that the rules would keep nothing away that is not kept away already.
                if (!(request_.tolerate_denied && is_denied(attached.error().error_number) && (::geteuid() != 0 || is_in_user_namespace())))
                    return std::move(attached).with_pointer(request_.devices.front().where);
            }
        }
        return {};
    }

    /// The directory and what the kernel names, nothing else: whoever could write its limits would have none (runtime-spec config-linux.md,
    /// "Cgroup ownership"). v1 is not safe to be given away.
    Result<void> give_to_owner()
    {
        if (!request_.owner || hierarchies_.size() > 1)
            return {};
        for (Place& place : places_) {
            if (place.location.version != 2 || !place.exists)
                continue;
            const int cgroup = TRY(cgroup_of(place))->fd();
            Result<void> given = give(cgroup);
            if (given.has_value() && !delegated_.empty()) {
                UniqueFd below(open_cgroup(cgroup, delegated_));
                given = below ? give(below.get()) : errno_error("cannot open cgroup '" + place.location.directory() + delegated_ + "'");
            }
            if (!given.has_value() && !(request_.tolerate_denied && is_denied(given.error().error_number)))
                return std::move(given).with_pointer(request_.owner_where);
        }
        return {};
    }

    Result<void> give(int cgroup)
    {
        std::string files = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";  // Linux < 4.15 does not say
        if (UniqueFd list(::open("/sys/kernel/cgroup/delegate", O_RDONLY | O_CLOEXEC)); list)
            files = TRY(read_all(list.get(), 1 << 16).with_context("/sys/kernel/cgroup/delegate"));
        stage::step("give the cgroup to its owner");
        if (::fchownat(cgroup, "", *request_.owner, static_cast<gid_t>(-1), AT_EMPTY_PATH) < 0)
            return errno_error("cannot give the cgroup to user " + std::to_string(*request_.owner));
        for (std::string_view rest = files; !rest.empty();) {
            std::string file(take_line(rest));
            // What a controller has that is not enabled here is not there.
            if (::fchownat(cgroup, file.c_str(), *request_.owner, static_cast<gid_t>(-1), AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
                return errno_error("cannot give '" + file + "' of the cgroup to user " + std::to_string(*request_.owner));
        }
        return {};
    }

    const CgroupRequest& request_;
    std::vector<Hierarchy> hierarchies_;
    std::vector<LimitWrite> writes_;
    std::optional<std::vector<DeviceLine>> device_lines_;
    std::vector<bpf_insn> device_program_;
    std::string unit_path_;  ///< where systemd has made it; empty: we do
    bool is_scope_held_ = false; ///< by request_.pid
    std::string subgroup_;   ///< below the unit's cgroup, with a slash before it; empty: that itself
    std::string delegated_;  ///< below the container's cgroup, with a slash before it; empty: none
    std::vector<Place> places_;
    MadeDirectories made_;
};

}  // namespace

Result<std::vector<CgroupLocation>> create_cgroup(const CgroupRequest& request)
{
    Creator creator(request);
    return creator.create();
}
