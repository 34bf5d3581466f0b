// Loading the filter, and handing its notifications to an agent.
#include "system_call_filter.h"

#include "json/json.h"
#include "seccomp/filter.h"
#include "stage/stage.h"
#include "version.h"

#include <sys/socket.h>
#include <sys/stat.h>

static Result<UniqueFd> connect_to_agent(std::string_view path)
{
    const sockaddr_un address = TRY(socket_address(path).with_context("failed to connect with seccomp agent"));
    UniqueFd agent(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!agent || ::connect(agent.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        return errno_error("failed to connect with seccomp agent at '" + std::string(path) + "'");
    return agent;
}

Result<SystemCallFilter> SystemCallFilter::prepare(const Plan& plan, int filter_fd)
{
    SystemCallFilter result;
    const Directive* asked = plan.find("seccomp.default");
    if (filter_fd < 0) {
        if (asked != nullptr)
            return Error{"the plan asks for a system-call filter; compile it with oci-seccomp and give it by --seccomp-fd"}.with_pointer(asked->pointer);
        return result;
    }
    // ocirun passes the file before it knows whether there is anything to put into it.
    struct stat status;
    if (asked == nullptr && ::fstat(filter_fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0)
        return result;
    result.pointer_ = asked != nullptr ? asked->pointer : "/linux/seccomp";
    result.filter_ = TRY(read_filter(filter_fd).with_pointer(result.pointer_));
    result.flags_ = TRY(filter_flags(plan));
    if (!filter_notifies(result.filter_))
        return result;
    const Directive* listener = plan.find("seccomp.listener");
    if (listener == nullptr)
        return Error{"the filter notifies a listener, but there is no 'listenerPath'"}.with_pointer(result.pointer_);
    result.agent_path_ = (*listener)[0];
    result.agent_pointer_ = listener->pointer;
    result.metadata_ = (*listener)[1];
    return result;
}

Result<void> SystemCallFilter::connect(UniqueFd agent)
{
    agent_ = std::move(agent);
    if (notifies() && !agent_)
        agent_ = TRY(connect_to_agent(agent_path_).with_pointer(agent_pointer_));
    return {};
}

Result<void> SystemCallFilter::load(const std::string& state, std::string_view pid)
{
    if (filter_.empty())
        return {};
    stage::step("load the system-call filter");
    UniqueFd notifications = TRY(load_filter(filter_, flags_).with_pointer(pointer_));
    if (!notifications)
        return {};
    // runtime-spec config-linux.md, "The Container Process State".
    std::string message = "{\"ociVersion\":\"" OCIRUN_SPEC_VERSION "\",\"fds\":[\"seccompFd\"],\"pid\":" + std::string(pid) +
                          ",\"metadata\":" + json::quote(metadata_) + ",\"state\":" + state + "}";
    const int fd = notifications.get();
    TRY(send_packet(agent_.get(), message, std::span<const int>(&fd, 1)).with_context("cannot hand the filter's listener to the agent").with_pointer(pointer_));
    agent_.reset();
    return {};
}
