// SPDX-License-Identifier: GPL-2.0-or-later
// Processes and their descriptors, as proc(5) shows them. They may vanish at any moment, and permissions may hide them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace headgate {

/// Calls `visit` for the entries of a folder, which may vanish meanwhile, until it returns false. False: unreadable.
bool each_entry(const std::filesystem::path& folder,
                const std::function<bool(const std::filesystem::directory_entry&)>& visit);

/// Calls `visit` for each process in sight until it returns false. False: /proc is unreadable.
bool each_process(const std::function<bool(pid_t)>& visit);

/// /proc/PID
[[nodiscard]] std::filesystem::path folder_of_process(pid_t process);

/// Its `comm`. Empty if it is gone or hidden.
[[nodiscard]] std::string name_of_process(pid_t process);

/// Calls `visit` with the link behind each open descriptor until it returns false. False: unreadable.
bool each_descriptor(pid_t process, const std::function<bool(const std::filesystem::path&)>& visit);

/// The inode of the socket behind such a link; nothing if it is none.
[[nodiscard]] std::optional<std::uint64_t> socket_behind(const std::filesystem::path& descriptor);

}  // namespace headgate
