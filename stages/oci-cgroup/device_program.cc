// A small assembler for device rules, and the loading of the program.
#include "device_program.h"

#include <cstring>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fd/fd.h"

static constexpr uint8_t context = BPF_REG_1;  // struct bpf_cgroup_dev_ctx at the start; scratch later
static constexpr uint8_t type = BPF_REG_2;
static constexpr uint8_t undecided = BPF_REG_3;  // accesses asked for that no rule has decided yet
static constexpr uint8_t major_number = BPF_REG_4;
static constexpr uint8_t minor_number = BPF_REG_5;

static bpf_insn instruction(int code, uint8_t to, uint8_t from, int16_t offset, uint32_t immediate)
{
    bpf_insn made{};
    made.code = static_cast<uint8_t>(code);
    made.dst_reg = to & 0xf;
    made.src_reg = from & 0xf;
    made.off = offset;
    made.imm = static_cast<int32_t>(immediate);
    return made;
}

static bpf_insn load_word(uint8_t to, size_t offset)
{
    return instruction(BPF_LDX | BPF_MEM | BPF_W, to, context, static_cast<int16_t>(offset), 0);
}

/// Jumps over the rest of the rule; the distance is filled in when the rule is complete.
static bpf_insn skip_rule_unless_equal(uint8_t what, uint32_t value) { return instruction(BPF_JMP32 | BPF_JNE | BPF_K, what, 0, 0, value); }

static void append_answer(std::vector<bpf_insn>& program, bool allow)
{
    program.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, allow ? 1 : 0));
    program.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

static void append_rule(std::vector<bpf_insn>& program, const DeviceRule& rule)
{
    size_t start = program.size();
    if (rule.type != 'a')
        program.push_back(skip_rule_unless_equal(type, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
    if (rule.major)
        program.push_back(skip_rule_unless_equal(major_number, *rule.major));
    if (rule.minor)
        program.push_back(skip_rule_unless_equal(minor_number, *rule.minor));
    if (rule.access != access_all) {
        if (rule.allow) {
            // Allowed accesses are done with; when others are left, an earlier rule decides them.
            program.push_back(instruction(BPF_ALU | BPF_AND | BPF_K, undecided, 0, 0, ~rule.access));
            program.push_back(skip_rule_unless_equal(undecided, 0));
        } else {
            program.push_back(instruction(BPF_ALU | BPF_MOV | BPF_X, context, undecided, 0, 0));
            program.push_back(instruction(BPF_ALU | BPF_AND | BPF_K, context, 0, 0, rule.access));
            program.push_back(instruction(BPF_JMP32 | BPF_JEQ | BPF_K, context, 0, 0, 0));
        }
    }
    append_answer(program, rule.allow);
    for (size_t i = start; i < program.size(); i++) {
        uint8_t operation = program[i].code;
        if (operation == (BPF_JMP32 | BPF_JNE | BPF_K) || operation == (BPF_JMP32 | BPF_JEQ | BPF_K))
            program[i].off = static_cast<int16_t>(program.size() - i - 1);
    }
}

std::vector<bpf_insn> device_program(std::span<const DeviceRule> rules)
{
    std::vector<bpf_insn> program;
    program.reserve(8 + rules.size() * 8);
    // access_type: the accesses in the upper half, the type in the lower.
    program.push_back(load_word(type, offsetof(bpf_cgroup_dev_ctx, access_type)));
    program.push_back(instruction(BPF_ALU | BPF_MOV | BPF_X, undecided, type, 0, 0));
    program.push_back(instruction(BPF_ALU | BPF_AND | BPF_K, type, 0, 0, 0xffff));
    program.push_back(instruction(BPF_ALU | BPF_RSH | BPF_K, undecided, 0, 0, 16));
    program.push_back(load_word(major_number, offsetof(bpf_cgroup_dev_ctx, major)));
    program.push_back(load_word(minor_number, offsetof(bpf_cgroup_dev_ctx, minor)));
    // The last match decides: from the last to the first, the first match does.
    for (size_t i = rules.size(); i > 0; i--) {
        append_rule(program, rules[i - 1]);
        // The verifier refuses what cannot be reached.
        if (rules[i - 1].is_for_everything())
            return program;
    }
    append_answer(program, true);
    return program;
}

static int bpf(bpf_cmd command, bpf_attr& attributes)
{
    return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

// By this name it is found again, to be replaced.
static constexpr char program_name[] = "oci_devices";

static int load(std::span<const bpf_insn> program, std::span<char> log)
{
    bpf_attr attributes;
    std::memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = reinterpret_cast<uint64_t>(program.data());
    attributes.insn_cnt = static_cast<uint32_t>(program.size());
    attributes.license = reinterpret_cast<uint64_t>("GPL");
    if (!log.empty()) {
        attributes.log_level = 1;
        attributes.log_buf = reinterpret_cast<uint64_t>(log.data());
        attributes.log_size = static_cast<uint32_t>(log.size());
    }
    std::memcpy(attributes.prog_name, program_name, sizeof program_name);
    return bpf(BPF_PROG_LOAD, attributes);
}

static Result<UniqueFd> load_program(std::span<const bpf_insn> program)
{
    UniqueFd loaded(load(program, {}));
    if (!loaded && errno == EPERM) {
        // Before Linux 5.11 programs are charged to RLIMIT_MEMLOCK, and too little of it is EPERM.
        rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
        rlimit before;
        if (::getrlimit(RLIMIT_MEMLOCK, &before) == 0 && ::setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0) {
            loaded = UniqueFd(load(program, {}));
            int problem = errno;
            ::setrlimit(RLIMIT_MEMLOCK, &before);
            errno = problem;
        } else {
            errno = EPERM;
        }
    }
    if (!loaded) {
        int problem = errno;
        char log[4096] = {};
        std::string why;
        if (problem != EPERM && load(program, log) < 0 && log[0] != '\0') {
            why = " (" + std::string(log, strnlen(log, 200)) + ")";
            for (char& c : why)
                c = c == '\n' ? ' ' : c;
        }
        return Error{"cannot load the program for the device rules" + why, problem};
    }
    return loaded;
}

namespace {
struct Attached {
    UniqueFd fd;
    bool is_ours = false;
};
}  // namespace

/// The programs that are attached to the cgroup itself.
static Result<std::vector<Attached>> attached_programs(int cgroup)
{
    uint32_t ids[64];  // the kernel's limit (BPF_CGROUP_MAX_PROGS)
    bpf_attr query;
    std::memset(&query, 0, sizeof query);
    query.query.target_fd = static_cast<uint32_t>(cgroup);
    query.query.attach_type = BPF_CGROUP_DEVICE;
    query.query.prog_ids = reinterpret_cast<uint64_t>(ids);
    query.query.prog_cnt = 64;
    if (bpf(BPF_PROG_QUERY, query) < 0)
        return errno_error("cannot ask for the device programs of the cgroup");
    std::vector<Attached> programs;
    for (uint32_t i = 0; i < query.query.prog_cnt; i++) {
        bpf_attr by_id;
        std::memset(&by_id, 0, sizeof by_id);
        by_id.prog_id = ids[i];
        UniqueFd fd(bpf(BPF_PROG_GET_FD_BY_ID, by_id));
        if (!fd && errno == ENOENT)
            continue;  // gone meanwhile
        if (!fd)
            return errno_error("cannot open a device program of the cgroup");
        bpf_prog_info info;
        std::memset(&info, 0, sizeof info);
        bpf_attr ask;
        std::memset(&ask, 0, sizeof ask);
        ask.info.bpf_fd = static_cast<uint32_t>(fd.get());
        ask.info.info_len = sizeof info;
        ask.info.info = reinterpret_cast<uint64_t>(&info);
        bool is_ours = bpf(BPF_OBJ_GET_INFO_BY_FD, ask) == 0 && std::strcmp(info.name, program_name) == 0;
        programs.push_back({std::move(fd), is_ours});
    }
    return programs;
}

static Result<void> detach(int cgroup, const Attached& program)
{
    bpf_attr attributes;
    std::memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = static_cast<uint32_t>(cgroup);
    attributes.attach_bpf_fd = static_cast<uint32_t>(program.fd.get());
    attributes.attach_type = BPF_CGROUP_DEVICE;
    if (bpf(BPF_PROG_DETACH, attributes) < 0 && errno != ENOENT)
        return errno_error("cannot detach a device program of the cgroup");
    return {};
}

static int attach(int cgroup, int program, int replaced)
{
    bpf_attr attributes;
    std::memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = static_cast<uint32_t>(cgroup);
    attributes.attach_bpf_fd = static_cast<uint32_t>(program);
    attributes.attach_type = BPF_CGROUP_DEVICE;
    // Multi: a cgroup manager below (systemd in the container) can attach its own as well.
    attributes.attach_flags = BPF_F_ALLOW_MULTI | (replaced >= 0 ? BPF_F_REPLACE : 0U);
    attributes.replace_bpf_fd = replaced >= 0 ? static_cast<uint32_t>(replaced) : 0;
    return bpf(BPF_PROG_ATTACH, attributes);
}

Result<void> attach_device_program(int cgroup, std::span<const bpf_insn> program, OtherPrograms others)
{
    UniqueFd loaded = TRY(load_program(program));
    std::vector<Attached> before;
    if (others != OtherPrograms::keep)
        before = TRY(attached_programs(cgroup));
    int replaced = -1;
    if (others == OtherPrograms::remove) {
        for (const Attached& old : before)
            TRY(detach(cgroup, old));
        before.clear();
    } else {
        std::erase_if(before, [](const Attached& old) { return !old.is_ours; });
        if (!before.empty())
            replaced = before.front().fd.get();
    }
    bool is_replaced = replaced >= 0 && attach(cgroup, loaded.get(), replaced) == 0;
    // EINVAL: Linux < 5.6. Both are in force for a moment, so that nothing is allowed that neither allows.
    if (!is_replaced && replaced >= 0 && errno != EINVAL)
        return errno_error("cannot replace the program for the device rules");
    if (!is_replaced && attach(cgroup, loaded.get(), -1) < 0)
        return errno_error("cannot attach the program for the device rules");
    for (const Attached& old : before)
        if (!is_replaced || &old != &before.front())
            TRY(detach(cgroup, old));
    return {};
}
