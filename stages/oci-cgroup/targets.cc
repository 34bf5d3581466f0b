// Whose cgroups are measured.
#include "targets.h"

#include "hierarchy.h"
#include "process/process.h"

#include <unistd.h>

Result<Target> target_at(const std::string& name, const std::string& path)
{
    Target target;
    target.name = name;
    target.locations = locations_of(TRY(find_existing(path)));
    return target;
}

Result<Target> parse_target(std::string_view line)
{
    std::vector<std::string> fields = TRY(split_fields(line));
    if (fields.size() == 2)
        return target_at(fields[0], fields[1]);
    if (fields.size() < 8 || fields.size() % 4 != 0)
        return Error{"'" + std::string(line) + "': expected NAME TAB PATH"};
    Target target;
    target.name = fields[0];
    target.pid = TRY(parse_pid(fields[1]));
    target.start_time = TRY(parse_unsigned(fields[2]));
    target.resctrl = fields[3];
    for (size_t i = 4; i < fields.size(); i += 4) {
        const Field location[] = {fields[i], fields[i + 1], fields[i + 2], fields[i + 3]};
        target.locations.push_back(TRY(parse_location(location)));
    }
    return target;
}

Result<Targets> Targets::from(const std::vector<std::string>& paths)
{
    Targets targets;
    for (const std::string& path : paths)
        targets.ready_.push_back(TRY(target_at(path, path)));
    if (paths.empty())
        targets.fd_ = STDIN_FILENO;
    return targets;
}

Result<std::vector<Target>> Targets::take()
{
    if (fd_ >= 0) {
        char buffer[16384];
        ssize_t length;
        while ((length = ::read(fd_, buffer, sizeof buffer)) < 0 && errno == EINTR) {
        }
        if (length < 0)
            return errno_error("cannot read the list on standard input");
        unfinished_.append(buffer, static_cast<size_t>(length));
        if (length == 0) {
            fd_ = -1;
            // A last line without a newline, as people write lists.
            if (!unfinished_.empty())
                unfinished_ += '\n';
        }
        std::string_view rest = unfinished_;
        for (size_t line_end; (line_end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(line_end + 1))
            if (line_end > 0)
                ready_.push_back(TRY(parse_target(rest.substr(0, line_end)).with_context("standard input")));
        unfinished_ = std::string(rest);
    }
    return std::exchange(ready_, {});
}

Result<std::vector<Target>> Targets::take_all()
{
    std::vector<Target> all;
    do {
        for (Target& target : TRY(take()))
            all.push_back(std::move(target));
    } while (fd_ >= 0);
    return all;
}
