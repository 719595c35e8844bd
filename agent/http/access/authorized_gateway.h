// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway within the caller's permissions: resources outside them look nonexistent, and an action that they do not
// allow is refused and recorded in the audit trail. A signed start is carried out once.
#pragma once

#include <memory>

#include "gateway/managed_gateway.h"
#include "http/access/replay_guard.h"
#include "http/message.h"

namespace headgate::http::access {

/// For the caller of a request. As thread-safe as `whole`, which outlives it, as does `replays`, which is the same for
/// all requests. Its configuration has the firewalls that the caller may see, and only the settings that concern these.
[[nodiscard]] std::unique_ptr<gateway::ManagedGateway> authorized(gateway::ManagedGateway& whole,
                                                                  const Request& request, ReplayGuard& replays);

}  // namespace headgate::http::access
