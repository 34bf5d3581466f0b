// Which words and descriptors oci-ns and oci-init are started with, and what comes back.
#include "namespaces.h"

#include "launch.h"
#include "process/pidfd.h"
#include "process/read_only_folder.h"
#include "sockets.h"

Result<void> pass_plan(UniqueFd pipe, const std::string& plan_text, const Signals& signals)
{
    // A stage that has died says more than EPIPE: its end is looked at by whoever waits for it.
    Result<void> written = signals.write_all(pipe.get(), plan_text);
    if (!written.has_value() && written.error().error_number != EPIPE)
        return std::move(written).with_context("cannot pass the plan");
    return {};
}

namespace {

/// Both programs on a read-only mount, opened; -1: the kernel, or the way in which they are installed, does not allow it.
struct ReadOnlyPrograms {
    UniqueFd outside;
    UniqueFd inside;
};

ReadOnlyPrograms open_read_only(const std::string& init_path)
{
    ReadOnlyPrograms programs;
    const size_t slash = init_path.rfind('/');
    if (std::optional<ReadOnlyFolder> folder = ReadOnlyFolder::mount(init_path.substr(0, slash))) {
        programs.outside = folder->open("oci-ns");
        programs.inside = folder->open(init_path.substr(slash + 1));
    }
    return programs;
}

}  // namespace

Result<Namespaces> start_namespaces(Stages& stages, const NamespacesRequest& request)
{
    SocketPair control = TRY(SocketPair::create());
    const std::string init_path = TRY(find_stage_program("oci-init"));
    const std::string plan_option = "--plan-fd=" + std::to_string(request.plan_fd);
    const std::string control_option = "--control-fd=" + std::to_string(control.theirs.get());
    SpawnOptions options;
    options.inherit = {request.plan_fd, control.theirs.get(), request.filter_fd};
    for (int fd = 3; fd < 3 + request.preserved_fds; fd++)
        options.inherit.push_back(fd);

    std::vector<std::string> inside = request.inside;
    inside.insert(inside.end(), {plan_option, control_option, "--seccomp-fd=" + std::to_string(request.filter_fd)});
    if (request.preserved_fds > 0)
        inside.push_back("--preserve-fds=" + std::to_string(request.preserved_fds));
    if (request.start_fd >= 0) {
        options.inherit.push_back(request.start_fd);
        inside.push_back("--start-fd=" + std::to_string(request.start_fd));
    }

    std::vector<std::string> words = request.outside;
    words.insert(words.end(), {plan_option, control_option, "--protect"});
    // Without such a mount oci-ns protects itself and oci-init, at the price of being executed twice.
    ReadOnlyPrograms programs = request.joins_others ? open_read_only(init_path) : ReadOnlyPrograms();
    if (programs.outside && programs.inside) {
        options.program_fd = programs.outside.get();
        options.inherit.push_back(programs.inside.get());
        words.push_back("--program-fd=" + std::to_string(programs.inside.get()));
    }
    words.push_back("--");
    for (std::string& word : stages.command("oci-init", init_path, inside))
        words.push_back(std::move(word));
    return Namespaces{TRY(stages.start("oci-ns", words, std::move(options))), std::move(control.ours)};
}

std::string listen_line()
{
    const int count = listen_fds();
    return count > 0 ? "init.env\t-\tLISTEN_FDS=" + std::to_string(count) + "\n" : "";
}

Result<UniqueFd> receive_terminal(UniqueFd master, const std::string& console_socket, const Plan& plan)
{
    if (console_socket.empty()) {
        set_up_master(master.get(), plan.value("init.terminal") == "0");
        return master;
    }
    TRY(send_to_socket(console_socket, master.get(), "/dev/pts/ptmx"));
    return UniqueFd();
}

Result<void> send_pidfd(const std::string& path, pid_t pid)
{
    if (path.empty())
        return {};
    UniqueFd pidfd = open_pidfd(pid);
    if (!pidfd)
        return errno_error("cannot open process " + std::to_string(pid));
    return send_to_socket(path, pidfd.get(), "pidfd");
}
