// The order in which everything happens: what is opened and entered by the caller, what the child does.
#include "launch.h"

#include "cgroup/cgroup.h"
#include "number_list/number_list.h"
#include "process/clone.h"
#include "process/pidfd.h"
#include "restrictions.h"
#include "stage/stage.h"
#include "supervise.h"

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

namespace {

/// A file that takes us into a cgroup when "0" is written to it.
struct CgroupDoor {
    UniqueFd file;
    std::string directory;
};

/// What is left to do for the process that becomes PROGRAM, whether it is the child or we ourselves.
struct Inside {
    const Request& request;
    Executable& program;
    const LaunchOptions& options;
    std::vector<CgroupDoor> doors = {};
    int cgroup_procs = -1;                  ///< one door more, when clone3 could not do it
    UniqueFd cgroup_namespace = UniqueFd(); ///< entered when it is in its cgroup
    uint64_t unshare_flags = 0;             ///< namespaces that it makes by itself
    bool has_user_namespace = false;        ///< made or entered
    bool writes_id_maps = false;
    bool writes_time_offsets = false;
    bool dies_with_parent = false;
    bool announces_itself = false;          ///< sends `pid` to ocirun
    UniqueFd go = UniqueFd();               ///< end of file before a byte: the caller gave up
    UniqueFd go_ahead = UniqueFd();         ///< the caller's end of it, of which the child closes its copy
    UniqueFd parent = UniqueFd();           ///< pidfd
    const ForwardedSignals* signals = nullptr;
    Identity identity = {};
    pid_t pid = -1;                         ///< the child's, as the caller counts
};

}  // namespace

static Result<CgroupDoor> open_door(const Cgroup& cgroup)
{
    // v1: a process of one thread joins by 'tasks', which is the same to it, and spares the kernel the
    // lock against new threads, whose price is a grace period of RCU (kernel/cgroup/cgroup.c).
    std::string path = cgroup.directory + (cgroup.is_v2 ? "/cgroup.procs" : "/tasks");
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file)
        return errno_error("cannot open '" + path + "'");
    return CgroupDoor{std::move(file), cgroup.directory};
}

static Result<void> join_cgroups(const Inside& inside)
{
    for (const CgroupDoor& door : inside.doors) {
        stage::step("join a cgroup");
        if (::write(door.file.get(), "0", 1) < 0)
            return errno_error("cannot join the cgroup '" + door.directory + "'");
    }
    if (inside.cgroup_procs >= 0) {
        stage::step("join the cgroup");
        if (::write(inside.cgroup_procs, "0", 1) < 0)
            return errno_error("cannot join the cgroup");
    }
    return {};
}

static Error new_namespaces_error(int saved, const Request& request, uint64_t flags, const Identity& identity)
{
    bool is_plural = (flags & (flags - 1)) != 0;
    Error error{"cannot make " + std::string(is_plural ? "new " : "a new ") + kind_names(flags) + (is_plural ? " namespaces" : " namespace"), saved};
    if (flags == 0)
        error.attempted = "cannot start a process";
    else if (saved == EPERM && (flags & CLONE_NEWUSER) == 0 && !identity.is_admin)
        error.attempted += " (needs privilege, or a new user namespace: 'oci-ns new --user --map-root', 'ocirun spec --rootless')";
    else
        error = explain_user_namespace_error(std::move(error), flags);
    return std::move(error).with_pointer(request.new_pointer);
}

static Error clone_error(Error error, const Request& request, uint64_t flags, const Identity& identity)
{
    // EBUSY, EOPNOTSUPP, ENODEV: the cgroup has children with controllers, is threaded, is gone (man 2 clone).
    for (const Cgroup& cgroup : request.cgroups)
        if (cgroup.is_v2 && (error.error_number == EBUSY || error.error_number == EOPNOTSUPP || error.error_number == ENODEV || error.error_number == EACCES))
            return Error{"cannot start the process in the cgroup '" + cgroup.directory + "'", error.error_number};
    return new_namespaces_error(error.error_number, request, flags, identity);
}

static Result<void> write_time_offsets(const std::vector<TimeOffset>& offsets)
{
    if (offsets.empty())
        return {};
    stage::step("offset the clocks");
    UniqueFd file(::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC));
    if (!file)
        return errno_error("cannot open '/proc/self/timens_offsets'").with_pointer(offsets.front().pointer);
    for (const TimeOffset& offset : offsets) {
        std::string line = offset.clock + " " + std::to_string(offset.seconds) + " " + std::to_string(offset.nanoseconds) + "\n";
        if (::write(file.get(), line.data(), line.size()) < 0)
            return errno_error("cannot write '" + line.substr(0, line.size() - 1) + "' to '/proc/self/timens_offsets'").with_pointer(offset.pointer);
    }
    return {};
}

/// For ourselves; the child inherits it (proc(5)).
static Result<void> set_oom_score_adj(const OomScoreAdj& wanted)
{
    stage::step("set the score for the out-of-memory killer");
    UniqueFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), wanted.value.data(), wanted.value.size()) < 0)
        return errno_error("cannot write '" + wanted.value + "' to '/proc/self/oom_score_adj'").with_pointer(wanted.pointer);
    return {};
}

/// Becomes user and group 0 of the user namespace, where they are mapped, and leaves the groups of
/// the caller, where that is allowed and wanted.
static Result<void> become_root(bool keeps_groups)
{
    // EPERM: setgroups is denied for good here.
    if (!keeps_groups && ::setgroups(0, nullptr) < 0 && errno != EPERM)
        return errno_error("cannot leave the supplementary groups");
    if (::setresgid(0, 0, 0) < 0 && errno != EINVAL)
        return errno_error("cannot become group 0 of the user namespace");
    if (::setresuid(0, 0, 0) < 0 && errno != EINVAL)
        return errno_error("cannot become user 0 of the user namespace");
    return {};
}

/// For a PROGRAM that needs the rights of the user namespace but is not user 0 in it: only ambient
/// capabilities outlive execve then (man 7 capabilities).
static Result<void> keep_capabilities()
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    if (::syscall(SYS_capget, &header, data) < 0)
        return errno_error("cannot read the own capabilities");
    data[0].inheritable = data[0].permitted;
    data[1].inheritable = data[1].permitted;
    if (::syscall(SYS_capset, &header, data) < 0)
        return errno_error("cannot make the capabilities inheritable");
    for (unsigned long capability = 0; capability < 64; capability++)
        if ((data[capability / 32].permitted & (1U << (capability % 32))) != 0 &&
            ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0)
            return errno_error("cannot keep capability " + std::to_string(capability));
    return {};
}

static Result<void> bring_up_loopback()
{
    stage::step("bring up the loopback interface");
    // The request is one of the network core: any socket carries it, this kind is always there.
    UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP;
    if (!socket || ::ioctl(socket.get(), SIOCSIFFLAGS, &request) < 0)
        return errno_error("cannot bring up the loopback interface");
    return {};
}

static Result<void> prepare_mounts(const LaunchOptions& options, uint64_t new_flags)
{
    if ((new_flags & CLONE_NEWNS) != 0 && !options.is_driven && options.propagation != 0) {
        stage::step("set the propagation of the mounts");
        if (::mount("none", "/", nullptr, options.propagation, nullptr) < 0)
            return errno_error("cannot set the propagation of the mounts");
    }
    if (options.mounts_proc) {
        stage::step("mount proc");
        if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) < 0)
            return errno_error("cannot mount a new proc on '/proc'");
    }
    return {};
}

/// The kernel kills us when our parent dies; it may have died before we asked for that.
static Result<void> die_with_parent(int parent)
{
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return errno_error("cannot ask for a signal on the parent's death");
    pollfd ended{parent, POLLIN, 0};
    if (parent >= 0 && ::poll(&ended, 1, 0) == 1)
        ::_exit(exit_stage_failed);
    return {};
}

/// Everything between being in the namespaces and executing the program.
static Result<void> prepare(Inside& inside)
{
    if (inside.announces_itself) {
        std::string message = "pid\t" + std::to_string(inside.pid);
        TRY(send_packet(inside.options.control_fd, message).with_context("cannot tell ocirun the process"));
    }
    TRY(join_cgroups(inside));
    if (inside.go) {
        inside.go_ahead.reset();
        char byte;
        ssize_t n;
        while ((n = ::read(inside.go.get(), &byte, 1)) < 0 && errno == EINTR) {
        }
        if (n != 1)
            ::_exit(exit_stage_failed);
    }
    if (inside.cgroup_namespace) {
        stage::step("enter the cgroup namespace");
        if (::setns(inside.cgroup_namespace.get(), CLONE_NEWCGROUP) < 0)
            return errno_error("cannot enter the cgroup namespace");
    }
    if (inside.unshare_flags != 0) {
        stage::step("make namespaces");
        if (::unshare(static_cast<int>(inside.unshare_flags)) < 0)
            return new_namespaces_error(errno, inside.request, inside.unshare_flags, inside.identity);
    }
    if (inside.writes_id_maps) {
        UniqueFd own(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!own)
            return errno_error("cannot open '/proc/self'");
        TRY(write_id_maps(0, own.get(), inside.request.uid_map, inside.request.gid_map, inside.identity, {}));
    }
    if (inside.writes_time_offsets)
        TRY(write_time_offsets(inside.request.time_offsets));
    // From here on nobody in the namespaces may look into this process (CVE-2016-9962).
    ::prctl(PR_SET_DUMPABLE, 0);
    if (inside.has_user_namespace) {
        TRY(become_root(inside.request.keeps_groups));
        if (inside.options.is_driven && ::geteuid() != 0)
            TRY(keep_capabilities());
    }
    if ((inside.request.new_flags & CLONE_NEWNET) != 0)
        TRY(bring_up_loopback());
    TRY(prepare_mounts(inside.options, inside.request.new_flags));
    if (inside.dies_with_parent)
        TRY(die_with_parent(inside.parent.get()));
    if (inside.signals != nullptr)
        inside.signals->restore();
    return {};
}

static Error as_chain_loader(Error error) { return error.exit_code == exit_failed ? std::move(error).with_exit_code(exit_stage_failed) : error; }

/// The child: becomes the program or says why not. Does not return.
static void run_child(void* argument)
{
    Inside& inside = *static_cast<Inside*>(argument);
    Result<void> prepared = prepare(inside);
    Error error = prepared.has_value() ? inside.program.execute(inside.options.handed_on) : std::move(prepared).error();
    ::_exit(stage::report(as_chain_loader(std::move(error))));
}

/// The caller's part in the id maps: the child waits meanwhile.
static Result<void> write_maps_of_child(const Inside& inside, int pidfd, const MapPrograms& programs)
{
    char path[32];
    std::snprintf(path, sizeof path, "/proc/%d", inside.pid);
    UniqueFd dir(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!dir)
        return errno_error("cannot open '" + std::string(path) + "'");
    // It is still there, so the directory that was opened by its number is its own.
    if (pidfd >= 0 && send_signal(pidfd, 0) < 0)
        return errno_error("the new process has ended");
    return write_id_maps(inside.pid, dir.get(), inside.request.uid_map, inside.request.gid_map, inside.identity, programs);
}

/// The cgroup in which the target is, when it is below `cgroup`, the one of version 2 that is to be joined. Not open: it is elsewhere.
static Result<UniqueFd> open_cgroup_of_target(const Request& request, const Joins& joins, int cgroup)
{
    for (const Cgroup& joined : request.cgroups) {
        if (!joined.is_v2)
            continue;
        std::string below = path_below(joined.directory, TRY(joins.cgroup_of_target()));
        if (below.empty() || has_dot_dot(below))
            break;
        return UniqueFd(::openat(cgroup, below.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }
    return UniqueFd();
}

/// The CPUs on which everything begins; what comes of it in the cgroup is PROGRAM's affair.
static Result<void> choose_cpus(const Request& request)
{
    if (request.cpus.empty())
        return {};
    std::vector<unsigned long> mask = TRY(parse_number_list(request.cpus));
    if (::sched_setaffinity(0, mask.size() * sizeof(unsigned long), reinterpret_cast<const cpu_set_t*>(mask.data())) < 0)
        return errno_error("cannot run on the CPUs '" + request.cpus + "'");
    return {};
}

/// Network devices go to the child's new namespace while it waits.
static Result<void> give_devices(const Inside& inside)
{
    char path[32];
    std::snprintf(path, sizeof path, "/proc/%d/ns/net", inside.pid);
    UniqueFd network(::open(path, O_RDONLY | O_CLOEXEC));
    if (!network)
        return errno_error("cannot open '" + std::string(path) + "'");
    return move_net_devices(inside.request.net_devices, network.get());
}

Result<int> launch(const Request& request, Joins& joins, Executable& program, const LaunchOptions& options)
{
    const uint64_t new_flags = request.new_flags;
    const bool has_new_user = (new_flags & CLONE_NEWUSER) != 0;
    const bool is_controlled = options.control_fd >= 0;

    Inside inside{request, program, options};
    inside.identity = own_identity();
    inside.has_user_namespace = has_new_user || (joins.flags() & CLONE_NEWUSER) != 0;
    MapWriter writer = has_new_user ? map_writer(request.uid_map, request.gid_map, inside.identity) : MapWriter::nobody;
    MapPrograms programs;
    if (writer == MapWriter::outer_process)
        programs = TRY(find_map_programs(request.uid_map, request.gid_map, inside.identity));
    inside.writes_id_maps = writer == MapWriter::itself;

    // Without privilege the clocks can be set only inside of the new user namespace, by the child. It is in
    // its new time namespace from its execve on, since Linux 6.2 (fs/exec.c, exec_task_namespaces).
    const bool has_new_time = (new_flags & CLONE_NEWTIME) != 0;
    inside.writes_time_offsets = has_new_time && has_new_user && !inside.identity.is_admin;
    if (inside.writes_time_offsets) {
        utsname system{};
        unsigned major = 0;
        unsigned minor = 0;
        if (::uname(&system) == 0 && std::sscanf(system.release, "%u.%u", &major, &minor) == 2 && (major < 6 || (major == 6 && minor < 2)))
            return Error{"a new time namespace together with a new user namespace needs privilege before Linux 6.2"};
        inside.unshare_flags |= CLONE_NEWTIME;
    }

    // A process whose /proc files belong to root cannot write its own maps; it is made non-dumpable behind that.
    bool must_be_dumpable = inside.identity.uid != 0 && (writer != MapWriter::nobody || inside.writes_time_offsets);
    if (!must_be_dumpable)
        ::prctl(PR_SET_DUMPABLE, 0);

    const bool gives_devices = !request.net_devices.empty() && (new_flags & CLONE_NEWNET) != 0;
    const bool makes_child = is_controlled || gives_devices || ((new_flags | joins.flags()) & CLONE_NEWPID) != 0 || has_new_time || writer == MapWriter::outer_process;

    TRY(choose_cpus(request).with_pointer(request.cpus_pointer));

    // All that has a name is opened before names can change their meaning.
    UniqueFd birthplace;
    for (const Cgroup& cgroup : request.cgroups) {
        if (!cgroup.is_v2 || !makes_child) {
            inside.doors.push_back(TRY(open_door(cgroup)));
            continue;
        }
        birthplace = UniqueFd(::open(cgroup.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!birthplace)
            return errno_error("cannot open the cgroup '" + cgroup.directory + "'");
    }

    // Before the user namespace: it has no rights where they come from.
    if (int network = joins.descriptor(CLONE_NEWNET); network >= 0)
        TRY(move_net_devices(request.net_devices, network));
    if (request.oom_score_adj)
        TRY(set_oom_score_adj(*request.oom_score_adj));
    if (birthplace)
        inside.cgroup_namespace = TRY(joins.take_cgroup_namespace());
    TRY(joins.enter(has_new_user ? IdMap() : request.uid_map, has_new_user ? IdMap() : request.gid_map));

    if (!makes_child) {
        inside.unshare_flags = new_flags;
        TRY(prepare(inside));
        return program.execute(options.handed_on);
    }

    uint64_t clone_flags = new_flags & ~static_cast<uint64_t>(CLONE_NEWTIME);
    // The root of a cgroup namespace is where its maker is: the child makes it, when it is in its cgroup.
    if ((new_flags & CLONE_NEWCGROUP) != 0 && !request.cgroups.empty()) {
        clone_flags &= ~static_cast<uint64_t>(CLONE_NEWCGROUP);
        inside.unshare_flags |= CLONE_NEWCGROUP;
    }
    if (has_new_time && !inside.writes_time_offsets) {
        stage::step("make the time namespace");
        if (::unshare(CLONE_NEWTIME) < 0)
            return new_namespaces_error(errno, request, CLONE_NEWTIME, inside.identity);
        TRY(write_time_offsets(request.time_offsets));
    }

    // Memory is shared until execve when nothing is left to do for us after the clone. Not in a pid namespace
    // of others: whoever may trace the child there must not get hold of our memory with it.
    bool is_shared = can_share_memory() && writer != MapWriter::outer_process && (joins.flags() & CLONE_NEWPID) == 0 && !has_new_time && !gives_devices;
    inside.dies_with_parent = !is_controlled;
    inside.announces_itself = is_controlled && is_shared;
    if (!is_shared && (is_controlled || gives_devices || writer == MapWriter::outer_process)) {
        Pipe pipe = TRY(Pipe::create());
        inside.go = std::move(pipe.read_end);
        inside.go_ahead = std::move(pipe.write_end);
    }
    ForwardedSignals signals;
    if (!is_controlled) {
        inside.parent = open_pidfd(::getpid());
        signals.block();
        inside.signals = &signals;
    }

    int pidfd = -1;
    stage::step(clone_flags != 0 ? "make namespaces and the process in them" : "make the process");
    auto clone_into = [&](const UniqueFd& cgroup) {
        return clone_child({clone_flags | (is_controlled ? CLONE_PARENT : 0), cgroup.get(), is_shared ? Memory::shared_until_exec : Memory::copied,
                            run_child, &inside, &inside.pid, &pidfd, &inside.cgroup_procs});
    };
    Result<void> cloned = clone_into(birthplace);
    // A container that manages its own cgroup (systemd) has moved itself below and hands controllers on: nobody may be in it any more
    // (cgroup-v2.rst, "No Internal Process Constraint").
    if (!cloned.has_value() && cloned.error().error_number == EBUSY && birthplace && options.follows_target)
        if (UniqueFd below = TRY(open_cgroup_of_target(request, joins, birthplace.get())))
            cloned = clone_into(below);
    UniqueFd own_pidfd(pidfd);
    if (!cloned.has_value())
        return clone_error(std::move(cloned).error(), request, clone_flags, inside.identity);

    Result<void> done;
    if (writer == MapWriter::outer_process)
        done = write_maps_of_child(inside, pidfd, programs);
    if (done.has_value() && is_controlled && !inside.announces_itself)
        done = send_packet(options.control_fd, "pid\t" + std::to_string(inside.pid)).with_context("cannot tell ocirun the process");
    if (done.has_value() && gives_devices)
        done = give_devices(inside);
    if (done.has_value() && inside.go_ahead)
        done = write_all(inside.go_ahead.get(), "g");
    if (!done.has_value()) {
        inside.go_ahead.reset();  // the child ends by itself when it reads end of file
        if (!is_controlled)
            signals.wait_for(inside.pid);
        return std::move(done).error();
    }
    if (is_controlled)
        return exit_done;
    // Pipes that PROGRAM closes must not be held open by us.
    ::syscall(SYS_close_range, 3U, ~0U, 0U);
    return signals.wait_for(inside.pid);
}
