// Dropping privileges: labels, groups, capability sets, ids.
#include "privileges.h"

#include "proc/proc_handle.h"
#include "stage/stage.h"

#include <algorithm>
#include <fcntl.h>
#include <grp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <type_traits>
#include <memory>

static Result<uint32_t> read_id(Field field)
{
    if (field.empty())
        return UINT32_MAX;
    unsigned long long id = TRY(parse_unsigned(field));
    if (id >= UINT32_MAX)
        return Error{"'" + std::string(field) + "' is not an id from 0 to 4294967294"};
    return static_cast<uint32_t>(id);
}

Result<User> read_user(const Plan& plan)
{
    User user;
    if (const Directive* line = plan.find("init.user")) {
        user.uid = TRY(read_id((*line)[0]).with_pointer(line->pointer));
        user.gid = TRY(read_id((*line)[1]).with_pointer(line->pointer));
    }
    for (const Directive& line : plan.directives())
        if (line.is("init.additional-gid"))
            user.groups.push_back(static_cast<gid_t>(TRY(parse_unsigned(line[0]).with_pointer(line.pointer))));
    return user;
}

Result<void> set_groups(const Plan& plan, const User& user)
{
    if (plan.find("init.keep-groups") != nullptr)
        return {};
    if (::setgroups(user.groups.size(), user.groups.data()) == 0)
        return {};
    // In a user namespace of an unprivileged user nobody may change them (man 7 user_namespaces); there, asking for none is
    // what everybody does.
    if (errno == EPERM && user.groups.empty())
        return {};
    const Directive* line = plan.find("init.additional-gid");
    return errno_error("cannot set the supplementary groups").with_pointer(line != nullptr ? line->pointer : "");
}

struct FreeCapabilities {
    void operator()(cap_t caps) const { ::cap_free(caps); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCapabilities>;

static uint64_t get_set(cap_t caps, cap_flag_t flag)
{
    uint64_t set = 0;
    for (cap_value_t value = 0; value < cap_max_bits(); value++) {
        cap_flag_value_t has = CAP_CLEAR;
        if (cap_get_flag(caps, value, flag, &has) == 0 && has == CAP_SET)
            set |= 1ULL << value;
    }
    return set;
}

static void warn_of(uint64_t set, const char* sentence)
{
    for (cap_value_t value = 0; set >> value != 0; value++) {
        if ((set >> value & 1) == 0)
            continue;
        char* word = cap_to_name(value);
        stage::warn("capability '" + std::string(word != nullptr ? word : "?") + "' " + sentence);
        ::cap_free(word);
    }
}

/// What cannot be given is left out, with a warning (runtime-spec config.md, "Linux Process").
static Result<void> leave_out_unavailable(CapabilitySets& sets)
{
    Capabilities present(cap_get_proc());
    if (!present)
        return errno_error("cannot read the capabilities");
    const uint64_t available = get_set(present.get(), CAP_PERMITTED);
    // Inheritable ones beyond our own need CAP_SETPCAP and the bounding set, which is asked for them.
    const uint64_t inheritable = available | get_set(present.get(), CAP_INHERITABLE);
    warn_of(((sets.permitted | sets.effective) & ~available) | (sets.inheritable & ~inheritable), "cannot be given: the caller does not have it");
    sets.permitted &= available;
    sets.effective &= available;
    sets.inheritable &= inheritable;
    warn_of(sets.ambient & ~(sets.permitted & sets.inheritable), "cannot be ambient: it is not permitted and inheritable");
    sets.ambient &= sets.permitted & sets.inheritable;
    return {};
}

Result<CapabilitySets> read_capabilities(const Plan& plan)
{
    CapabilitySets sets;
    struct {
        std::string_view name;
        uint64_t CapabilitySets::*set;
    } static constexpr names[] = {{"bounding", &CapabilitySets::bounding},
                                  {"permitted", &CapabilitySets::permitted},
                                  {"effective", &CapabilitySets::effective},
                                  {"inheritable", &CapabilitySets::inheritable},
                                  {"ambient", &CapabilitySets::ambient}};
    const cap_value_t end = cap_max_bits();
    std::vector<std::string_view> unknown; // most are in several sets
    for (const Directive& line : plan.directives()) {
        if (!line.is("init.capability"))
            continue;
        uint64_t CapabilitySets::*set = nullptr;
        for (const auto& known : names)
            if (line[0] == known.name)
                set = known.set;
        if (set == nullptr)
            return Error{"unknown capability set '" + std::string(line[0]) + "'"}.with_pointer(line.pointer);
        for (Field name : line.fields.subspan(1)) {
            cap_value_t value = 0;
            if (cap_from_name(name.data(), &value) == 0 && value >= 0 && value < end)
                sets.*set |= 1ULL << value;
            else if (std::find(unknown.begin(), unknown.end(), name) == unknown.end())
                unknown.push_back(name);
        }
    }
    for (std::string_view name : unknown)
        stage::warn("capability '" + std::string(name) + "' is not known here and is left out");
    // Now, and not when they are dropped: nobody may be there to hear a warning after `start`.
    TRY(leave_out_unavailable(sets));
    return sets;
}

static void put_set(cap_t caps, cap_flag_t flag, uint64_t set)
{
    for (cap_value_t value = 0; value < cap_max_bits(); value++)
        if ((set >> value & 1) != 0)
            cap_set_flag(caps, flag, 1, &value, CAP_SET);
}

static Result<void> drop_bounding(uint64_t keep)
{
    for (cap_value_t value = 0; value < cap_max_bits(); value++) {
        if ((keep >> value & 1) != 0 || cap_drop_bound(value) == 0)
            continue;
        int problem = errno;
        // Without CAP_SETPCAP one may still not have it.
        if (cap_get_bound(value) != 0)
            return Error{"cannot take capability " + std::to_string(value) + " from the bounding set", problem};
    }
    return {};
}

Result<void> drop_privileges(const User& user, const CapabilitySets& sets)
{
    TRY(drop_bounding(sets.bounding));
    // Otherwise the change of the user id would take the permitted set away before it can be chosen.
    if (user.uid != 0 && ::prctl(PR_SET_KEEPCAPS, 1) < 0)
        return errno_error("cannot keep capabilities over the change of the user");
    if (::setresgid(user.gid, user.gid, user.gid) < 0)
        return errno_error("cannot become group " + std::to_string(user.gid)).with_pointer("/process/user/gid");
    if (::setresuid(user.uid, user.uid, user.uid) < 0)
        return errno_error("cannot become user " + std::to_string(user.uid)).with_pointer("/process/user/uid");
    // A change of credentials sets it as /proc/sys/fs/suid_dumpable says.
    if (::prctl(PR_SET_DUMPABLE, 0) < 0)
        return errno_error("cannot stay non-dumpable");

    Capabilities caps(cap_init());
    if (!caps)
        return errno_error("cannot make a set of capabilities");
    put_set(caps.get(), CAP_PERMITTED, sets.permitted);
    put_set(caps.get(), CAP_EFFECTIVE, sets.effective);
    put_set(caps.get(), CAP_INHERITABLE, sets.inheritable);
    if (cap_set_proc(caps.get()) < 0)
        return errno_error("cannot set the capabilities").with_pointer("/process/capabilities");
    if (::prctl(PR_SET_KEEPCAPS, 0) < 0)
        return errno_error("cannot end the keeping of capabilities");

    // Only what config.json lists (CVE-2016-8867, CVE-2022-29162).
    // The call itself: the library's asks for each capability before (EINVAL: Linux before 4.3 has no such set).
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return errno_error("cannot clear the ambient set");
    for (cap_value_t value = 0; value < cap_max_bits(); value++) {
        if ((sets.ambient >> value & 1) != 0 && cap_set_ambient(value, CAP_SET) < 0)
            return errno_error("cannot raise ambient capability " + std::to_string(value)).with_pointer("/process/capabilities/ambient");
    }
    return {};
}

static bool is_apparmor_on()
{
    UniqueFd file(::open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC));
    char answer = 'N';
    return file && ::read(file.get(), &answer, 1) == 1 && answer == 'Y';
}

/// By the kernel's own list: one that was started without SELinux does not register its file system
/// (security/selinux/selinuxfs.c). /sys is the container's own in `exec`, where /sys/fs/selinux is seldom there.
static Result<bool> is_selinux_on()
{
    ProcHandle proc = TRY(ProcHandle::open(ProcHandle::Content::all));
    UniqueFd file = TRY(proc.open_file("filesystems", O_RDONLY));
    return TRY(read_all(file.get(), 1 << 16)).find("\tselinuxfs\n") != std::string::npos;
}

/// What AppArmor's file takes: a verb and a profile.
static constexpr std::string_view apparmor_verb = "exec ";

Result<Label> Label::prepare(const Plan& plan)
{
    Label label;
    const Directive* apparmor = plan.find("init.apparmor-profile");
    const Directive* selinux = plan.find("init.selinux-label");
    const char* file = nullptr;
    const char* older_file = nullptr;
    if (apparmor != nullptr && !(*apparmor)[0].empty()) {
        label.pointer_ = apparmor->pointer;
        if (!is_apparmor_on()) {
            if ((*apparmor)[0] == "unconfined")
                return label;
            return Error{"cannot apply the AppArmor profile '" + std::string((*apparmor)[0]) + "': AppArmor is not enabled on this host"}.with_pointer(
                label.pointer_);
        }
        label.text_ = std::string(apparmor_verb) + std::string((*apparmor)[0]);
        // Linux >= 5.8 has a file for AppArmor alone; the other one belongs to the first module.
        file = "thread-self/attr/apparmor/exec";
        older_file = "thread-self/attr/exec";
    } else if (selinux != nullptr && !(*selinux)[0].empty()) {
        // As the field does: a label on a host without SELinux means nothing.
        if (!TRY(is_selinux_on().with_context("cannot tell whether SELinux is on").with_pointer(selinux->pointer)))
            return label;
        label.pointer_ = selinux->pointer;
        label.text_ = (*selinux)[0];
        file = "thread-self/attr/exec";
    }
    if (file == nullptr)
        return label;
    ProcHandle proc = TRY(ProcHandle::open(ProcHandle::Content::tasks).with_pointer(label.pointer_));
    Result<UniqueFd> opened = proc.open_file(file, O_WRONLY);
    if (!opened.has_value() && opened.error().error_number == ENOENT && older_file != nullptr)
        opened = proc.open_file(older_file, O_WRONLY);
    label.file_ = TRY(std::move(opened).with_pointer(label.pointer_));
    return label;
}

Result<void> Label::apply()
{
    if (!file_)
        return {};
    stage::step("set the security label");
    if (::write(file_.get(), text_.data(), text_.size()) != static_cast<ssize_t>(text_.size())) {
        if (errno == ENOENT && text_.starts_with(apparmor_verb))
            return Error{"cannot apply the AppArmor profile '" + text_.substr(apparmor_verb.size()) + "': none of that name is loaded; 'apparmor_parser FILE' loads one"}.with_pointer(pointer_);
        return errno_error("cannot apply the label '" + text_ + "' by `/proc/thread-self/attr/exec`").with_pointer(pointer_);
    }
    file_.reset();
    return {};
}
