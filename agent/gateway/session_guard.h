// SPDX-License-Identifier: GPL-2.0-or-later
// Selects the SSH sessions that a caller's request must not cut.
#pragma once

#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "gateway/managed_endpoint.h"
#include "operations/operation_request.h"
#include "sessions/ssh_sessions.h"

namespace headgate::gateway {

/// Sessions to protect before a flush, into this process's network namespace and the endpoint's. Only the caller's own
/// one, if the kernel confirms it and the caller is on this machine, since remote clients can claim any. Otherwise all
/// sessions, including those that the caller reports.
[[nodiscard]] operations::SshGuard guard_sessions(const CallerSessions& caller, const Caller& who,
                                                  const ManagedEndpoint& endpoint);

/// Likewise of sessions already found, as filters. Pure.
[[nodiscard]] operations::SshGuard guard_found(const CallerSessions& caller, const Caller& who,
                                               const std::vector<sessions::SshSessions>& found);

}  // namespace headgate::gateway
