// Writing and reading the lines of a journal.
#include "journal/journal.h"

#include "plan/plan.h"
#include "scan/scan.h"

#include <sys/stat.h>
#include <unistd.h>

/// Ends a line that was cut short. `\c` is no escape, so that no whole line ends like this.
static constexpr std::string_view cut_mark = "\t\\cut";

static bool ends_in_a_cut_line(int fd)
{
    struct stat status;
    char last = '\n';
    return ::fstat(fd, &status) == 0 && status.st_size > 0 && ::pread(fd, &last, 1, status.st_size - 1) == 1 && last != '\n';
}

Result<void> append_to_journal(int fd, const std::vector<JournalEntry>& entries)
{
    if (fd < 0 || entries.empty())
        return {};
    std::string lines;
    if (ends_in_a_cut_line(fd))
        lines.append(cut_mark).append("\n");
    for (const JournalEntry& entry : entries) {
        append_escaped(lines, entry.what);
        for (const std::string& field : entry.fields)
            append_escaped(lines += '\t', field);
        lines += '\n';
    }
    ssize_t written = ::write(fd, lines.data(), lines.size());
    if (written == static_cast<ssize_t>(lines.size()))
        return {};
    return Error{"cannot write the journal", written < 0 ? errno : ENOSPC};
}

std::vector<JournalEntry> parse_journal(std::string_view text)
{
    std::vector<JournalEntry> entries;
    // What is behind the last newline was cut short.
    while (text.find('\n') != std::string_view::npos) {
        const std::string_view line = take_line(text);
        if (line.ends_with(cut_mark))
            continue;
        Result<std::vector<std::string>> fields = split_fields(line);
        JournalEntry& entry = entries.emplace_back(JournalEntry{"damaged", {}});
        if (fields.has_value() && line.find('\0') == std::string_view::npos) {
            entry.what = std::move(fields.value()[0]);
            entry.fields.assign(std::make_move_iterator(fields.value().begin() + 1), std::make_move_iterator(fields.value().end()));
        }
    }
    return entries;
}
