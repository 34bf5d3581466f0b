// Entering namespaces in an order that works (man 2 setns, man 7 user_namespaces).
#include "join.h"

#include "process/pidfd.h"
#include "process/process.h"
#include "stage/stage.h"

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>

static Result<UniqueFd> open_namespace(const std::string& path, const NamespaceKind& kind)
{
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd)
        return errno_error("cannot open '" + path + "'");
    int type = ::ioctl(fd.get(), NS_GET_NSTYPE);
    if (type < 0)
        return Error{"'" + path + "' is not a namespace"};
    if (static_cast<uint64_t>(type) != kind.flag) {
        const NamespaceKind* found = find_kind(static_cast<uint64_t>(static_cast<unsigned>(type)));
        return Error{"'" + path + "' is a " + std::string(found != nullptr ? found->name : "strange") + " namespace; expected a " +
                     std::string(kind.name) + " namespace"};
    }
    return fd;
}

Result<void> Joins::add_paths(const std::vector<Join>& joins)
{
    for (const Join& join : joins) {
        UniqueFd fd = TRY(open_namespace(join.path, *join.kind).with_pointer(join.pointer));
        flags_ |= join.kind->flag;
        open_.push_back({join.kind, std::move(fd), join.path, join.pointer});
    }
    return {};
}

int Joins::descriptor(uint64_t flag) const
{
    for (const Open& open : open_)
        if (open.kind->flag == flag)
            return open.fd.get();
    return -1;
}

/// The kinds in which the process behind `theirs` (its /proc/PID/ns) is elsewhere.
static Result<uint64_t> differing_kinds(int theirs, pid_t pid)
{
    UniqueFd ours(::open("/proc/self/ns", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!ours)
        return errno_error("cannot open '/proc/self/ns'");
    uint64_t flags = 0;
    for (const NamespaceKind& kind : namespace_kinds) {
        char name[16] = {};
        std::memcpy(name, kind.proc_name.data(), kind.proc_name.size());
        char own[64];
        char other[64];
        ssize_t own_size = ::readlinkat(ours.get(), name, own, sizeof own);
        if (own_size < 0)
            continue;  // a kind that this kernel does not have
        ssize_t other_size = ::readlinkat(theirs, name, other, sizeof other);
        if (other_size < 0)
            return errno_error("cannot read the namespaces of process " + std::to_string(pid));
        if (own_size != other_size || std::memcmp(own, other, static_cast<size_t>(own_size)) != 0)
            flags |= kind.flag;
    }
    return flags;
}

Result<void> Joins::add_target(const Target& target)
{
    std::string process = "process " + std::to_string(target.pid);
    char path[32];
    std::snprintf(path, sizeof path, "/proc/%d/ns", target.pid);
    // Held open, the directory stays that process's: with another one it gives only errors.
    UniqueFd dir(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!dir && errno == ENOENT)
        return Error{process + " does not exist"};
    if (!dir)
        return errno_error("cannot open '" + std::string(path) + "'");
    UniqueFd pidfd = open_pidfd(target.pid);
    if (!pidfd && errno != ENOSYS)  // Linux 5.3
        return errno == ESRCH ? Error{process + " does not exist"} : errno_error("cannot open " + process);
    if (target.start_time != 0) {
        std::optional<ProcessStatus> status = read_process_status(target.pid);
        if (!status || status->start_time != target.start_time)
            return Error{process + " is not the one that was meant: its number has been given to another process"};
    }
    uint64_t differing = TRY(differing_kinds(dir.get(), target.pid));
    // Entering the own user namespace again is refused by the kernel; the others are where we are already.
    target_flags_ = target.kinds != 0 ? differing & target.kinds : differing;
    target_flags_ &= ~flags_;
    flags_ |= target_flags_;
    target_ = std::move(pidfd);
    target_dir_ = std::move(dir);
    target_pid_ = target.pid;
    return {};
}

Result<UniqueFd> Joins::take_cgroup_namespace()
{
    for (size_t i = 0; i < open_.size(); i++) {
        if (open_[i].kind->flag != CLONE_NEWCGROUP)
            continue;
        UniqueFd taken = std::move(open_[i].fd);
        open_.erase(open_.begin() + static_cast<ptrdiff_t>(i));
        return taken;
    }
    if ((target_flags_ & CLONE_NEWCGROUP) == 0)
        return UniqueFd();
    UniqueFd taken(::openat(target_dir_.get(), "cgroup", O_RDONLY | O_CLOEXEC));
    if (!taken)
        return errno_error("cannot open '/proc/" + std::to_string(target_pid_) + "/ns/cgroup'");
    target_flags_ &= ~static_cast<uint64_t>(CLONE_NEWCGROUP);
    return taken;
}

Result<std::string> Joins::cgroup_of_target() const
{
    UniqueFd file(::openat(target_dir_.get(), "../cgroup", O_RDONLY | O_CLOEXEC));
    if (!file)
        return errno_error("cannot read the cgroups of process " + std::to_string(target_pid_));
    std::string text = TRY(read_all(file.get(), 1 << 20).with_context("the cgroups of process " + std::to_string(target_pid_)));
    size_t line = text.starts_with("0::") ? 0 : text.find("\n0::");
    if (line == std::string::npos)
        return Error{"process " + std::to_string(target_pid_) + " has no cgroup of version 2"};
    line = text.find("0::", line) + 3;
    return text.substr(line, text.find('\n', line) - line);
}

Result<void> Joins::enter_one(const Open& open)
{
    stage::step("enter the " + std::string(open.kind->name) + " namespace");
    if (::setns(open.fd.get(), static_cast<int>(open.kind->flag)) == 0)
        return {};
    return errno_error("cannot enter the " + std::string(open.kind->name) + " namespace '" + open.path + "'").with_pointer(open.pointer);
}

Result<void> Joins::enter_target()
{
    if (target_flags_ == 0)
        return {};
    if (target_) {
        stage::step("enter the namespaces of process " + std::to_string(target_pid_));
        if (::setns(target_.get(), static_cast<int>(target_flags_)) == 0) {
            target_flags_ = 0;
            return {};
        }
        if (errno == ESRCH)
            return Error{"process " + std::to_string(target_pid_) + " has ended"};
        // EINVAL: before Linux 5.8. EPERM: some belong to the process's user namespace, some to ours;
        // then one after the other may work.
        if (errno != EINVAL && errno != EPERM && errno != ENOSYS)
            return errno_error("cannot enter the namespaces of process " + std::to_string(target_pid_));
    }
    for (const NamespaceKind& kind : namespace_kinds) {
        if ((target_flags_ & kind.flag) == 0)
            continue;
        std::string name(kind.proc_name);
        UniqueFd fd(::openat(target_dir_.get(), name.c_str(), O_RDONLY | O_CLOEXEC));
        if (!fd)
            return errno_error("cannot open '/proc/" + std::to_string(target_pid_) + "/ns/" + name + "'");
        open_.push_back({&kind, std::move(fd), "/proc/" + std::to_string(target_pid_) + "/ns/" + name, {}});
    }
    target_flags_ = 0;
    return {};
}

/// `own_dir` is /proc/self as it was before a mount namespace was entered.
static Result<void> expect_map(int own_dir, const char* file, const IdMap& expected)
{
    if (expected.empty())
        return {};
    UniqueFd map(::openat(own_dir, file, O_RDONLY | O_CLOEXEC));
    if (!map)
        return errno_error("cannot open '/proc/self/" + std::string(file) + "'");
    std::string written = TRY(read_all(map.get(), 1 << 16));
    if (!is_same_id_map(expected, written))
        return Error{"the user namespace that is joined has another map"}.with_pointer(expected.front().pointer);
    return {};
}

Result<void> Joins::enter(const IdMap& expected_uid_map, const IdMap& expected_gid_map)
{
    TRY(enter_target());
    UniqueFd own_dir;
    if (!expected_uid_map.empty() || !expected_gid_map.empty())
        own_dir = UniqueFd(::open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Whoever is privileged here enters the others first, as some may belong to our own user namespace;
    // who is not gets the right to them only inside the user namespace.
    const Open* user = nullptr;
    for (const Open& open : open_)
        if (open.kind->flag == CLONE_NEWUSER)
            user = &open;
    std::vector<const Open*> later;
    for (const Open& open : open_) {
        if (&open == user)
            continue;
        Result<void> entered = enter_one(open);
        if (entered.has_value())
            continue;
        if (user == nullptr || entered.error().error_number != EPERM)
            return entered;
        later.push_back(&open);
    }
    if (user != nullptr) {
        TRY(enter_one(*user));
        TRY(expect_map(own_dir.get(), "uid_map", expected_uid_map));
        TRY(expect_map(own_dir.get(), "gid_map", expected_gid_map));
    }
    for (const Open* open : later)
        TRY(enter_one(*open));
    return {};
}
