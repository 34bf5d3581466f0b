// Talking to systemd by libsystemd's sd-bus.
#include "manager.h"

#include "clock/clock.h"
#include "fd/fd.h"
#include "stage/stage.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

static constexpr const char* service = "org.freedesktop.systemd1";
static constexpr const char* object = "/org/freedesktop/systemd1";
static constexpr const char* manager_interface = "org.freedesktop.systemd1.Manager";

// How long the manager may take for an answer, and for a job. It is busy when many units start at once; its own limit for the stop of a
// unit is 90 seconds.
static constexpr uint64_t answer_usec = 60'000'000;
static constexpr long long job_ms = 100'000;

ManagerKind own_manager()
{
    // In a user namespace somebody else's root shows as another user: its manager would not obey us.
    struct stat status;
    bool is_own = ::geteuid() == 0 && (::stat("/run/systemd/system", &status) < 0 || status.st_uid == 0);
    return is_own ? ManagerKind::system : ManagerKind::user;
}

// ---------------------------------------------------------------- messages

/// An error that D-Bus brought, and its words.
class Manager::Reply {
public:
    Reply() = default;
    Reply(const Reply&) = delete;
    Reply& operator=(const Reply&) = delete;
    ~Reply()
    {
        ::sd_bus_error_free(&error);
        ::sd_bus_message_unref(message);
    }
    Error failure(const std::string& attempted, int result) const
    {
        if (error.message != nullptr && *error.message != '\0')
            return Error{attempted + ": " + error.message};
        return Error{attempted, -result};
    }
    bool is(const char* name) const { return ::sd_bus_error_has_name(&error, name) != 0; }
    bool is_missing_unit() const { return is("org.freedesktop.systemd1.NoSuchUnit"); }

    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* message = nullptr;
};

/// A method call to the manager. What cannot be appended shows when it is sent.
class Manager::Message {
public:
    Message(sd_bus* bus, const char* method) : bus_(bus) { result_ = ::sd_bus_message_new_method_call(bus, &message_, service, object, manager_interface, method); }
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;
    ~Message() { ::sd_bus_message_unref(message_); }

    template <typename... Values>
    void append(const char* types, Values... values)
    {
        keep([&] { return ::sd_bus_message_append(message_, types, values...); });
    }
    void open(char type, const char* contents)
    {
        keep([&] { return ::sd_bus_message_open_container(message_, type, contents); });
    }
    void close()
    {
        keep([&] { return ::sd_bus_message_close_container(message_); });
    }
    void append(const GVariant& value)
    {
        const std::string& type = value.type;
        if (type == "v") {
            open('v', value.children[0].type.c_str());
            append(value.children[0]);
            close();
        } else if (type.size() > 1) {
            const bool is_array = type[0] == 'a';
            const std::string contents = is_array ? type.substr(1) : type.substr(1, type.size() - 2);
            open(is_array ? 'a' : type[0] == '(' ? 'r' : 'e', contents.c_str());
            for (const GVariant& child : value.children)
                append(child);
            close();
        } else {
            append_basic(type[0], value.text);
        }
    }
    void append(const Property& property)
    {
        open('r', "sv");
        append("s", property.name.c_str());
        append(GVariant{"v", {}, {property.value}});
        close();
    }
    void append_pids(std::span<const pid_t> pids)
    {
        open('a', "u");
        for (pid_t pid : pids)
            append("u", static_cast<uint32_t>(pid));
        close();
    }

    int send(Reply& reply)
    {
        return result_ < 0 ? result_ : ::sd_bus_call(bus_, message_, answer_usec, &reply.error, &reply.message);
    }

private:
    template <typename Call>
    void keep(Call call)
    {
        if (result_ >= 0)
            result_ = call();
    }
    void append_basic(char type, const std::string& text)
    {
        const bool is_negative = text.starts_with('-');
        const unsigned long long number = is_negative ? static_cast<unsigned long long>(std::strtoll(text.c_str(), nullptr, 10)) : std::strtoull(text.c_str(), nullptr, 10);
        switch (type) {
        case 'b': return append("b", text == "true" ? 1 : 0);
        case 'y': return append("y", static_cast<uint8_t>(number));
        case 'n': return append("n", static_cast<int16_t>(number));
        case 'q': return append("q", static_cast<uint16_t>(number));
        case 'i': return append("i", static_cast<int32_t>(number));
        case 'u': return append("u", static_cast<uint32_t>(number));
        case 'x': return append("x", static_cast<int64_t>(number));
        case 't': return append("t", static_cast<uint64_t>(number));
        case 'd': return append("d", std::strtod(text.c_str(), nullptr));
        default: break;
        }
        const char word[] = {type, '\0'};
        append(word, text.c_str());
    }

    sd_bus* bus_;
    sd_bus_message* message_ = nullptr;
    int result_ = 0;
};

// ---------------------------------------------------------------- connecting

static std::string runtime_dir()
{
    const char* given = ::getenv("XDG_RUNTIME_DIR");
    if (given != nullptr && *given != '\0')
        return given;
    return "/run/user/" + std::to_string(::geteuid());
}

/// `unix:path=PATH` (D-Bus specification, "Server Addresses").
static std::string unix_address(const std::string& path)
{
    std::string address = "unix:path=";
    for (char c : path) {
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::strchr("-_/.\\*", c) != nullptr) {
            address += c;
        } else {
            static constexpr char digits[] = "0123456789abcdef";
            address += {'%', digits[static_cast<unsigned char>(c) >> 4], digits[static_cast<unsigned char>(c) & 15]};
        }
    }
    return address;
}

static Error no_connection(ManagerKind kind, const std::string& address, int problem)
{
    if (kind == ManagerKind::system)
        return Error{"cannot connect to systemd at '" + address + "'; '--cgroup-manager cgroupfs' does without", problem, {}, exit_no_manager};
    return Error{"cannot connect to the user's systemd at '" + address +
                     "'; it runs in a login session or with 'loginctl enable-linger', and is found by XDG_RUNTIME_DIR or DBUS_SESSION_BUS_ADDRESS; "
                     "'--cgroup-manager cgroupfs' does without",
                 problem, {}, exit_no_manager};
}

Result<Manager> Manager::connect(ManagerKind kind)
{
    const bool is_system = kind == ManagerKind::system;
    if (struct stat status; is_system && ::stat("/run/systemd/system", &status) < 0)
        return Error{"systemd does not run here: there is no /run/systemd/system (man 3 sd_booted); '--cgroup-manager cgroupfs' does without it", 0, {}, exit_no_manager};
    const char* given = ::getenv(is_system ? "DBUS_SYSTEM_BUS_ADDRESS" : "DBUS_SESSION_BUS_ADDRESS");
    const std::string bus_address = given != nullptr && *given != '\0' ? std::string(given) : unix_address(is_system ? "/run/dbus/system_bus_socket" : runtime_dir() + "/bus");
    // The bus is the interface that is promised. Where there is none (early boot, a small system) the manager's own socket does.
    const std::string own_address = unix_address(is_system ? "/run/systemd/private" : runtime_dir() + "/systemd/private");
    int problem = 0;
    for (const std::string& address : {bus_address, own_address}) {
        sd_bus* made = nullptr;
        if (::sd_bus_new(&made) < 0)
            return Error{"cannot make a connection to D-Bus", ENOMEM};
        Manager manager(made);
        int result = ::sd_bus_set_address(made, address.c_str());
        if (result >= 0 && address == bus_address)
            result = ::sd_bus_set_bus_client(made, 1);
        if (result >= 0)
            result = ::sd_bus_start(made);
        // Of a bus it is said only now who we are, and whether we may.
        if (result >= 0 && address == bus_address) {
            const char* name = nullptr;
            result = ::sd_bus_get_unique_name(made, &name);
        }
        if (result >= 0)
            return manager;
        if (problem == 0)
            problem = -result;
    }
    return no_connection(kind, bus_address, problem);
}

// ---------------------------------------------------------------- jobs

/// A job whose end is waited for.
struct Manager::Job {
    std::string path;
    std::string result;
};

Result<std::string> Manager::run_job(Message& call, const std::string& attempted)
{
    Job job;
    auto removed = [](sd_bus_message* message, void* data, sd_bus_error*) {
        Job& waited_for = *static_cast<Job*>(data);
        uint32_t id = 0;
        const char* path = nullptr;
        const char* unit = nullptr;
        const char* result = nullptr;
        if (::sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0 && waited_for.path == path)
            waited_for.result = result;
        return 0;
    };
    // Before the call: the job may have ended before its answer is read. Messages keep their order, so that no answer has to be waited for.
    sd_bus_slot* slot = nullptr;
    int result = ::sd_bus_match_signal_async(bus_.get(), &slot, service, object, manager_interface, "JobRemoved", removed, nullptr, &job);
    if (result < 0)
        return Error{attempted, -result};
    ScopeExit forget([&] { ::sd_bus_slot_unref(slot); });
    Message subscribe(bus_.get(), "Subscribe");
    Reply subscribed;
    result = subscribe.send(subscribed);
    // On its own socket the manager tells everybody everything.
    if (result < 0 && !subscribed.is("org.freedesktop.systemd1.AlreadySubscribed"))
        return subscribed.failure(attempted, result);

    Reply reply;
    result = call.send(reply);
    if (result < 0) {
        Error error = reply.failure(attempted, result);
        return reply.is_missing_unit() ? Error{std::move(error.attempted), ENOENT} : error;
    }
    const char* path = nullptr;
    result = ::sd_bus_message_read(reply.message, "o", &path);
    if (result < 0)
        return Error{attempted, -result};
    job.path = path;

    stage::step("wait for systemd's job");
    const long long deadline = monotonic_ms() + job_ms;
    while (job.result.empty()) {
        result = ::sd_bus_process(bus_.get(), nullptr);
        if (result > 0)
            continue;
        if (monotonic_ms() > deadline)
            return Error{attempted + ": systemd has not finished its job after " + std::to_string(job_ms / 1000) + " seconds"};
        if (result == 0)
            result = ::sd_bus_wait(bus_.get(), 1'000'000);
        if (result < 0 && result != -EINTR)
            return Error{attempted + ": the connection to systemd broke", -result};
    }
    return job.result;
}

// ---------------------------------------------------------------- units

unsigned version_number(std::string_view text)
{
    text.remove_prefix(std::min(text.find_first_of("0123456789"), text.size()));
    unsigned number = 0;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9' && number < 100'000; text.remove_prefix(1))
        number = number * 10 + static_cast<unsigned>(text[0] - '0');
    return number == 0 ? UINT_MAX : number;
}

Result<UnitState> Manager::state(const std::string& unit)
{
    Message call(bus_.get(), "GetUnit");
    call.append("s", unit.c_str());
    Reply reply;
    int result = call.send(reply);
    if (result < 0) {
        if (reply.is_missing_unit())
            return UnitState::unknown;
        return reply.failure("cannot ask systemd for unit '" + unit + "'", result);
    }
    std::string state = TRY(string_property(unit, "org.freedesktop.systemd1.Unit", "ActiveState"));
    return state == "inactive" || state == "failed" ? UnitState::ended : UnitState::running;
}

Result<void> Manager::start(const UnitRequest& request)
{
    const std::string attempted = "cannot start unit '" + request.name + "'";
    Message call(bus_.get(), "StartTransientUnit");
    call.append("ss", request.name.c_str(), "fail");
    call.open('a', "(sv)");
    call.append("(sv)", "Description", "s", request.description.c_str());
    if (!request.slice.empty())
        call.append("(sv)", "Slice", "s", request.slice.c_str());
    // Gone when it ends, even by a failure: nobody is there to look at it.
    call.append("(sv)", "CollectMode", "s", "inactive-or-failed");
    if (!request.pids.empty()) {
        call.open('r', "sv");
        call.append("s", "PIDs");
        call.open('v', "au");
        call.append_pids(request.pids);
        call.close();
        call.close();
    }
    for (const Property& property : request.properties)
        call.append(property);
    call.close();
    call.append("a(sa(sv))", 0);

    stage::step("ask systemd for unit " + request.name);
    std::string result = TRY(run_job(call, attempted));
    if (result != "done")
        return Error{attempted + ": the job of systemd ended with '" + result + "'; its journal says why (journalctl -u " + request.name + ")"};
    return {};
}

Result<std::string> Manager::string_property(const std::string& unit, const char* interface, const char* property)
{
    const std::string attempted = "cannot read '" + std::string(property) + "' of unit '" + unit + "'";
    char* path = nullptr;
    int result = ::sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path);
    if (result < 0)
        return Error{attempted, -result};
    char* value = nullptr;
    Reply reply;
    result = ::sd_bus_get_property_string(bus_.get(), service, path, interface, property, &reply.error, &value);
    std::free(path);
    if (result < 0)
        return reply.failure(attempted, result);
    std::string text(value);
    std::free(value);
    return text;
}

static const char* interface_of(const std::string& unit)
{
    return unit.ends_with(".slice") ? "org.freedesktop.systemd1.Slice" : "org.freedesktop.systemd1.Scope";
}

Result<std::string> Manager::control_group(const std::string& unit)
{
    std::string path = TRY(string_property(unit, interface_of(unit), "ControlGroup"));
    // Empty when its processes have ended meanwhile.
    if (!path.starts_with('/'))
        return Error{"unit '" + unit + "' has no cgroup: its processes have ended"};
    return path;
}

Result<std::string> Manager::description(const std::string& unit) { return string_property(unit, "org.freedesktop.systemd1.Unit", "Description"); }

template <typename Number>
static std::optional<std::string> read_number(sd_bus_message* message, char type)
{
    Number number = 0;
    if (::sd_bus_message_read_basic(message, type, &number) <= 0)
        return {};
    return type != 'b' ? std::to_string(number) : number != 0 ? "true" : "false";
}

static std::optional<std::string> read_number(sd_bus_message* message, char type)
{
    switch (type) {
    case 'y': return read_number<uint8_t>(message, type);
    case 'n': return read_number<int16_t>(message, type);
    case 'q': return read_number<uint16_t>(message, type);
    case 'b':
    case 'i': return read_number<int32_t>(message, type);
    case 'u': return read_number<uint32_t>(message, type);
    case 'x': return read_number<int64_t>(message, type);
    case 't': return read_number<uint64_t>(message, type);
    default: return {};
    }
}

/// The next value in the message; of one that is none of ours, such as a descriptor or a double, nothing.
static std::optional<GVariant> read_value(sd_bus_message* message)
{
    char type = 0;
    const char* contents = nullptr;
    if (::sd_bus_message_peek_type(message, &type, &contents) <= 0)
        return {};
    if (type == 's' || type == 'o' || type == 'g') {
        const char* text = nullptr;
        return ::sd_bus_message_read_basic(message, type, &text) > 0 ? std::optional(GVariant{{type}, text}) : std::nullopt;
    }
    if (std::optional<std::string> number = read_number(message, type))
        return GVariant{{type}, std::move(*number)};
    const bool is_container = type == 'a' || type == 'r' || type == 'e' || type == 'v';
    if (!is_container || ::sd_bus_message_enter_container(message, type, contents) <= 0)
        return {};
    const std::string inner = contents;
    GVariant value{type == 'a' ? "a" + inner : type == 'r' ? "(" + inner + ")" : type == 'e' ? "{" + inner + "}" : "v"};
    while (::sd_bus_message_at_end(message, 0) == 0) {
        std::optional<GVariant> child = read_value(message);
        if (!child)
            return {};
        value.children.push_back(std::move(*child));
    }
    ::sd_bus_message_exit_container(message);
    return value;
}

Result<std::vector<Property>> Manager::read_properties(const std::string& unit, std::span<const Property> like)
{
    const std::string attempted = "cannot read the properties of unit '" + unit + "'";
    char* encoded = nullptr;
    int result = ::sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &encoded);
    if (result < 0)
        return Error{attempted, -result};
    std::unique_ptr<char, decltype(&std::free)> path(encoded, std::free);
    std::vector<Property> found;
    for (const Property& property : like) {
        for (const char* interface : {interface_of(unit), "org.freedesktop.systemd1.Unit"}) {
            Reply reply;
            result = ::sd_bus_call_method(bus_.get(), service, path.get(), "org.freedesktop.DBus.Properties", "Get", &reply.error, &reply.message, "ss", interface,
                                          property.name.c_str());
            if (result < 0 && reply.error.name == nullptr)
                return Error{attempted, -result};
            if (result < 0)
                continue;
            std::optional<GVariant> value = read_value(reply.message);
            if (value && value->type == "v")
                found.push_back({property.name, std::move(value->children[0])});
            break;
        }
    }
    return found;
}

Result<void> Manager::leave_out_unknown(std::vector<Property>& properties)
{
    // What is older than the cgroup v2 of systemd 239 is taken for granted.
    struct Young {
        std::string_view name;
        std::string_view value;  ///< only this one; empty: any
        unsigned since;
    };
    static constexpr Young young[] = {{"MemoryMin", "", 240},          {"IODeviceLatencyTargetUSec", "", 240}, {"CPUQuotaPeriodUSec", "", 242}, {"AllowedCPUs", "", 244},
                                      {"AllowedMemoryNodes", "", 244}, {"CPUWeight", "0", 252},                {"MemoryZSwapMax", "", 253}};
    auto since = [](const Property& property) {
        for (const Young& entry : young)
            if (property.name == entry.name && (entry.value.empty() || property.value.text == entry.value))
                return entry.since;
        return 0U;
    };
    if (std::none_of(properties.begin(), properties.end(), since))
        return {};
    char* text = nullptr;
    Reply reply;
    int result = ::sd_bus_get_property_string(bus_.get(), service, object, manager_interface, "Version", &reply.error, &text);
    if (result < 0)
        return reply.failure("cannot ask systemd for its version", result);
    const unsigned version = version_number(text);
    std::free(text);
    std::erase_if(properties, [&](const Property& property) { return since(property) > version; });
    return {};
}

Result<void> Manager::set_properties(const std::string& unit, std::span<const Property> properties)
{
    Message call(bus_.get(), "SetUnitProperties");
    call.append("sb", unit.c_str(), 1);
    call.open('a', "(sv)");
    for (const Property& property : properties)
        call.append(property);
    call.close();
    stage::step("set properties of unit " + unit);
    Reply reply;
    int result = call.send(reply);
    if (result < 0)
        return reply.failure("cannot set properties of unit '" + unit + "'", result);
    return {};
}

Result<void> Manager::attach(const std::string& unit, const std::string& below, std::span<const pid_t> pids)
{
    Message call(bus_.get(), "AttachProcessesToUnit");
    call.append("ss", unit.c_str(), below.c_str());
    call.append_pids(pids);
    stage::step("attach processes to unit " + unit);
    Reply reply;
    int result = call.send(reply);
    if (result < 0)
        return reply.failure("cannot attach processes to unit '" + unit + "'", result);
    return {};
}

Result<void> Manager::kill(const std::string& unit)
{
    Message call(bus_.get(), "KillUnit");
    call.append("ssi", unit.c_str(), "all", 9);
    Reply reply;
    int result = call.send(reply);
    // No processes: another error, of no account either.
    if (result < 0 && reply.error.name == nullptr)
        return reply.failure("cannot kill the processes of unit '" + unit + "'", result);
    return {};
}

Result<void> Manager::stop(const std::string& unit)
{
    const std::string attempted = "cannot stop unit '" + unit + "'";
    Message call(bus_.get(), "StopUnit");
    call.append("ss", unit.c_str(), "replace");
    stage::step("stop unit " + unit);
    Result<std::string> result = run_job(call, attempted);
    if (!result.has_value() && result.error().error_number == ENOENT)
        return {};
    std::string word = TRY(std::move(result));
    // Failed: its processes had to be killed, or it had failed before.
    if (word != "done" && word != "failed")
        return Error{attempted + ": the job of systemd ended with '" + word + "'"};
    return forget(unit);
}

Result<void> Manager::forget(const std::string& unit)
{
    Message call(bus_.get(), "ResetFailedUnit");
    call.append("s", unit.c_str());
    Reply reply;
    int result = call.send(reply);
    if (result < 0 && !reply.is_missing_unit())
        return reply.failure("cannot reset unit '" + unit + "'", result);
    return {};
}
