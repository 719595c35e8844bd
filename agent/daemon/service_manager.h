// What the agent has from the service manager that started it, and what it tells it: systemd, or another one that
// speaks its protocols (sd_listen_fds(3), sd_notify(3)). Where nobody asked to be told (no NOTIFY_SOCKET), telling does
// nothing and succeeds.
//
// The environment is read at each call: thread-safe as long as nobody changes it.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::daemon {

/// The sockets that it has opened for this process, which listen already. To be called once: they are then the
/// caller's.
[[nodiscard]] std::vector<FileDescriptor> take_sockets();

/// The agent does its work from now on: after the start, and after each reload. The status is shown to people
/// (`systemctl status`).
[[nodiscard]] Result<void> tell_ready(std::string_view status);

/// It reads its configuration anew; until tell_ready() the service manager waits with what depends on that.
[[nodiscard]] Result<void> tell_reloading();

/// It comes to its end, which may take so long: then the service manager is not to kill it before.
[[nodiscard]] Result<void> tell_stopping(std::chrono::microseconds at_most);

[[nodiscard]] Result<void> tell_status(std::string_view status);

/// It is alive. To be told every keep_alive_period(), or the service manager ends the agent and starts another.
[[nodiscard]] Result<void> tell_alive();

/// Half of what the service manager waits, as sd_watchdog_enabled(3) recommends; nothing where it does not watch.
[[nodiscard]] std::optional<std::chrono::microseconds> keep_alive_period();

}  // namespace headgate::daemon
