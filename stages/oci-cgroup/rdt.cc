// Groups of resctrl: making, filling, reading.
#include "rdt.h"

#include "fd/fd.h"
#include "journal/journal.h"
#include "mountinfo/mountinfo.h"
#include "scan/scan.h"
#include "stage/stage.h"

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static constexpr const char* usual_mountpoint = "/sys/fs/resctrl";
static constexpr long resctrl_magic = 0x7655821;  // RDTGROUP_SUPER_MAGIC of linux/magic.h, which is newer than some headers

// What the kernel has in the root: no names for groups.
static constexpr std::string_view kernel_names[] = {"info", "mon_groups", "mon_data", "schemata", "tasks", "cpus", "cpus_list", "mode", "size"};

// ---------------------------------------------------------------- texts

static std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\n'))
        text.remove_suffix(1);
    return text;
}

/// Masks are hexadecimal, with or without leading zeros; bandwidth is decimal.
static bool same_value(std::string_view a, std::string_view b)
{
    auto digits = [](std::string_view text) {
        size_t start = std::min(text.find_first_not_of('0'), text.size());
        std::string lower(text.substr(start));
        for (char& c : lower)
            if (c >= 'A' && c <= 'F')
                c = static_cast<char>(c - 'A' + 'a');
        return lower;
    };
    return digits(trimmed(a)) == digits(trimmed(b));
}

bool schemata_say(std::string_view schemata, std::string_view line)
{
    std::string_view resource = trimmed(take(line, ':'));
    while (!schemata.empty()) {
        std::string_view domains = take_line(schemata);
        if (trimmed(take(domains, ':')) != resource)
            continue;
        while (!line.empty()) {
            std::string_view value = take(line, ';');
            std::string_view domain = trimmed(take(value, '='));
            bool found = false;
            for (std::string_view rest = domains; !rest.empty() && !found;) {
                std::string_view present = take(rest, ';');
                found = trimmed(take(present, '=')) == domain && same_value(present, value);
            }
            if (!found)
                return false;
        }
        return true;
    }
    return false;
}

bool RdtRequest::take(const Directive& directive)
{
    if (directive.is("cgroup.rdt")) {
        where = directive.pointer;
    } else if (directive.is("cgroup.rdt.closid")) {
        closid = directive[0];
        closid_where = directive.pointer;
    } else if (directive.is("cgroup.rdt.group")) {
        group = directive[0];
    } else if (directive.is("cgroup.rdt.schema")) {
        schemata.push_back({std::string(directive[0]), directive.pointer});
    } else if (directive.is("cgroup.rdt.monitoring")) {
        monitoring = true;
        monitoring_where = directive.pointer;
    } else {
        return false;
    }
    asked = true;
    return true;
}

// ---------------------------------------------------------------- files

/// A group's own file, no link to another one.
static Result<std::string> read_group_file(const std::string& path)
{
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file)
        return errno_error("cannot open '" + path + "'");
    return read_all(file.get(), 1 << 20).with_context("'" + path + "'");
}

static bool exists(const std::string& path)
{
    struct stat status;
    return ::lstat(path.c_str(), &status) == 0;
}

static Result<std::string> find_mountpoint()
{
    struct statfs file_system;
    if (::statfs(usual_mountpoint, &file_system) == 0 && file_system.f_type == resctrl_magic)
        return std::string(usual_mountpoint);
    std::string mountinfo = TRY(read_file("/proc/self/mountinfo", 64 << 20));
    for (std::string_view rest = mountinfo; !rest.empty();)
        if (const MountLine mount = take_mount(rest); mount.type == "resctrl")
            return unescape_path(mount.point);
    return Error{"this host has no resctrl file system: it needs a processor with RDT, a kernel with resctrl, and 'mount -t resctrl resctrl " +
                 std::string(usual_mountpoint) + "'"};
}

/// The kernel's own words about the last thing it refused, where it has any.
static std::string refusal(const std::string& mountpoint)
{
    Result<std::string> status = read_group_file(mountpoint + "/info/last_cmd_status");
    std::string_view words = status.has_value() ? trimmed(status.value()) : std::string_view();
    return words.empty() || words == "ok" ? "" : " (resctrl: " + std::string(words) + ")";
}

static Result<void> write_schemata(const std::string& mountpoint, const std::string& group, std::span<const RdtRequest::Line> lines)
{
    UniqueFd file(::open((group + "/schemata").c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));  // lint: a path of the host's resctrl
    if (!file)
        return errno_error("cannot open '" + group + "/schemata'");
    // One write each, so that an error is about one line of the configuration.
    for (const RdtRequest::Line& line : lines) {
        std::string text = line.text + "\n";
        stage::step("write " + line.text + " to " + group + "/schemata");
        if (::write(file.get(), text.data(), text.size()) < 0) {
            Error error = errno_error("cannot write '" + line.text + "' to '" + group + "/schemata'");
            error.attempted += refusal(mountpoint);
            return std::move(error).with_pointer(line.where);
        }
    }
    return {};
}

// ---------------------------------------------------------------- groups

Result<RdtGroups> RdtGroups::create(const RdtRequest& request, const std::string& name, const std::string& given_mountpoint, int journal_fd)
{
    RdtGroups groups;
    if (!request.asked)
        return groups;
    const std::string mountpoint = given_mountpoint.empty() ? TRY(find_mountpoint().with_pointer(request.where)) : given_mountpoint;
    const bool is_root = request.closid == "/";
    const bool is_own = request.closid.empty();
    const std::string& group_name = is_own ? name : request.closid;
    if (!is_root && std::find(std::begin(kernel_names), std::end(kernel_names), group_name) != std::end(kernel_names))
        return Error{"'" + group_name + "' cannot be the name of a group of resctrl: the kernel has that name"}.with_pointer(is_own ? request.where : request.closid_where);
    const std::string group = is_root ? mountpoint : mountpoint + "/" + group_name;

    auto make = [&](const char* what, const std::string& directory, Field where) -> Result<void> {
        stage::step("record the group of resctrl");
        TRY(append_to_journal(journal_fd, {{what, {directory}}}));
        stage::step("make " + directory);
        if (::mkdir(directory.c_str(), 0755) < 0) {
            // ENOSPC: the processor has so many classes of service and no more.
            Error error = errno_error("cannot make the group '" + directory + "'");
            error.attempted += refusal(mountpoint);
            // Somebody made it since we looked: whoever reads the journal is to keep off.
            if (error.error_number == EEXIST)
                TRY(append_to_journal(journal_fd, {{"resctrl-not-ours", {directory}}}));
            return std::move(error).with_pointer(where);
        }
        groups.made_.add(directory);
        return {};
    };

    if (is_root || exists(group)) {
        if (is_own)
            return Error{"the group '" + group + "' exists already and is not this container's; name it by closID to join it"}.with_pointer(request.where);
        // Others live by what is in there: it is compared, never changed (runtime-spec, "Intel RDT").
        std::string schemata = TRY(read_group_file(group + "/schemata").with_pointer(request.closid_where));
        for (const RdtRequest::Line& line : request.schemata)
            if (!schemata_say(schemata, line.text))
                return Error{"the group '" + group + "' exists with other schemata than '" + line.text + "'"}.with_pointer(line.where);
    } else {
        if (!is_own && request.schemata.empty())
            return Error{"the group '" + group + "' does not exist, and without schemata it is not made", ENOENT}.with_pointer(request.closid_where);
        TRY(make(is_own ? "resctrl" : "resctrl-shared", group, is_own ? request.where : request.closid_where));
        if (!request.schemata.empty())
            TRY(write_schemata(mountpoint, group, request.schemata));
    }
    groups.joined_.push_back(group);
    if (request.monitoring) {
        std::string monitor = group + "/mon_groups/" + name;
        TRY(make("resctrl", monitor, request.monitoring_where));
        groups.joined_.push_back(monitor);
    }
    return groups;
}

// ---------------------------------------------------------------- changing

static std::string root_of(const std::string& group) { return exists(group + "/info") ? group : group.substr(0, group.rfind('/')); }

Result<void> change_schemata(const RdtRequest& request, std::vector<std::string>& replaced)
{
    std::string before = TRY(read_group_file(request.group + "/schemata"));
    for (const RdtRequest::Line& line : request.schemata) {
        std::string_view wanted = line.text;
        std::string_view resource = trimmed(take(wanted, ':'));
        for (std::string_view rest = before; !rest.empty();) {
            std::string_view present = trimmed(take_line(rest));
            if (trimmed(present.substr(0, present.find(':'))) == resource)
                replaced.emplace_back(present);
        }
    }
    return write_schemata(root_of(request.group), request.group, request.schemata);
}

Result<void> write_schemata_back(const std::string& group, const std::vector<std::string>& replaced)
{
    Result<void> first_refusal;
    for (size_t i = replaced.size(); i > 0; i--) {
        const RdtRequest::Line line{replaced[i - 1], "-"};
        Result<void> written = write_schemata(root_of(group), group, std::span(&line, 1));
        if (!written.has_value() && first_refusal.has_value())
            first_refusal = std::move(written);
    }
    return first_refusal;
}

// ---------------------------------------------------------------- reading

static std::string text_of(const std::string& path)
{
    Result<std::string> text = read_group_file(path);
    return std::string(text.has_value() ? trimmed(text.value()) : std::string_view());
}

static std::vector<std::string> sorted_names(const std::string& directory)
{
    std::vector<std::string> names;
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr)
        return names;
    ScopeExit close_again([&] { ::closedir(stream); });
    while (const dirent* entry = ::readdir(stream))
        if (entry->d_name[0] != '.')
            names.emplace_back(entry->d_name);
    std::sort(names.begin(), names.end());
    return names;
}

/// The lines of that kind of resource: L3, or L3CODE and L3DATA where those are told apart.
static std::string lines_of(std::string_view schemata, std::string_view resource)
{
    std::string lines;
    while (!schemata.empty()) {
        std::string_view line = trimmed(take_line(schemata));
        if (line.starts_with(resource))
            lines += (lines.empty() ? "" : "\n") + std::string(line);
    }
    return lines;
}

static std::map<std::string, std::string> info_of(const std::string& directory, std::initializer_list<const char*> names)
{
    std::map<std::string, std::string> info;
    for (const char* name : names) {
        std::string text = text_of(directory + "/" + name);
        // All but the mask are numbers, and stand in the document as they are.
        if (!text.empty() && (std::string_view(name) == "cbm_mask" || text.find_first_not_of("0123456789") == std::string::npos))
            info[name] = std::move(text);
    }
    return info;
}

std::optional<RdtUse> read_rdt(const std::string& directory)
{
    if (directory.empty() || !exists(directory))
        return std::nullopt;
    std::string group = directory.substr(0, directory.find("/mon_groups/"));
    std::string root = root_of(group);
    RdtUse use;
    use.l3_info = info_of(root + "/info/L3", {"cbm_mask", "min_cbm_bits", "num_closids"});
    use.mb_info = info_of(root + "/info/MB", {"bandwidth_gran", "delay_linear", "min_bandwidth", "num_closids"});
    std::string root_schemata = text_of(root + "/schemata");
    std::string schemata = text_of(group + "/schemata");
    use.l3_root = lines_of(root_schemata, "L3");
    use.l3 = lines_of(schemata, "L3");
    use.mb_root = lines_of(root_schemata, "MB:");
    use.mb = lines_of(schemata, "MB:");
    for (const std::string& domain : sorted_names(directory + "/mon_data")) {
        if (!domain.starts_with("mon_L3_"))
            continue;
        RdtUse::Domain counted;
        for (const char* counter : {"llc_occupancy", "mbm_total_bytes", "mbm_local_bytes"}) {
            // "Unavailable" and "Error" are no numbers.
            Result<unsigned long long> value = parse_unsigned(text_of(directory + "/mon_data/" + domain + "/" + counter));
            if (value.has_value())
                counted.counters[counter] = value.value();
        }
        use.domains.push_back(std::move(counted));
    }
    return use;
}
