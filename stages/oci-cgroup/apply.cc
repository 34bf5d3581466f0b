// Writing limits: order, files that a kernel does not have, and the way back.
#include "apply.h"

#include "scan/scan.h"
#include "stage/stage.h"

static Result<void> check_usage(const CgroupDir& cgroup, const LimitWrite& write)
{
    if (write.usage_file.empty())
        return {};
    unsigned long long used = TRY(parse_unsigned(TRY(cgroup.read(write.usage_file))));
    if (used > write.limit)
        return Error{"the limit '" + std::to_string(write.limit) + "' is below the present use '" +
                         std::to_string(used) + "'",
                     EBUSY};
    return {};
}

/// Writes to the file that the kernel has.
static Result<void> write_limit(const CgroupDir& cgroup, const LimitWrite& write)
{
    stage::step("write a limit");
    Result<void> written = cgroup.write(write.file, write.value);
    if (written.has_value() || written.error().error_number != ENOENT)
        return written;
    if (write.is_optional)
        return {};
    if (write.other_file.empty())
        return written;
    return cgroup.write(write.other_file, write.other_value);
}

static std::string_view first_word(std::string_view text)
{
    return text.substr(0, text.find(' '));
}

static std::string_view line_of(std::string_view text, std::string_view key)
{
    while (!text.empty())
        if (std::string_view line = take_line(text); first_word(line) == key && line.size() > key.size())
            return line;
    return {};
}

/// A value that lifts what a line of a device limits, for files of v2 that `unified` names.
static std::string lifted(std::string_view file, std::string_view key)
{
    std::string start = std::string(key) + " ";
    if (file == "io.max")
        return start + "rbps=max wbps=max riops=max wiops=max";
    if (file == "io.latency")
        return start + "target=0";
    return file == "io.weight" || file == "io.bfq.weight" ? start + "default" : "";
}

std::string old_value(const LimitWrite& write, std::string_view text)
{
    if (!write.key.empty()) {
        std::string_view line = line_of(text, write.key);
        return line.empty() ? write.reset : std::string(line);
    }
    // memory.oom_control says more than is written to it.
    if (std::string_view disabled = line_of(text, "oom_kill_disable"); !disabled.empty())
        return std::string(disabled.substr(disabled.size() - 1));
    if (write.value.find(' ') != std::string::npos) {
        std::string_view key = first_word(write.value);
        if (std::string_view line = line_of(text, key); !line.empty())
            return std::string(line);
        if (key.find(':') != std::string_view::npos)
            return lifted(write.file, key);
    }
    // io.weight and io.bfq.weight: the number alone is what both understand.
    if (std::string_view all = line_of(text, "default"); !all.empty())
        return std::string(all.substr(sizeof "default"));
    if (text.find('\n') != std::string_view::npos)
        return "";
    // An empty cpuset is written as a newline: a write of nothing does not reach the kernel.
    return text.empty() ? "\n" : std::string(text);
}

static void remember(const CgroupDir& cgroup, const LimitWrite& write, std::vector<OldValue>& replaced)
{
    for (const std::string& file : {write.file, write.other_file}) {
        if (file.empty())
            return;
        // What cannot be read, such as memory.reclaim, is no value that could be kept.
        Result<std::string> text = cgroup.read(file);
        if (!text.has_value())
            continue;
        if (std::string value = old_value(write, text.value()); !value.empty())
            replaced.push_back({&cgroup, file, std::move(value)});
        return;
    }
}

Result<void> write_limits(const CgroupDir& cgroup, const CgroupLocation& location, std::span<const LimitWrite> writes,
                          std::vector<OldValue>* replaced)
{
    std::vector<const LimitWrite*> pending;
    for (const LimitWrite& write : writes)
        if (belongs_to(write, location))
            pending.push_back(&write);
    // All that can be refused by looking is refused before anything is written.
    for (const LimitWrite* write : pending)
        TRY(check_usage(cgroup, *write).with_pointer(write->where));
    while (!pending.empty()) {
        std::vector<const LimitWrite*> later;
        Result<void> first_refusal;
        for (const LimitWrite* write : pending) {
            const size_t known = replaced != nullptr ? replaced->size() : 0;
            if (replaced != nullptr)
                remember(cgroup, *write, *replaced);
            Result<void> written = write_limit(cgroup, *write);
            if (written.has_value())
                continue;
            if (replaced != nullptr)
                replaced->resize(known);
            Result<void> refusal = std::move(written).with_pointer(write->where);
            if (!write->depends_on_others || refusal.error().error_number != EINVAL)
                return refusal;
            if (later.empty())
                first_refusal = std::move(refusal);
            later.push_back(write);
        }
        if (later.size() == pending.size())
            return first_refusal;
        pending = std::move(later);
    }
    return {};
}

Result<void> write_device_lines(const CgroupDir& cgroup, std::span<const DeviceLine> lines)
{
    std::string_view name;
    std::optional<CgroupFile> file;
    for (const DeviceLine& line : lines) {
        if (line.file != name)
            file = TRY(cgroup.open_to_write(name = line.file).with_pointer(line.where));
        stage::step("write a device rule");
        TRY(file->write(line.value).with_pointer(line.where));
    }
    return {};
}

Result<void> write_back(const std::vector<OldValue>& replaced)
{
    std::vector<const OldValue*> pending;
    for (size_t i = replaced.size(); i > 0; i--)
        pending.push_back(&replaced[i - 1]);
    while (!pending.empty()) {
        std::vector<const OldValue*> later;
        Result<void> first_refusal;
        for (const OldValue* old : pending) {
            stage::step("write a limit back");
            Result<void> written = old->cgroup->write(old->file, old->value);
            if (written.has_value())
                continue;
            if (later.empty())
                first_refusal = std::move(written);
            later.push_back(old);
        }
        if (later.size() == pending.size())
            return first_refusal;
        pending = std::move(later);
    }
    return {};
}
