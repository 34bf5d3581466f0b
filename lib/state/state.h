// The state of containers on disk: the root with its index, a container's state directory, its
// journal of things to undo. spec/state-dir.md documents every file.
#pragma once

#include "fd/fd.h"
#include "journal/journal.h"
#include "process/process.h"
#include "result/result.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The state root (`--root`): a directory of the caller, writable by nobody else.
class StateRoot {
public:
    /// Opens it, making it (0700, parents 0711) when `create` is set. Nothing: it does not exist.
    /// A link, another owner or a mode that lets others write is refused (CVE class of LXC 2015-1331).
    static Result<std::optional<StateRoot>> open(const std::string& path, bool create);

    /// /run/ocirun for root, else $XDG_RUNTIME_DIR/ocirun.
    static Result<std::string> default_path();

    int fd() const { return fd_.get(); }
    const std::string& path() const { return path_; }
    /// The ids in the index, sorted.
    Result<std::vector<std::string>> ids() const;

private:
    StateRoot(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
    UniqueFd fd_;
    std::string path_;
};

/// Letters, digits, `_`, `+`, `-`, `.`; no leading dot; at most 230 bytes.
Result<void> check_container_id(std::string_view id);

/// A container's entry in the index, which is its journal, and its state directory.
///
/// Guarantee: every directory, process and cgroup that belongs to the container stands in the journal
/// before it exists, so that whoever finds a half-made container can undo it.
class ContainerState {
public:
    /// Makes the index entry, its journal beginning with `first`, and locks it. An id in use is an error. The first entry is
    /// `boot`: what does not begin with it is no container's state, and is never touched.
    static Result<ContainerState> create(const StateRoot& root, const std::string& id, const std::vector<JournalEntry>& first);
    /// Opens the entry; nothing: there is none. The state directory may be missing (see has_directory).
    static Result<std::optional<ContainerState>> find(const StateRoot& root, const std::string& id);

    /// Makes the state directory: `BUNDLE/.ocirun-ID` when `bundle` is safe (owned by the caller,
    /// not writable by others, writable file system), otherwise `ROOT/.state-ID`.
    Result<void> create_directory(const std::string& bundle, bool bundle_is_private);

    const std::string& id() const { return id_; }
    bool has_directory() const { return static_cast<bool>(directory_); }
    int directory_fd() const { return directory_.get(); }
    int journal_fd() const { return journal_.get(); }
    /// Uid of whoever made the container.
    uid_t owner() const { return owner_; }

    /// A missing file is an empty optional.
    Result<std::optional<std::string>> read(const std::string& name) const;
    /// Appears by rename: nobody reads half of it.
    Result<void> write(const std::string& name, std::string_view text) const;
    /// Puts the file `with` in the place of the file `name`.
    Result<void> replace(const std::string& name, const std::string& with) const;
    bool has(const std::string& name) const;
    Result<void> remove(const std::string& name) const;

    /// Appends lines to the journal: facts, or things to undo; the latter before the deed.
    Result<void> record(const std::vector<JournalEntry>& entries) const;
    /// A line that cannot be read is an entry `damaged`.
    Result<std::vector<JournalEntry>> journal() const;
    /// The journal as find() has read it.
    const std::vector<JournalEntry>& entries() const { return entries_; }

    /// Takes the lock that create, start and delete hold, waiting for at most `seconds`.
    Result<void> lock(int seconds) const;
    void unlock() const;
    /// Whether the index entry of that id is still this one.
    bool is_current() const;
    /// Whether somebody holds it now (a create or delete under way).
    bool is_locked() const;

    /// Removes the state directories that `journal`, read under the lock, names, and the entry. The entry goes last.
    Result<void> remove_all(const std::vector<JournalEntry>& journal);

private:
    ContainerState() = default;
    Result<void> open_directory();
    Result<bool> create_in_bundle(const std::string& bundle);
    Result<void> record_directory();
    Result<void> remove_directory(const std::string& path, std::string_view inode);

    std::string id_;
    const StateRoot* root_ = nullptr;
    UniqueFd journal_;
    UniqueFd directory_;
    std::vector<JournalEntry> entries_;
    uid_t owner_ = 0;
};

/// Removes what a `create ID` left that was killed before its entry appeared in the index.
Result<void> remove_unfinished_entries(const StateRoot& root, const std::string& id);

/// The kernel's boot id, 36 characters.
Result<std::string> read_boot_id();
