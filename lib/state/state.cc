// The state root, the index and the state directories.
#include "state/state.h"

#include "plan/plan.h"

#include <algorithm>
#include <cassert>
#include <climits>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

static constexpr std::string_view bundle_prefix = ".ocirun-";
static constexpr std::string_view state_prefix = ".state-";
static constexpr std::string_view first_entry = "boot";

// ---------------------------------------------------------------- small file operations by directory

static Result<UniqueFd> open_at(int dir, const std::string& name, int flags, mode_t mode = 0)
{
    UniqueFd fd(::openat(dir, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd)
        return errno_error("cannot open '" + name + "' in the state directory");
    return fd;
}

static Result<std::optional<UniqueFd>> find_at(int dir, const std::string& name, int flags)
{
    UniqueFd fd(::openat(dir, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno == ENOENT)
        return std::optional<UniqueFd>();
    if (!fd)
        return errno_error("cannot open '" + name + "' in the state directory");
    return std::optional<UniqueFd>(std::move(fd));
}

/// Whether only the caller can change what is in the directory.
static bool is_private(const struct stat& status)
{
    return S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() && (status.st_mode & 022) == 0;
}

/// Removes the entries of a directory that holds files only (and one level of directories).
static Result<void> empty_directory(int dir)
{
    UniqueFd copy(::openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR* stream = copy ? ::fdopendir(copy.get()) : nullptr;
    if (stream == nullptr)
        return errno_error("cannot list a state directory");
    (void)copy.release();
    ScopeExit close_stream([&] { ::closedir(stream); });
    while (dirent* entry = ::readdir(stream)) {
        if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0)
            continue;
        if (::unlinkat(dir, entry->d_name, 0) < 0 && errno != ENOENT)
            return errno_error(std::string("cannot remove '") + entry->d_name + "' from a state directory");
    }
    return {};
}

// ---------------------------------------------------------------- the root

Result<std::string> StateRoot::default_path()
{
    const char* runtime_dir = ::getenv("XDG_RUNTIME_DIR");
    // Inside a user namespace euid 0 is not the host's root and /run is not ours (rootless engines
    // set XDG_RUNTIME_DIR there); the writability of /run tells them apart.
    if (::geteuid() == 0 && (runtime_dir == nullptr || ::access("/run", W_OK) == 0))
        return std::string("/run/ocirun");
    if (runtime_dir == nullptr || *runtime_dir == '\0')
        return Error{"no state root: XDG_RUNTIME_DIR is not set; set it or give --root DIR"};
    return std::string(runtime_dir) + "/ocirun";
}

static Result<void> make_parents(const std::string& path)
{
    for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        std::string parent = path.substr(0, slash);
        if (::mkdir(parent.c_str(), 0711) < 0 && errno != EEXIST)
            return errno_error("cannot make '" + parent + "' for the state root");
    }
    return {};
}

Result<std::optional<StateRoot>> StateRoot::open(const std::string& given, bool create)
{
    std::string path = given;
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && errno == ENOENT) {
        if (!create)
            return std::optional<StateRoot>();
        if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST) {
            TRY(make_parents(path));
            if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST)
                return errno_error("cannot make the state root '" + path + "'");
        }
        fd = UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }
    if (!fd)
        return errno_error("cannot open the state root '" + path + "'");
    struct stat status;
    if (::fstat(fd.get(), &status) < 0)
        return errno_error("cannot stat the state root '" + path + "'");
    if (!is_private(status))
        return Error{"the state root '" + path + "' must belong to uid " + std::to_string(::geteuid()) +
                     " and be writable by nobody else"};
    return std::optional<StateRoot>(StateRoot(std::move(fd), std::move(path)));
}

Result<std::vector<std::string>> StateRoot::ids() const
{
    UniqueFd copy(::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR* stream = copy ? ::fdopendir(copy.get()) : nullptr;
    if (stream == nullptr)
        return errno_error("cannot list the state root '" + path_ + "'");
    (void)copy.release();
    ScopeExit close_stream([&] { ::closedir(stream); });
    std::vector<std::string> ids;
    while (dirent* entry = ::readdir(stream))
        if (entry->d_name[0] != '.' && (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN))
            ids.emplace_back(entry->d_name);
    std::sort(ids.begin(), ids.end());
    return ids;
}

Result<void> check_container_id(std::string_view id)
{
    bool good = !id.empty() && id.size() <= 230 && id[0] != '.';
    for (char c : id)
        good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::strchr("_+-.", c) != nullptr) &&
               c != '\0';
    if (!good)
        return Error{"invalid container id '" + std::string(id) +
                     "': expected 1 to 230 letters, digits, '_', '+', '-' or '.', and no '.' in front"};
    return {};
}

// ---------------------------------------------------------------- a container

/// The name of an entry while it is being made: `.new-PID-ID`, so that two creators never share one.
static constexpr std::string_view new_prefix = ".new-";
static std::string new_name(const std::string& id) { return std::string(new_prefix) + std::to_string(::getpid()) + "-" + id; }

/// Opens a directory of ours: no link, owned by the caller, not writable by others.
static Result<UniqueFd> open_private_directory(int dir, const std::string& name)
{
    UniqueFd fd = TRY(open_at(dir, name, O_RDONLY | O_DIRECTORY));
    struct stat status;
    if (::fstat(fd.get(), &status) < 0)
        return errno_error("cannot stat '" + name + "'");
    if (!is_private(status))
        return Error{"'" + name + "' in the state directory belongs to somebody else"};
    return fd;
}

/// An entry of the index: a regular file of the caller that nobody else can write.
static bool is_private_file(const struct stat& status)
{
    return S_ISREG(status.st_mode) && status.st_uid == ::geteuid() && (status.st_mode & 022) == 0;
}

Result<ContainerState> ContainerState::create(const StateRoot& root, const std::string& id, const std::vector<JournalEntry>& first)
{
    TRY(check_container_id(id));
    struct stat status;
    if (::fstatat(root.fd(), id.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
        return Error{"container with given ID already exists: '" + id + "'"};

    // The entry is made and locked under another name and appears by rename.
    std::string hidden = new_name(id);
    ::unlinkat(root.fd(), hidden.c_str(), 0);  // of a killed process that had our number
    ContainerState state;
    state.id_ = id;
    state.root_ = &root;
    state.owner_ = ::geteuid();
    state.journal_ = UniqueFd(::openat(root.fd(), hidden.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!state.journal_)
        return errno_error("cannot make the state of container '" + id + "' in '" + root.path() + "'");
    ScopeExit remove_again([&] { ::unlinkat(root.fd(), hidden.c_str(), 0); });
    TRY(state.lock(0));
    assert(!first.empty() && first[0].what == first_entry);
    TRY(state.record(first));
    if (::renameat2(root.fd(), hidden.c_str(), root.fd(), id.c_str(), RENAME_NOREPLACE) < 0) {
        if (errno == EEXIST)
            return Error{"container with given ID already exists: '" + id + "'"};
        return errno_error("cannot make the state of container '" + id + "'");
    }
    remove_again.dismiss();
    return state;
}

/// The number behind `"key":` in a state.json, which is our own text.
static unsigned long long number_behind(std::string_view text, std::string_view key)
{
    size_t at = text.find("\"" + std::string(key) + "\":");
    if (at == std::string_view::npos)
        return 0;
    text.remove_prefix(at + key.size() + 3);
    Result<unsigned long long> number = parse_unsigned(text.substr(0, text.find_first_not_of("0123456789")));
    return number.has_value() ? number.value() : 0;
}

/// Whether a container of another state root, with the same id and bundle, has its state here.
static Result<bool> is_in_use(int directory)
{
    std::optional<UniqueFd> file = TRY(find_at(directory, "state.json", O_RDONLY | O_NONBLOCK));
    struct stat status;
    if (!file)  // half-made: perhaps by somebody who is making it now
        return ::fstatat(directory, "plan", &status, AT_SYMLINK_NOFOLLOW) == 0;
    const std::string text = TRY(read_whole(file->get(), max_plan_size));
    return is_alive({static_cast<pid_t>(number_behind(text, "init_process_pid")), number_behind(text, "init_process_start")});
}

/// Makes and opens `name` in `folder`. What is there already is taken when it is a leftover of a container that is gone.
static Result<UniqueFd> make_state_directory(int folder, const std::string& name)
{
    if (::mkdirat(folder, name.c_str(), 0700) < 0) {
        if (errno != EEXIST)
            return errno_error("cannot make the state directory");
        UniqueFd leftover = TRY(open_private_directory(folder, name));
        if (TRY(is_in_use(leftover.get())))
            return Error{"the state directory '" + name + "' is another container's"};
        TRY(empty_directory(leftover.get()));
        return leftover;
    }
    return open_private_directory(folder, name);
}

Result<void> ContainerState::record_directory()
{
    // Device and inode: another directory moved to that path later is not taken for ours.
    struct stat status;
    if (::fstat(directory_.get(), &status) < 0)
        return errno_error("cannot stat the state directory");
    return record({{"directory-inode", {std::to_string(status.st_dev), std::to_string(status.st_ino)}}});
}

Result<void> ContainerState::create_directory(const std::string& bundle, bool bundle_is_private)
{
    if (bundle_is_private && TRY(create_in_bundle(bundle)))
        return record_directory();
    char root_path[PATH_MAX];
    const std::string link = "/proc/self/fd/" + std::to_string(root_->fd());
    ssize_t size = ::readlink(link.c_str(), root_path, sizeof root_path);
    if (size <= 0 || size == static_cast<ssize_t>(sizeof root_path))
        return errno_error("cannot tell the path of the state root '" + root_->path() + "'");
    const std::string name = std::string(state_prefix) + id_;
    TRY(record({{"directory", {std::string(root_path, static_cast<size_t>(size)) + "/" + name}}}));
    directory_ = TRY(make_state_directory(root_->fd(), name));
    return record_directory();
}

/// False: the bundle cannot hold it (not ours alone, read-only, out of space, ...).
Result<bool> ContainerState::create_in_bundle(const std::string& bundle)
{
    UniqueFd bundle_dir(::open(bundle.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat status;
    if (!bundle_dir || ::fstat(bundle_dir.get(), &status) < 0 || !is_private(status))
        return false;
    const std::string name = std::string(bundle_prefix) + id_;
    TRY(record({{"directory", {bundle + "/" + name}}}));
    Result<UniqueFd> directory = make_state_directory(bundle_dir.get(), name);
    if (!directory.has_value())
        return false;
    directory_ = std::move(directory).value();
    return true;
}

/// Opens the state directory that the journal names, if it is the one that was made.
Result<void> ContainerState::open_directory()
{
    std::string path;
    const JournalEntry* identity = nullptr;
    for (const JournalEntry& entry : entries_) {
        if (entry.what == "directory" && entry.fields.size() == 1)
            path = entry.fields[0];
        if (entry.what == "directory-inode" && entry.fields.size() == 2)
            identity = &entry;
    }
    if (path.empty() || identity == nullptr)
        return {};
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status;
    if (fd && ::fstat(fd.get(), &status) == 0 && is_private(status) && identity->fields[0] == std::to_string(status.st_dev) &&
        identity->fields[1] == std::to_string(status.st_ino))
        directory_ = std::move(fd);
    return {};
}

Result<std::optional<ContainerState>> ContainerState::find(const StateRoot& root, const std::string& id)
{
    TRY(check_container_id(id));
    ContainerState state;
    state.id_ = id;
    state.root_ = &root;
    state.journal_ = UniqueFd(::openat(root.fd(), id.c_str(), O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!state.journal_ && errno == ENOENT)
        return std::optional<ContainerState>();
    struct stat status;
    if (!state.journal_ || ::fstat(state.journal_.get(), &status) < 0)
        return errno_error("cannot open the state of container '" + id + "' in '" + root.path() + "'");
    if (!is_private_file(status))
        return Error{"the state of container '" + id + "' is no file that belongs to uid " + std::to_string(::geteuid()) + " alone"};
    state.owner_ = status.st_uid;
    state.entries_ = TRY(state.journal());
    TRY(state.open_directory());
    return std::optional<ContainerState>(std::move(state));
}

Result<std::optional<std::string>> ContainerState::read(const std::string& name) const
{
    if (!directory_)
        return std::optional<std::string>();
    std::optional<UniqueFd> file = TRY(find_at(directory_.get(), name, O_RDONLY));
    if (!file)
        return std::optional<std::string>();
    return std::optional<std::string>(TRY(read_whole(file->get(), max_plan_size)));
}

Result<void> ContainerState::write(const std::string& name, std::string_view text) const
{
    std::string temporary = "." + name + ".new";
    {
        UniqueFd file = TRY(open_at(directory_.get(), temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600));
        TRY(write_all(file.get(), text).with_context("cannot write the state file '" + name + "'"));
    }
    if (::renameat(directory_.get(), temporary.c_str(), directory_.get(), name.c_str()) < 0)
        return errno_error("cannot write the state file '" + name + "'");
    return {};
}

Result<void> ContainerState::replace(const std::string& name, const std::string& with) const
{
    if (::renameat(directory_.get(), with.c_str(), directory_.get(), name.c_str()) < 0)
        return errno_error("cannot write the state file '" + name + "'");
    return {};
}

bool ContainerState::has(const std::string& name) const
{
    struct stat status;
    return directory_ && ::fstatat(directory_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<void> ContainerState::remove(const std::string& name) const
{
    if (::unlinkat(directory_.get(), name.c_str(), 0) < 0 && errno != ENOENT)
        return errno_error("cannot remove the state file '" + name + "'");
    return {};
}

Result<void> ContainerState::record(const std::vector<JournalEntry>& entries) const { return append_to_journal(journal_.get(), entries); }

Result<std::vector<JournalEntry>> ContainerState::journal() const
{
    std::string text = TRY(read_whole(journal_.get(), 64 << 20).with_context("cannot read the journal"));
    // `--root` may be any directory of ours, /etc for one: its files are nothing that delete may remove. An empty one is the
    // state of a container that a crash of the machine has taken the content of.
    if (!text.empty() && !text.starts_with(std::string(first_entry) + "\t"))
        return Error{"'" + root_->path() + "/" + id_ + "' is not the state of a container; is '" + root_->path() + "' a state root?"};
    return parse_journal(text);
}

Result<void> ContainerState::lock(int seconds) const
{
    for (int waited = 0;; waited++) {
        if (::flock(journal_.get(), LOCK_EX | LOCK_NB) == 0)
            return {};
        if (errno != EWOULDBLOCK && errno != EINTR)
            return errno_error("cannot lock the state of container '" + id_ + "'");
        if (waited >= seconds * 100)
            return Error{"container '" + id_ + "' is busy: another command is creating or deleting it"};
        timespec pause{0, 10'000'000};
        ::nanosleep(&pause, nullptr);
    }
}

void ContainerState::unlock() const
{
    ::flock(journal_.get(), LOCK_UN);
}

bool ContainerState::is_current() const
{
    struct stat ours;
    struct stat theirs;
    return ::fstat(journal_.get(), &ours) == 0 && ::fstatat(root_->fd(), id_.c_str(), &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

bool ContainerState::is_locked() const
{
    if (::flock(journal_.get(), LOCK_SH | LOCK_NB) == 0) {
        ::flock(journal_.get(), LOCK_UN);
        return false;
    }
    return errno == EWOULDBLOCK;
}

Result<void> ContainerState::remove_all(const std::vector<JournalEntry>& journal)
{
    if (!is_current())
        return {};  // somebody else has removed it; the id may be another container's by now
    std::string path;
    for (const JournalEntry& entry : journal) {
        if (entry.what == "directory" && entry.fields.size() == 1) {
            TRY(remove_directory(path, ""));
            path = entry.fields[0];
        } else if (entry.what == "directory-inode" && entry.fields.size() == 2) {
            TRY(remove_directory(path, entry.fields[1]));
            path.clear();
        }
    }
    TRY(remove_directory(path, ""));
    if (::unlinkat(root_->fd(), id_.c_str(), 0) < 0 && errno != ENOENT)
        return errno_error("cannot remove the state of container '" + id_ + "'");
    return {};
}

/// A directory that is not there, not ours alone, or another one than was made is left as it is: whoever owns the folder
/// above the bundle can have exchanged it. Only the inode counts, as a device may have another number after a reboot.
/// Without one, the directory was never written to.
Result<void> ContainerState::remove_directory(const std::string& path, std::string_view inode)
{
    size_t slash = path.rfind('/');
    if (slash == std::string::npos)
        return {};
    const std::string name = path.substr(slash + 1);
    if (name != std::string(bundle_prefix) + id_ && name != std::string(state_prefix) + id_)
        return {};
    UniqueFd folder_dir(::open(path.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_dir)
        return {};
    Result<UniqueFd> directory = open_private_directory(folder_dir.get(), name);
    if (!directory.has_value())
        return {};
    if (!inode.empty()) {
        struct stat status;
        if (::fstat(directory.value().get(), &status) < 0 || inode != std::to_string(status.st_ino))
            return {};
        TRY(empty_directory(directory.value().get()));
    }
    if (::unlinkat(folder_dir.get(), name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT && !inode.empty())
        return errno_error("cannot remove the state directory '" + path + "'");
    return {};
}

Result<void> remove_unfinished_entries(const StateRoot& root, const std::string& id)
{
    UniqueFd copy(::openat(root.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR* stream = copy ? ::fdopendir(copy.get()) : nullptr;
    if (stream == nullptr)
        return errno_error("cannot list the state root '" + root.path() + "'");
    (void)copy.release();
    ScopeExit close_stream([&] { ::closedir(stream); });
    while (dirent* entry = ::readdir(stream)) {
        std::string_view name(entry->d_name);
        if (!name.starts_with(new_prefix))
            continue;
        size_t dash = name.find('-', new_prefix.size());
        if (dash == std::string_view::npos || name.substr(dash + 1) != id)
            continue;
        UniqueFd journal(::openat(root.fd(), entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
        if (journal && ::flock(journal.get(), LOCK_EX | LOCK_NB) < 0)
            continue;  // its creator lives
        if (::unlinkat(root.fd(), entry->d_name, 0) < 0 && errno != ENOENT)
            return errno_error("cannot remove '" + std::string(name) + "' from the state root");
    }
    return {};
}

Result<std::string> read_boot_id()
{
    UniqueFd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    if (!file)
        return errno_error("cannot open '/proc/sys/kernel/random/boot_id'");
    std::string text = TRY(read_all(file.get(), 64));
    if (text.size() >= 36)
        text.resize(36);
    return text;
}
