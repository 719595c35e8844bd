// SPDX-License-Identifier: GPL-2.0-or-later
// Access to headgate's own files in a directory that another user may write to.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate {

/// As open(2); do not pass O_TRUNC. Links and pipes are neither followed nor waited for: anything but a regular file
/// with one name is an error. Root opens it as the user that the path belongs to (file_identity.h).
[[nodiscard]] Result<FileDescriptor> open_own_file(const std::filesystem::path& file, int flags, mode_t mode);

/// As mkdir(2), by the same user. No error if it exists.
[[nodiscard]] Result<void> make_own_folder(const std::filesystem::path& folder, mode_t mode);

/// As unlink(2), by the same user. No error if it does not exist.
[[nodiscard]] Result<void> remove_own_file(const std::filesystem::path& file);

}  // namespace headgate
