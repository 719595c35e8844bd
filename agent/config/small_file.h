// Reads files that people write: small ones, whole.
#pragma once

#include <filesystem>
#include <string>

#include "headgate/result.h"

namespace headgate::config {

inline constexpr std::size_t kLargestFile = 64 * 1024;  ///< bytes

/// Refuses what is no regular file or is larger; never waits for a pipe. An error names the file.
[[nodiscard]] Result<std::string> read_small_file(const std::filesystem::path& path);

/// The same for a file of secrets, which nobody but its owner may read or write, and whose owner is root or whom this
/// process runs as. The error says how to mend it.
[[nodiscard]] Result<std::string> read_secret_file(const std::filesystem::path& path);

}  // namespace headgate::config
