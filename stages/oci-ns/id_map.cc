// Id maps of user namespaces (man 7 user_namespaces).
#include "id_map.h"

#include "plan/plan.h"
#include "process/process.h"
#include "restrictions.h"
#include "scan/scan.h"
#include "stage/stage.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>

static Result<uint32_t> parse_id(std::string_view text)
{
    unsigned long long id = TRY(parse_unsigned(text));
    if (id > UINT32_MAX)
        return Error{"'" + std::string(text) + "' is not an id: the last one is 4294967295"};
    return static_cast<uint32_t>(id);
}

Result<IdRange> make_id_range(std::string_view container, std::string_view host, std::string_view size)
{
    return IdRange{TRY(parse_id(container)), TRY(parse_id(host)), TRY(parse_id(size))};
}

Result<IdRange> parse_id_range(std::string_view text)
{
    size_t first = text.find(':');
    size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
    if (second == std::string_view::npos)
        return Error{"expected CONTAINER:HOST:SIZE, found '" + std::string(text) + "'"};
    return make_id_range(text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1));
}

static bool overlap(uint32_t a, uint32_t b, const IdRange& range_a, const IdRange& range_b)
{
    return static_cast<uint64_t>(a) < static_cast<uint64_t>(b) + range_b.size &&
           static_cast<uint64_t>(b) < static_cast<uint64_t>(a) + range_a.size;
}

static std::string words(const IdRange& range)
{
    return "'" + std::to_string(range.container) + ":" + std::to_string(range.host) + ":" + std::to_string(range.size) + "'";
}

Result<void> check_id_map(const IdMap& map)
{
    // Linux 4.15; what counts is that the kernel would refuse with a bare EINVAL.
    if (map.size() > 340)
        return Error{"more than 340 ranges of ids"}.with_pointer(map[340].pointer);
    for (const IdRange& range : map) {
        if (range.size == 0)
            return Error{"range " + words(range) + " of ids is empty"}.with_pointer(range.pointer);
        // 4294967295 is (uid_t)-1, which no process can have.
        if (static_cast<uint64_t>(range.container) + range.size > UINT32_MAX || static_cast<uint64_t>(range.host) + range.size > UINT32_MAX)
            return Error{"range " + words(range) + " goes beyond id 4294967294"}.with_pointer(range.pointer);
        for (const IdRange& other : map) {
            if (&other == &range)
                break;
            if (overlap(range.container, other.container, range, other) || overlap(range.host, other.host, range, other))
                return Error{"range " + words(range) + " of ids overlaps with " + words(other)}.with_pointer(range.pointer);
        }
    }
    return {};
}

std::string id_map_text(const IdMap& map)
{
    std::string text;
    for (const IdRange& range : map)
        text += std::to_string(range.container) + " " + std::to_string(range.host) + " " + std::to_string(range.size) + "\n";
    return text;
}

bool is_same_id_map(const IdMap& map, std::string_view written)
{
    size_t lines = 0;
    while (!written.empty()) {
        size_t end = written.find('\n');
        std::string line(written.substr(0, end));
        written.remove_prefix(end == std::string_view::npos ? written.size() : end + 1);
        char* rest = line.data();
        unsigned long container = std::strtoul(rest, &rest, 10);
        unsigned long host = std::strtoul(rest, &rest, 10);
        unsigned long size = std::strtoul(rest, &rest, 10);
        lines++;
        if (std::none_of(map.begin(), map.end(), [&](const IdRange& range) {
                return range.container == container && range.host == host && range.size == size;
            }))
            return false;
    }
    return lines == map.size();
}

bool maps_only(const IdMap& map, uint32_t own_id) { return map.size() == 1 && map[0].size == 1 && map[0].host == own_id; }

Identity own_identity()
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    uint32_t effective = ::syscall(SYS_capget, &header, data) == 0 ? data[0].effective : 0;
    return {::geteuid(), ::getegid(), (effective & (1U << CAP_SETUID)) != 0, (effective & (1U << CAP_SETGID)) != 0,
            (effective & (1U << CAP_SYS_ADMIN)) != 0};
}

/// Calls `use` with the fields, separated by colons, of each line.
template <typename Use>
static void for_each_entry(std::string_view text, Use use)
{
    while (!text.empty()) {
        std::string_view line = take_line(text);
        std::vector<std::string_view> fields;
        while (!line.empty())
            fields.push_back(take(line, ':'));
        use(fields);
    }
}

Result<IdMap> subordinate_ids(const char* file, uint32_t owner, uint32_t first)
{
    // By reading the file: the name service would need shared libraries, which a static program has not.
    std::string number = std::to_string(owner);
    std::string name = number;
    std::string users = TRY(read_file("/etc/passwd", 16 << 20));
    for_each_entry(users, [&](const std::vector<std::string_view>& fields) {
        if (fields.size() > 2 && fields[2] == number)
            name = fields[0];
    });
    std::string entries = TRY(read_file(file, 16 << 20));
    IdMap map;
    for_each_entry(entries, [&](const std::vector<std::string_view>& fields) {
        if (fields.size() != 3 || (fields[0] != name && fields[0] != number))
            return;
        Result<IdRange> range = make_id_range(std::to_string(first), fields[1], fields[2]);
        if (!range.has_value() || range.value().size == 0)
            return;
        first += range.value().size;
        map.push_back(range.value());
    });
    if (map.empty())
        return Error{"'" + std::string(file) + "' gives no ids to user '" + name + "'; 'usermod --add-subuids' and '--add-subgids' do"};
    return map;
}

static bool may_write(const IdMap& map, uint32_t own_id, bool is_privileged) { return map.empty() || is_privileged || maps_only(map, own_id); }

MapWriter map_writer(const IdMap& uid_map, const IdMap& gid_map, const Identity& identity)
{
    if (uid_map.empty() && gid_map.empty())
        return MapWriter::nobody;
    // With privilege the outer process does it: setgroups need not be denied then.
    bool is_own_only = (uid_map.empty() || maps_only(uid_map, identity.uid)) && (gid_map.empty() || maps_only(gid_map, identity.gid));
    return is_own_only && !identity.may_map_users && !identity.may_map_groups ? MapWriter::itself : MapWriter::outer_process;
}

static Result<std::string> find_map_program(const char* name)
{
    for (const char* folder : {"/usr/bin/", "/bin/"}) {
        std::string path = std::string(folder) + name;
        if (::access(path.c_str(), X_OK) == 0)
            return path;
    }
    return Error{"mapping more than the own id needs privilege or the program '" + std::string(name) +
                 "', which is neither in /usr/bin nor in /bin (Debian: package uidmap)"};
}

Result<MapPrograms> find_map_programs(const IdMap& uid_map, const IdMap& gid_map, const Identity& identity)
{
    MapPrograms programs;
    if (!may_write(uid_map, identity.uid, identity.may_map_users))
        programs.newuidmap = TRY(find_map_program("newuidmap").with_pointer(uid_map.front().pointer));
    if (!may_write(gid_map, identity.gid, identity.may_map_groups))
        programs.newgidmap = TRY(find_map_program("newgidmap").with_pointer(gid_map.front().pointer));
    return programs;
}

static Result<void> write_file_at(int dir, const char* name, const std::string& text)
{
    UniqueFd file(::openat(dir, name, O_WRONLY | O_CLOEXEC));
    // One write: the kernel takes a map only as a whole.
    if (!file || ::write(file.get(), text.data(), text.size()) < 0) {
        int saved = errno;
        std::string shown(text, 0, text.size() - (text.ends_with('\n') ? 1 : 0));
        std::replace(shown.begin(), shown.end(), '\n', ',');
        if (shown.size() > 80)
            shown = shown.substr(0, 80) + "...";
        Error error{"cannot write '" + shown + "' to '/proc/PID/" + name + "'", saved};
        return explain_user_namespace_error(std::move(error));
    }
    return {};
}

/// newuidmap PID CONTAINER HOST SIZE... (man 1 newuidmap)
static Result<void> run_map_program(const std::string& program, pid_t pid, const IdMap& map)
{
    std::vector<std::string> arguments{program, std::to_string(pid)};
    for (const IdRange& range : map)
        for (uint32_t number : {range.container, range.host, range.size})
            arguments.push_back(std::to_string(number));
    Pipe said = TRY(Pipe::create());
    SpawnOptions options;
    options.stderr_fd = said.write_end.get();
    ChildProcess child = TRY(spawn(program, arguments, options));
    said.write_end.reset();
    std::string text = TRY(read_all(said.read_end.get(), 1 << 16));
    ExitStatus status = TRY(child.wait());
    if (!status.signaled && status.number == 0)
        return {};
    text.resize(std::min(text.size(), text.find('\n')));
    return explain_user_namespace_error(
        Error{"'" + program + "' could not write the map, it " + status.words() + (text.empty() ? "" : " and said '" + text + "'")});
}

Result<void> write_id_maps(pid_t pid, int proc_dir, const IdMap& uid_map, const IdMap& gid_map, const Identity& identity,
                           const MapPrograms& programs)
{
    if (!uid_map.empty()) {
        stage::step("write the uid map");
        if (programs.newuidmap.empty())
            TRY(write_file_at(proc_dir, "uid_map", id_map_text(uid_map)).with_pointer(uid_map.front().pointer));
        else
            TRY(run_map_program(programs.newuidmap, pid, uid_map).with_pointer(uid_map.front().pointer));
    }
    if (!gid_map.empty()) {
        stage::step("write the gid map");
        if (!programs.newgidmap.empty())
            return run_map_program(programs.newgidmap, pid, gid_map).with_pointer(gid_map.front().pointer);
        // Without privilege groups may not be dropped: a rule for a group may be there to keep its members
        // out (CVE-2014-8989; man 7 user_namespaces).
        if (!identity.may_map_groups)
            TRY(write_file_at(proc_dir, "setgroups", "deny").with_pointer(gid_map.front().pointer));
        TRY(write_file_at(proc_dir, "gid_map", id_map_text(gid_map)).with_pointer(gid_map.front().pointer));
    }
    return {};
}
