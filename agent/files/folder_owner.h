// Whose a file is that root makes.
//
// The agent has a user of its own, and so have its folders. A command that root runs beside it works in the same ones:
// what it makes there must not be root's alone, or the agent cannot go on with it; and it must not be led astray there,
// since that user may put links where root expects files.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

namespace headgate {

/// To be asked before a file is opened that may be made by that.
class FolderOwner {
  public:
    /// Of the folder that the file is in.
    [[nodiscard]] static FolderOwner of(const std::filesystem::path& file);

    /// What open(2) is told besides: O_NOFOLLOW where this process is root and the folder another user's.
    [[nodiscard]] int open_flags() const noexcept;

    /// Gives them the file if this process, as root, has just made it: it is root's, empty, and has one name.
    void take_over(int file) const noexcept;

  private:
    struct Ids {
        uid_t user;
        gid_t group;
    };
    std::optional<Ids> other_;  ///< than root, which this process is
};

}  // namespace headgate
