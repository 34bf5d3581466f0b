// fake-resctrl DIRECTORY: mounts there, by FUSE, what a processor with RDT would show as resctrl, and serves it until it is
// unmounted. Like the kernel's (Documentation/arch/x86/resctrl.rst): mkdir makes a group with all its files, rmdir removes it with
// them, schemata take whole lines within the limits of `info` and else say EINVAL with the reason in info/last_cmd_status, `tasks` take
// process ids (0: the writer) one a write, there are three groups beside the root's and no more, a monitoring group takes only tasks
// of its control group. Unlike it, children of a task are in no group. Speaks linux/fuse.h itself, to need no library.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/fuse.h>
#include <map>
#include <string>
#include <string_view>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr size_t groups_beside_root = 3;

enum class Kind { directory, fixed, schemata, tasks, status };

struct Node {
    uint64_t id = 0;
    uint64_t parent = 0;
    std::string name;
    Kind kind = Kind::directory;
    std::string text;            ///< of a fixed file
    bool is_control = false;     ///< a directory that is a control group
    bool is_monitor = false;     ///< or a monitoring group
    bool holds_monitors = false;  ///< mon_groups
    std::map<std::string, std::string> l3{{"0", "f"}, {"1", "f"}};
    std::map<std::string, std::string> mb{{"0", "100"}, {"1", "100"}};
    std::vector<pid_t> tasks;
};

bool contains(const std::vector<pid_t>& pids, pid_t pid) { return std::find(pids.begin(), pids.end(), pid) != pids.end(); }

class FakeResctrl {
public:
    FakeResctrl()
    {
        Node& root = nodes_[1];
        root.id = root.parent = 1;
        root.is_control = true;
        fill(1);
        uint64_t info = add(1, "info", Kind::directory);
        uint64_t l3 = add(info, "L3", Kind::directory);
        add(l3, "cbm_mask", Kind::fixed, "f\n");
        add(l3, "min_cbm_bits", Kind::fixed, "1\n");
        add(l3, "num_closids", Kind::fixed, std::to_string(groups_beside_root + 1) + "\n");
        uint64_t mb = add(info, "MB", Kind::directory);
        add(mb, "bandwidth_gran", Kind::fixed, "10\n");
        add(mb, "delay_linear", Kind::fixed, "1\n");
        add(mb, "min_bandwidth", Kind::fixed, "10\n");
        add(mb, "num_closids", Kind::fixed, std::to_string(groups_beside_root + 1) + "\n");
        add(info, "last_cmd_status", Kind::status);
    }

    void serve(int fuse)
    {
        std::vector<char> buffer(1 << 20);
        for (;;) {
            ssize_t length = ::read(fuse, buffer.data(), buffer.size());
            if (length < 0 && (errno == EINTR || errno == ENOENT))
                continue;
            if (length < static_cast<ssize_t>(sizeof(fuse_in_header)))
                return;  // ENODEV: unmounted
            const auto* header = reinterpret_cast<const fuse_in_header*>(buffer.data());
            std::string answer;
            int problem = handle(*header, buffer.data() + sizeof *header, static_cast<size_t>(length) - sizeof *header, answer);
            if (problem == no_answer)
                continue;
            fuse_out_header out{};
            out.len = static_cast<uint32_t>(sizeof out + (problem == 0 ? answer.size() : 0));
            out.error = -problem;
            out.unique = header->unique;
            std::string reply(reinterpret_cast<const char*>(&out), sizeof out);
            if (problem == 0)
                reply += answer;
            if (::write(fuse, reply.data(), reply.size()) < 0 && errno != ENOENT)
                return;
        }
    }

private:
    static constexpr int no_answer = -1;

    uint64_t add(uint64_t parent, std::string name, Kind kind, std::string text = {})
    {
        uint64_t id = next_++;
        Node& node = nodes_[id];
        node.id = id;
        node.parent = parent;
        node.name = std::move(name);
        node.kind = kind;
        node.text = std::move(text);
        return id;
    }

    /// The files of a group.
    void fill(uint64_t group)
    {
        add(group, "tasks", Kind::tasks);
        add(group, "cpus", Kind::fixed, "3\n");
        if (nodes_[group].is_control) {
            add(group, "schemata", Kind::schemata);
            nodes_[add(group, "mon_groups", Kind::directory)].holds_monitors = true;
        }
        uint64_t data = add(group, "mon_data", Kind::directory);
        for (const char* domain : {"mon_L3_00", "mon_L3_01"}) {
            uint64_t counters = add(data, domain, Kind::directory);
            add(counters, "llc_occupancy", Kind::fixed, "65536\n");
            add(counters, "mbm_total_bytes", Kind::fixed, "2000\n");
            add(counters, "mbm_local_bytes", Kind::fixed, "1000\n");
        }
    }

    Node* find(uint64_t parent, std::string_view name)
    {
        for (auto& [id, node] : nodes_)
            if (id != 1 && node.parent == parent && node.name == name)
                return &node;
        return nullptr;
    }

    void remove(uint64_t id)
    {
        std::vector<uint64_t> below;
        for (auto& [other, node] : nodes_)
            if (node.parent == id)
                below.push_back(other);
        for (uint64_t other : below)
            remove(other);
        nodes_.erase(id);
    }

    int refuse(int problem, std::string words)
    {
        status_ = std::move(words);
        return problem;
    }

    std::string content(const Node& node)
    {
        switch (node.kind) {
        case Kind::fixed: return node.text;
        case Kind::status: return status_ + "\n";
        case Kind::tasks: {
            std::string list;
            for (pid_t pid : nodes_[node.parent].tasks)
                if (::kill(pid, 0) == 0)
                    list += std::to_string(pid) + "\n";
            return list;
        }
        case Kind::schemata: {
            auto line = [](const char* resource, const std::map<std::string, std::string>& domains) {
                std::string text = resource;
                for (const auto& [domain, value] : domains)
                    text += (text.ends_with(':') ? "" : ";") + domain + "=" + value;
                return text + "\n";
            };
            return "    " + line("MB:", nodes_[node.parent].mb) + "    " + line("L3:", nodes_[node.parent].l3);
        }
        case Kind::directory: break;
        }
        return {};
    }

    int write_schemata(Node& group, std::string_view text)
    {
        if (!text.ends_with('\n'))
            return refuse(EINVAL, "no newline at the end");
        std::map<std::string, std::string> l3 = group.l3;
        std::map<std::string, std::string> mb = group.mb;
        while (!text.empty()) {
            std::string_view line = text.substr(0, text.find('\n'));
            text.remove_prefix(line.size() + 1);
            size_t colon = line.find(':');
            std::string_view resource = line.substr(0, colon);
            if (colon == std::string_view::npos || (resource != "L3" && resource != "MB"))
                return refuse(EINVAL, "Unknown or unsupported resource name '" + std::string(resource) + "'");
            std::map<std::string, std::string>& domains = resource == "L3" ? l3 : mb;
            for (std::string_view rest = line.substr(colon + 1); !rest.empty();) {
                std::string entry(rest.substr(0, rest.find(';')));
                rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
                size_t equals = entry.find('=');
                auto domain = domains.find(entry.substr(0, equals));
                if (equals == std::string::npos || domain == domains.end())
                    return refuse(EINVAL, "Unknown domain in '" + entry + "'");
                std::string value = entry.substr(equals + 1);
                char* end = nullptr;
                unsigned long number = std::strtoul(value.c_str(), &end, resource == "L3" ? 16 : 10);
                if (value.empty() || *end != '\0')
                    return refuse(EINVAL, "Non-numeric value '" + value + "'");
                if (resource == "L3" && (number == 0 || number > 0xf || ((number | (number - 1)) + 1) & number))
                    return refuse(EINVAL, "Mask 0x" + value + " out of range or with a hole");
                if (resource == "MB" && (number < 10 || number > 100))
                    return refuse(EINVAL, "MB value " + value + " out of range [10,100]");
                char shown[32];
                std::snprintf(shown, sizeof shown, resource == "L3" ? "%lx" : "%lu", number);
                domain->second = shown;
            }
        }
        group.l3 = std::move(l3);
        group.mb = std::move(mb);
        return 0;
    }

    int write_task(Node& group, std::string_view text, pid_t writer)
    {
        char* end = nullptr;
        std::string words(text);
        pid_t pid = static_cast<pid_t>(std::strtol(words.c_str(), &end, 10));
        if (end == words.c_str() || pid < 0)
            return refuse(EINVAL, "Parsing pid failed");
        if (pid == 0)
            pid = writer;
        if (::kill(pid, 0) < 0)
            return refuse(ESRCH, "No task " + std::to_string(pid));
        if (group.is_monitor) {
            Node& control = nodes_[nodes_[group.parent].parent];
            if (!contains(control.tasks, pid))
                return refuse(EINVAL, "Can't move task to different control group");
        } else {
            for (auto& [id, other] : nodes_)
                std::erase(other.tasks, pid);
        }
        if (!contains(group.tasks, pid))
            group.tasks.push_back(pid);
        return 0;
    }

    fuse_attr attributes(const Node& node)
    {
        fuse_attr attr{};
        attr.ino = node.id;
        attr.mode = node.kind == Kind::directory ? S_IFDIR | 0755 : (S_IFREG | (node.kind == Kind::schemata || node.kind == Kind::tasks ? 0644 : 0444));
        attr.nlink = 1;
        attr.blksize = 4096;
        return attr;
    }

    template <typename T>
    static void put(std::string& answer, const T& value)
    {
        answer.append(reinterpret_cast<const char*>(&value), sizeof value);
    }

    void put_entry(std::string& answer, const Node& node)
    {
        fuse_entry_out entry{};
        entry.nodeid = node.id;
        entry.attr = attributes(node);
        put(answer, entry);
    }

    int make_directory(const Node& parent, const std::string& name, std::string& answer)
    {
        if (find(parent.id, name) != nullptr)
            return EEXIST;
        if (parent.id != 1 && !parent.holds_monitors)
            return EPERM;
        if (parent.id == 1) {
            size_t count = 0;
            for (auto& [id, node] : nodes_)
                count += node.is_control && id != 1;
            if (count >= groups_beside_root)
                return refuse(ENOSPC, "Out of CLOSIDs");
        }
        const bool is_control = parent.id == 1;
        uint64_t id = add(parent.id, name, Kind::directory);
        nodes_[id].is_control = is_control;
        nodes_[id].is_monitor = !is_control;
        fill(id);
        put_entry(answer, nodes_[id]);
        return 0;
    }

    int handle(const fuse_in_header& header, const char* body, size_t length, std::string& answer)
    {
        auto found = nodes_.find(header.nodeid);
        if (found == nodes_.end() && header.opcode != FUSE_INIT && header.opcode != FUSE_FORGET && header.opcode != FUSE_BATCH_FORGET)
            return header.opcode == FUSE_RELEASE || header.opcode == FUSE_RELEASEDIR ? 0 : ENODEV;
        if (header.opcode == FUSE_MKDIR || header.opcode == FUSE_WRITE)
            status_ = "ok";
        switch (header.opcode) {
        case FUSE_INIT: {
            fuse_init_out out{};
            out.major = FUSE_KERNEL_VERSION;
            out.minor = FUSE_KERNEL_MINOR_VERSION;
            out.max_write = 65536;
            put(answer, out);
            return 0;
        }
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT: return no_answer;
        case FUSE_LOOKUP:
            if (Node* node = find(header.nodeid, body)) {
                put_entry(answer, *node);
                return 0;
            }
            return ENOENT;
        case FUSE_GETATTR:
        case FUSE_SETATTR: {
            fuse_attr_out out{};
            out.attr = attributes(found->second);
            put(answer, out);
            return 0;
        }
        case FUSE_OPEN:
        case FUSE_OPENDIR: {
            fuse_open_out out{};
            out.open_flags = header.opcode == FUSE_OPEN ? FOPEN_DIRECT_IO : 0;
            put(answer, out);
            return 0;
        }
        case FUSE_READ: {
            const auto* in = reinterpret_cast<const fuse_read_in*>(body);
            std::string text = content(found->second);
            if (in->offset < text.size())
                answer = text.substr(in->offset, in->size);
            return 0;
        }
        case FUSE_WRITE: {
            const auto* in = reinterpret_cast<const fuse_write_in*>(body);
            std::string_view text(body + sizeof *in, std::min<size_t>(in->size, length - sizeof *in));
            Node& group = nodes_[found->second.parent];
            int problem = EPERM;
            if (found->second.kind == Kind::schemata)
                problem = write_schemata(group, text);
            else if (found->second.kind == Kind::tasks)
                problem = write_task(group, text, static_cast<pid_t>(header.pid));
            fuse_write_out out{};
            out.size = static_cast<uint32_t>(text.size());
            put(answer, out);
            return problem;
        }
        case FUSE_READDIR: {
            const auto* in = reinterpret_cast<const fuse_read_in*>(body);
            uint64_t offset = 0;
            for (auto& [id, node] : nodes_) {
                if (id == 1 || node.parent != header.nodeid || ++offset <= in->offset)
                    continue;
                std::string entry(FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + node.name.size()), '\0');
                auto* dirent = reinterpret_cast<fuse_dirent*>(entry.data());
                dirent->ino = id;
                dirent->off = offset;
                dirent->namelen = static_cast<uint32_t>(node.name.size());
                dirent->type = node.kind == Kind::directory ? 4 : 8;  // DT_DIR, DT_REG
                std::memcpy(entry.data() + FUSE_NAME_OFFSET, node.name.data(), node.name.size());
                if (answer.size() + entry.size() > in->size)
                    break;
                answer += entry;
            }
            return 0;
        }
        case FUSE_MKDIR: return make_directory(found->second, body + sizeof(fuse_mkdir_in), answer);
        case FUSE_RMDIR: {
            Node* node = find(header.nodeid, body);
            if (node == nullptr)
                return ENOENT;
            if (!node->is_control && !node->is_monitor)
                return EPERM;
            remove(node->id);
            return 0;
        }
        case FUSE_RELEASE:
        case FUSE_RELEASEDIR: return 0;
        default: return ENOSYS;
        }
    }

    std::map<uint64_t, Node> nodes_;
    uint64_t next_ = 2;
    std::string status_ = "ok";
};

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: fake-resctrl DIRECTORY\n");
        return 2;
    }
    int fuse = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    char options[128];
    std::snprintf(options, sizeof options, "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other", fuse);
    if (fuse < 0 || ::mount("fake-resctrl", argv[1], "fuse.fake-resctrl", MS_NOSUID | MS_NODEV, options) < 0) {
        std::perror("fake-resctrl");
        return 1;
    }
    FakeResctrl().serve(fuse);
    return 0;
}
