// The user as whom files are worked on.
//
// The agent has a user of its own, who owns its folders. A command that root runs beside it works in the same folders,
// where that user can put links, pipes, and files that a library acts on: a journal there makes SQLite delete the file
// that the journal names (sqlite.org/atomiccommit.html, section 5.6). So root does all that work as the folder's owner
// and gets no further than the owner could get alone. What root makes there also belongs to the owner.
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

namespace headgate {

/// A value. Thread-safe.
class FileIdentity {
  public:
    /// The process's own.
    FileIdentity() = default;

    /// The process's own as well, unless it is root and the path leads through a folder or a link of another user. Then
    /// it is the first of these: whoever owns a folder decides where every path through it leads. Folders that root
    /// owns are taken for trusted, whoever else may write to them. What is missing ends the path.
    [[nodiscard]] static FileIdentity of(const std::filesystem::path& path);

    /// Runs `work()`, which returns a Result: meanwhile this thread accesses files as that user, in the group of the
    /// folder, without other groups and without any capability (setfsuid(2), capabilities(7)). An error where
    /// the process may not do so; then nothing was run.
    template <typename Work>
    [[nodiscard]] auto run(Work&& work) const -> std::invoke_result_t<Work> {
        if (!other_) return std::forward<Work>(work)();
        const Assumed assumed{*other_};
        if (!assumed.is_complete())
            return failed("user {} cannot be assumed for files in {}", other_->user, other_->where);
        return std::forward<Work>(work)();
    }

    /// " (as user 123, who owns /srv/x)" for error messages; empty for the process's own.
    [[nodiscard]] std::string description() const;

  private:
    struct Other {
        uid_t user;
        gid_t group;
        std::string where;  ///< what they own
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

/// Runs `work()`, which returns a Result, as whom the path leads to.
template <typename Work>
[[nodiscard]] auto as_owner_of(const std::filesystem::path& path, Work&& work) -> std::invoke_result_t<Work> {
    return FileIdentity::of(path).run(std::forward<Work>(work));
}

}  // namespace headgate
