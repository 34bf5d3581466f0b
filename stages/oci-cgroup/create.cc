// Making a container's cgroup: directories, controllers, limits, device rules.
#include "create.h"

#include "device_program.h"
#include "hierarchy.h"
#include "limits.h"
#include "stage/stage.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <optional>
#include <sys/stat.h>
#include <sys/syscall.h>

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

/// What was made, to be unmade (the last first) unless all has succeeded.
class Made {
public:
    ~Made()
    {
        for (size_t i = directories_.size(); i > 0; i--)
            ::rmdir(directories_[i - 1].c_str());
    }
    void add(std::string directory) { directories_.push_back(std::move(directory)); }
    void keep() { directories_.clear(); }

private:
    std::vector<std::string> directories_;
};

bool is_denied(int problem) { return problem == EACCES || problem == EPERM || problem == EROFS; }

/// Opens the cgroup at `path` (begins with a slash) of the hierarchy that is mounted at `mount`; -1: errno.
/// Never leaves the hierarchy, whatever is mounted or linked on the way.
int open_cgroup(int mount, const std::string& path)
{
    const char* below = path == "/" ? "." : path.c_str() + 1;
    open_how how{};
    how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
    int fd = static_cast<int>(::syscall(SYS_openat2, mount, below, &how, sizeof how));
    // Linux < 5.6, or denied by an old engine's filter. There are no links in a cgroup file system, and the
    // path has been cleaned of `..`.
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = ::openat(mount, below, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd;
}

std::string parent_of(const std::string& path)
{
    size_t slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

class Creator {
public:
    explicit Creator(const CgroupRequest& request) : request_(request) {}

    Result<std::vector<CgroupLocation>> create()
    {
        hierarchies_ = TRY(find_hierarchies());
        writes_ = TRY(limit_writes(request_.limits, hierarchies_));
        TRY(plan_devices());
        TRY(open_places());
        TRY(record());
        for (Place& place : places_)
            TRY(make(place));
        TRY(hand_on_controllers());
        TRY(check_type());
        for (Place& place : places_)
            if (place.exists)
                TRY(set_limits(place));
        TRY(set_devices());

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

    Result<void> open_places()
    {
        for (CgroupLocation& location : TRY(locate(hierarchies_, request_.path).with_pointer(request_.path_where))) {
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
    static Result<void> check_unused(const Place& place)
    {
        std::vector<pid_t> inside = TRY(place.opened->processes());
        std::string pids;
        for (size_t i = 0; i < inside.size() && i < 20; i++)
            pids += (i == 0 ? "" : ", ") + std::to_string(inside[i]);
        if (inside.size() > 20)
            pids += ", ...";
        if (!inside.empty())
            return Error{"container's cgroup is not empty: cgroup '" + place.location.path + "' has processes " + pids};
        if (TRY(is_frozen(std::span(&place.location, 1))))
            return Error{"container's cgroup is frozen: '" + place.location.directory() + "'"};
        return {};
    }

    /// The journal's lines for what is about to be made or taken over: one write, so that they are there as
    /// a whole or not at all.
    Result<void> record()
    {
        if (request_.journal_fd < 0)
            return {};
        std::string lines;
        for (const Place& place : places_) {
            for (size_t i = place.missing.size(); i > 1; i--)
                lines += join_fields({"cgroup-parent", place.location.mountpoint + place.missing[i - 1]}) + "\n";
            if (place.exists || !place.missing.empty())
                lines += join_fields({"cgroup", place.location.directory()}) + "\n";
        }
        stage::step("record the cgroups");
        return write_journal(lines);
    }

    Result<void> write_journal(std::string_view lines)
    {
        ssize_t written = ::write(request_.journal_fd, lines.data(), lines.size());
        if (written != static_cast<ssize_t>(lines.size()))
            return written < 0 ? errno_error("cannot write the journal") : Error{"cannot write the journal: the disk is full"};
        return {};
    }

    /// Somebody made it since we looked. The journal names it already: whoever reads it is to keep off.
    Error made_by_others(const Place& place)
    {
        Error error{"cgroup '" + place.location.directory() + "' was made by somebody else at the same time", EEXIST};
        if (request_.journal_fd >= 0)
            if (Result<void> written = write_journal(join_fields({"cgroup-not-ours", place.location.directory()}) + "\n"); !written.has_value())
                return std::move(written).error();
        return std::move(error).with_pointer(request_.path_where);
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
            if (!request_.path_was_asked_for)
                return {};
            return Error{"unable to apply cgroup configuration: cannot make cgroup '" + place.location.mountpoint + path + "'", problem,
                         std::string(request_.path_where)};
        }
        return Error{"cannot make cgroup '" + place.location.mountpoint + path + "'", problem}.with_pointer(request_.path_where);
    }

    static bool belongs_to(const LimitWrite& write, const CgroupLocation& location)
    {
        return write.version == location.version && (location.version == 2 || location.has_controller(write.controller));
    }

    /// v2: each parent hands a controller to its children when its cgroup.subtree_control says so.
    Result<void> hand_on_controllers()
    {
        for (Place& place : places_) {
            if (place.location.version != 2 || !place.exists)
                continue;
            std::vector<const LimitWrite*> needed;
            for (const LimitWrite& write : writes_) {
                bool known = write.version != 2 || write.controller.empty();
                for (const LimitWrite* other : needed)
                    known = known || other->controller == write.controller;
                if (!known)
                    needed.push_back(&write);
            }
            // Without these nobody can tell what the container uses, or that it ran out of memory. Beside
            // v1, which has them, the v2 tree cannot have them.
            bool is_unified = hierarchies_.size() == 1;
            static constexpr std::string_view for_accounts[] = {"cpu", "io", "memory", "pids"};
            if (needed.empty() && !is_unified)
                continue;
            std::string available = TRY(TRY(cgroup_of(place))->read("cgroup.controllers"));
            bool complete = true;
            for (const LimitWrite* write : needed)
                complete = complete && has_word(available, write->controller);
            for (std::string_view controller : for_accounts)
                complete = complete && (!is_unified || has_word(available, controller));
            if (complete)
                continue;
            for (size_t end = 0; end != std::string::npos; end = place.location.path.find('/', end + 1)) {
                std::string path = end == 0 ? "/" : place.location.path.substr(0, end);
                UniqueFd fd(open_cgroup(place.mount.get(), path));
                if (!fd)
                    return errno_error("cannot open cgroup '" + path + "'");
                CgroupDir parent(std::move(fd), 2, path);
                TRY(hand_on(parent, needed, is_unified ? std::span(for_accounts) : std::span<const std::string_view>()));
            }
        }
        return {};
    }

    static Result<void> hand_on(const CgroupDir& parent, std::span<const LimitWrite* const> needed, std::span<const std::string_view> welcome)
    {
        std::string enabled = TRY(parent.read("cgroup.subtree_control"));
        bool complete = true;
        for (const LimitWrite* write : needed)
            complete = complete && has_word(enabled, write->controller);
        for (std::string_view controller : welcome)
            complete = complete && has_word(enabled, controller);
        if (complete)
            return {};
        // The kernel would let cpu and pids through, but then nobody into the children (cgroup-v2.rst, "Threads").
        // The root, which alone has no type, is free of that rule.
        Result<std::string> inside = parent.has("cgroup.type") ? parent.read("cgroup.procs") : std::string();
        bool has_processes = !inside.has_value() || !inside.value().empty();
        for (const LimitWrite* write : needed)
            if (!has_word(enabled, write->controller))
                TRY(hand_on(parent, write->controller, has_processes).with_pointer(write->where));
        // Each alone: one that is missing does not keep the others away.
        for (std::string_view controller : welcome)
            if (!has_processes && !has_word(enabled, controller))
                (void)parent.write("cgroup.subtree_control", "+" + std::string(controller)).has_value();
        return {};
    }

    static Result<void> hand_on(const CgroupDir& parent, std::string_view controller, bool has_processes)
    {
        std::string name(controller);
        std::string available = TRY(parent.read("cgroup.controllers"));
        if (!has_word(available, controller))
            return parent.name() == "/" ? Error{"no cgroup hierarchy has the controller '" + name + "'"}
                                        : Error{"cgroup '" + parent_of(parent.name()) + "' does not delegate the controller '" + name + "' to '" + parent.name() + "'"};
        const std::string attempted = "cgroup '" + parent.name() + "' cannot delegate the controller '" + name + "' to its children";
        if (has_processes)
            return Error{attempted + " as long as processes are in it", EBUSY};
        stage::step("enable a controller");
        Result<void> written = parent.write("cgroup.subtree_control", "+" + name);
        return written.has_value() ? Result<void>() : Error{attempted, written.error().error_number};
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

    static bool has_word(std::string_view words, std::string_view word)
    {
        while (!words.empty()) {
            size_t space = words.find(' ');
            if (words.substr(0, space) == word)
                return true;
            words = space == std::string_view::npos ? std::string_view() : words.substr(space + 1);
        }
        return false;
    }

    Result<void> set_limits(Place& place)
    {
        // Without CPUs and memory nodes no process can enter a v1 cpuset, and a new one has none.
        if (place.location.version == 1 && place.location.has_controller("cpuset"))
            for (const char* file : {"cpuset.cpus", "cpuset.mems"})
                TRY(filled_cpuset(place, *TRY(cgroup_of(place)), place.location.path, file));
        for (size_t i = 0; i < writes_.size(); i++) {
            if (!belongs_to(writes_[i], place.location))
                continue;
            const CgroupDir& cgroup = *TRY(cgroup_of(place));
            Result<void> written = write_limit(cgroup, writes_[i]);
            if (!written.has_value() && written.error().error_number == EINVAL && writes_[i].may_come_after_next) {
                TRY(write_limit(cgroup, writes_[i + 1]));
                written = write_limit(cgroup, writes_[i]);
            }
            TRY(std::move(written));
        }
        return {};
    }

    static Result<void> write_limit(const CgroupDir& cgroup, const LimitWrite& write)
    {
        stage::step("write a limit");
        if (!write.not_above.empty()) {
            Result<unsigned long long> limit = parse_unsigned(write.value);
            unsigned long long used = TRY(parse_unsigned(TRY(cgroup.read(write.not_above))));
            if (limit.has_value() && used > limit.value())
                return Error{"the limit '" + write.value + "' is below the present use '" + std::to_string(used) + "'", EBUSY}.with_pointer(write.where);
        }
        Result<void> written = cgroup.write(write.file, write.value);
        if (!written.has_value() && written.error().error_number == ENOENT) {
            if (write.is_optional)
                return {};
            if (!write.other_file.empty())
                written = cgroup.write(write.other_file, write.other_value);
        }
        return std::move(written).with_pointer(write.where);
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
                for (const DeviceLine& line : *device_lines_) {
                    stage::step("write a device rule");
                    TRY(TRY(cgroup_of(place))->write(line.file, line.value).with_pointer(line.where));
                }
            } else if (!device_program_.empty() && place.location.version == 2) {
                stage::step("attach the device program");
                Result<void> attached = attach_device_program(TRY(cgroup_of(place))->fd(), device_program_);
                if (attached.has_value())
                    continue;
                // Only the host's root may attach one. Whoever is not root in the initial user namespace cannot
                // make device nodes either (man 2 mknod), so that the rules would keep nothing away that is not kept away already.
                if (!(request_.tolerate_denied && is_denied(attached.error().error_number) && !is_root_of_host()))
                    return std::move(attached).with_pointer(request_.devices.front().where);
            }
        }
        return {};
    }

    static bool is_root_of_host()
    {
        if (::geteuid() != 0)
            return false;
        UniqueFd file(::open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC));
        Result<std::string> map = file ? read_all(file.get(), 1 << 16) : Result<std::string>(Error{""});
        // The initial user namespace maps all ids onto themselves. Not known: assume the worst.
        return !map.has_value() || map.value().find("4294967295") != std::string::npos;
    }

    const CgroupRequest& request_;
    std::vector<Hierarchy> hierarchies_;
    std::vector<LimitWrite> writes_;
    std::optional<std::vector<DeviceLine>> device_lines_;
    std::vector<bpf_insn> device_program_;
    std::vector<Place> places_;
    Made made_;
};

}  // namespace

Result<std::vector<CgroupLocation>> create_cgroup(const CgroupRequest& request)
{
    Creator creator(request);
    return creator.create();
}
