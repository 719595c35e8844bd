// A file of headgate's own, in a folder that another user may write to.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate {

/// As open(2), which is never told O_TRUNC here. Neither a link nor a pipe that somebody has put there leads us astray
/// or keeps us waiting: what is no regular file, or has another name besides, is an error. What root makes becomes the
/// folder's owner's.
[[nodiscard]] Result<FileDescriptor> open_own_file(const std::filesystem::path& file, int flags, mode_t mode);

}  // namespace headgate
