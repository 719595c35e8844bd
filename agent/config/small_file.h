// SPDX-License-Identifier: GPL-2.0-or-later
// Reads small files as a whole: configuration, policies, secrets.
#pragma once

#include <filesystem>
#include <string>

#include "headgate/result.h"

namespace headgate::config {

inline constexpr std::size_t kLargestFile = 64 * 1024;  ///< bytes

/// Rejects files that are larger or not regular; never blocks on a pipe. An error names the file.
[[nodiscard]] Result<std::string> read_small_file(const std::filesystem::path& path);

/// The same for a file of secrets: only its owner may have access, who must be root or the user as whom this thread
/// accesses files. The error says how to fix it.
[[nodiscard]] Result<std::string> read_secret_file(const std::filesystem::path& path);

}  // namespace headgate::config
