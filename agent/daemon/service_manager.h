// SPDX-License-Identifier: GPL-2.0-or-later
// Communication with the service manager: systemd, or another one with the same protocols (sd_listen_fds(3),
// sd_notify(3)). Without NOTIFY_SOCKET in the environment all notifications do nothing and succeed.
//
// The environment is read at each call: thread-safe as long as the process does not change it.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::daemon {

/// The listening sockets that the service manager passed to this process. Call it once: the caller owns them.
[[nodiscard]] std::vector<FileDescriptor> inherited_sockets();

/// Reports that the agent serves requests: after startup and after each reload. `systemctl status` shows the status.
[[nodiscard]] Result<void> notify_ready(std::string_view status);

/// Reports a reload: until notify_ready() the service manager delays what depends on it.
[[nodiscard]] Result<void> notify_reloading();

/// Reports that the agent is stopping, and extends the service manager's stop timeout to `at_most`.
[[nodiscard]] Result<void> notify_stopping(std::chrono::microseconds at_most);

/// Watchdog keep-alive. Must be sent every keep_alive_period(), or the service manager restarts the agent.
[[nodiscard]] Result<void> notify_alive();

/// Half of the watchdog timeout, as sd_watchdog_enabled(3) recommends; absent if the watchdog is disabled.
[[nodiscard]] std::optional<std::chrono::microseconds> keep_alive_period();

}  // namespace headgate::daemon
