// SPDX-License-Identifier: GPL-2.0-or-later
// Searches for SSH sessions: asks the kernel for sockets, and /proc and the control groups for their holders as far as
// needed.
#pragma once

#include <optional>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "netlink/network_namespace.h"
#include "sessions/ssh_sessions.h"

namespace headgate::sessions {

/// SSH sessions into this machine in a network namespace. An error means that the search was not possible.
[[nodiscard]] Result<SshSessions> search_sessions(const netlink::NetworkNamespace& where);

/// The sessions of this process.
[[nodiscard]] CallerSessions search_caller_sessions();

/// The session that this process works through, if certain.
[[nodiscard]] std::optional<TcpSocket> search_own_session();

}  // namespace headgate::sessions
