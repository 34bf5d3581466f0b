// Global options, logging.
#include "context.h"

#include "json/json.h"
#include "stage/stage.h"

#include <cstdio>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

std::string timestamp()
{
    // By hand: gmtime(3) reads the time zone's file first.
    timespec now;
    ::clock_gettime(CLOCK_REALTIME, &now);
    std::chrono::sys_seconds second{std::chrono::seconds{now.tv_sec}};
    std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(second);
    std::chrono::year_month_day date{day};
    std::chrono::hh_mm_ss time{second - day};
    char text[96];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09ldZ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()), now.tv_nsec);
    return text;
}

Result<Log> Log::open(const std::string& path, Format format, bool debug)
{
    Log log;
    log.format_ = format;
    log.debug_ = debug;
    if (path.empty() || path == "/dev/stderr")
        return log;
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0644));
    // Without O_NONBLOCK a fifo would let nothing happen before somebody reads it, and a full one nothing any more.
    if (!file && errno == ENXIO)
        return Error{"nobody reads the log file '" + path + "', a fifo"};
    if (!file)
        return errno_error("cannot open the log file '" + path + "'");
    struct stat status;
    const bool is_known = ::fstat(file.get(), &status) == 0;
    const bool is_null = is_known && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
    if (!is_known || !(S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode) || is_null))
        return Error{"the log file '" + path + "' is neither a regular file nor a fifo"};
    log.file_ = std::move(file);
    return log;
}

static Log::Format log_format_of(const Arguments& global)
{
    return global.value("log-format") == "json" ? Log::Format::json : Log::Format::text;
}

Result<Log> Log::from(const Arguments& global) { return open(global.value("log"), log_format_of(global), global.has("debug")); }

void Log::append(const char* level, std::string_view message) const
{
    std::string line;
    if (format_ == Format::json)
        line = "{\"level\":\"" + std::string(level) + "\",\"msg\":" + json::quote(message) + ",\"time\":\"" + timestamp() + "\"}\n";
    else
        line = "time=\"" + timestamp() + "\" level=" + level + " msg=" + json::quote(message) + "\n";
    // One write: the log is shared by all calls for one container. A log that is full loses the line.
    (void)!::write(file_ ? file_.get() : STDERR_FILENO, line.data(), line.size());
}

void Log::error(std::string_view message) const
{
    if (file_ || format_ == Format::json)
        append("error", message);
    if (!file_ && format_ == Format::json)
        return;
    std::string line = "ocirun: " + std::string(message) + "\n";
    (void)!::write(STDERR_FILENO, line.data(), line.size());
}

void Log::warning(std::string_view message) const
{
    // A file with --log holds just errors unless debugging: conmon decodes it as one value.
    if (file_ && !debug_)
        return;
    if (file_ || format_ == Format::json)
        return append("warning", message);
    std::string line = "ocirun: warning: " + std::string(message) + "\n";
    (void)!::write(STDERR_FILENO, line.data(), line.size());
}

void Log::debug(std::string_view message) const
{
    if (debug_)
        append("debug", message);
}

Error no_such_container(const std::string& id) { return Error{"container '" + id + "' does not exist"}; }

Result<Context> Context::from(const Arguments& global, bool log_may_fail)
{
    Context context;
    std::string format = global.value("log-format", "text");
    if (format != "text" && format != "json")
        return Error{"--log-format '" + format + "': expected text or json"};
    Result<Log> log = Log::from(global);
    if (!log.has_value() && log_may_fail)
        log = Log::open("", log_format_of(global), global.has("debug"));
    context.log = TRY(std::move(log));

    std::string manager = global.value("cgroup-manager", global.has("systemd-cgroup") ? "systemd" : "cgroupfs");
    context.resctrl = global.value("resctrl");
    if (manager != "auto" && manager != "cgroupfs" && manager != "systemd" && manager != "disabled")
        return Error{"--cgroup-manager '" + manager + "': expected auto, cgroupfs, disabled or systemd"};
    context.cgroup_manager = std::move(manager);

    context.root_was_given = global.has("root");
    context.root_path = context.root_was_given ? global.value("root") : TRY(StateRoot::default_path());
    if (global.has("test-step")) {
        std::string text = global.value("test-step");
        size_t colon = text.find(':');
        if (colon == std::string::npos)
            return Error{"--test-step takes PROGRAM:N:SIGNAL"};
        context.test_program = text.substr(0, colon);
        context.test_step = text.substr(colon + 1);
        if (context.test_program == "ocirun")
            TRY(stage::set_test_step(context.test_step));
    }
    return context;
}

Result<StateRoot> Context::create_root() const
{
    std::optional<StateRoot> root = TRY(StateRoot::open(root_path, true));
    return std::move(*root);
}

Result<StateRoot> Context::root_of(const std::string& id) const
{
    std::optional<StateRoot> root = TRY(find_root());
    if (!root)
        return no_such_container(id);
    return std::move(*root);
}

Result<std::optional<StateRoot>> Context::find_root() const { return StateRoot::open(root_path, false); }
