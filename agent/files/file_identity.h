// SPDX-License-Identifier: GPL-2.0-or-later
// The user on whose behalf files are accessed.
//
// The agent runs as a user of its own, who owns its directories. A command that root runs accesses the same
// directories, where that user can place links, pipes, and files that a library acts on: a journal there makes SQLite
// delete the file that the journal names (sqlite.org/atomiccommit.html, section 5.6). Therefore root accesses them as
// their owner and has no more access than the owner has. Ownership of files that root creates: the owner's.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate {

/// A value type. Thread-safe.
class FileIdentity {
  public:
    /// The process's own identity.
    FileIdentity() = default;

    /// The process's own identity, unless it is root and the path leads through a directory or a link of another user.
    /// Then the first such owner: the owner of a directory controls where all paths through it lead. Directories owned
    /// by root are trusted, even if others may write to them. The path ends at the first missing component.
    [[nodiscard]] static FileIdentity of(const std::filesystem::path& path);

    /// Runs `work()`, which returns a Result. Meanwhile this thread accesses files as that user and the directory's
    /// group, without supplementary groups and without any capability (setfsuid(2), capabilities(7)). An error if the
    /// process may not do so; then `work` was not run.
    template <typename Work>
    [[nodiscard]] auto run(Work&& work) const -> std::invoke_result_t<Work> {
        if (!other_) return std::forward<Work>(work)();
        const Assumed assumed{*other_};
        if (!assumed.is_complete())
            return failed("user {} cannot be assumed for files in {}", other_->user, other_->where);
        return std::forward<Work>(work)();
    }

    /// " (as user 123, who owns /srv/x)" for error messages; empty for the process's own identity.
    [[nodiscard]] std::string description() const;

  private:
    struct Other {
        uid_t user;
        gid_t group;
        std::string where;  ///< path of what the user owns
    };

    class Assumed {
      public:
        explicit Assumed(const Other& other);
        ~Assumed();
        Assumed(const Assumed&) = delete;
        Assumed& operator=(const Assumed&) = delete;

        [[nodiscard]] bool is_complete() const noexcept { return is_complete_; }

      private:
        uid_t user_;
        gid_t group_;
        std::vector<gid_t> groups_;
        std::array<std::uint32_t, 2> effective_{};  ///< capabilities
        bool is_complete_ = false;
    };

    friend class PathWalk;

    std::optional<Other> other_;
};

/// The user as whom this thread accesses files.
[[nodiscard]] uid_t file_user();

/// Runs `work()`, which returns a Result, as FileIdentity::of(path).
template <typename Work>
[[nodiscard]] auto as_owner_of(const std::filesystem::path& path, Work&& work) -> std::invoke_result_t<Work> {
    return FileIdentity::of(path).run(std::forward<Work>(work));
}

// headgate's own files, in a directory that another user may write to.

/// As open(2); do not pass O_TRUNC. Links and pipes are neither followed nor waited for: anything but a regular file
/// with one name is an error. Root opens it as the user that the path belongs to.
[[nodiscard]] Result<FileDescriptor> open_own_file(const std::filesystem::path& file, int flags, mode_t mode);

/// As mkdir(2), by the same user. No error if it exists.
[[nodiscard]] Result<void> make_own_folder(const std::filesystem::path& folder, mode_t mode);

/// As unlink(2), by the same user. No error if it does not exist.
[[nodiscard]] Result<void> remove_own_file(const std::filesystem::path& file);

}  // namespace headgate
