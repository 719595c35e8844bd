// A file of headgate's own, in a folder that another user may write to.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate {

/// As open(2), which is never told O_TRUNC here. Neither a link nor a pipe that somebody has put there leads us astray
/// or keeps us waiting: what is no regular file, or has another name besides, is an error. Root opens it as whom the
/// path leads to (file_identity.h).
[[nodiscard]] Result<FileDescriptor> open_own_file(const std::filesystem::path& file, int flags, mode_t mode);

/// As mkdir(2), by the same user. One that is there is no error.
[[nodiscard]] Result<void> make_own_folder(const std::filesystem::path& folder, mode_t mode);

/// As unlink(2), by the same user. What is not there is no error.
[[nodiscard]] Result<void> remove_own_file(const std::filesystem::path& file);

}  // namespace headgate
