// Which SSH sessions are left alone for the sake of whoever orders something.
#pragma once

#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "gateway/chosen_endpoint.h"
#include "operations/ssh_guard.h"
#include "sessions/session_search.h"

namespace headgate::gateway {

/// What there is to know before a flush on an endpoint: sessions into the namespace of this process and into that of
/// the endpoint. The caller's own is left alone alone where the kernel shows it and they are on this machine: who comes
/// over the network names what they like. Otherwise all are, those that the caller has found as well.
[[nodiscard]] operations::SshGuard guard_sessions(const sessions::CallerSessions& caller, const Caller& who,
                                                  const ChosenEndpoint& endpoint);

/// The same of sessions that were found, a filter for each: pure.
[[nodiscard]] operations::SshGuard guard_found(const sessions::CallerSessions& caller, const Caller& who,
                                               const std::vector<sessions::SshSessions>& found);

}  // namespace headgate::gateway
