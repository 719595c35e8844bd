// SPDX-License-Identifier: GPL-2.0-or-later
// An operation as it goes on, told as server-sent events (WHATWG HTML, section 9.2).
#pragma once

#include <chrono>
#include <functional>

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// How often something is said.
struct EventPace {
    std::chrono::milliseconds look{250};           ///< from one look at the operation to the next, while it goes on
    std::chrono::milliseconds keep_alive{15'000};  ///< a comment, where there is no event for so long
};

/// `event: progress` whenever the operation has changed, and `event: end` when it has ended, each with the operation as
/// its data; then the stream ends. It also ends where nobody waits for it any more.
[[nodiscard]] Response follow_operation(gateway::ManagedGateway& gateway, const Request& request);

/// The stream itself.
[[nodiscard]] Result<void> send_events(gateway::ManagedGateway& gateway, const std::string& id,
                                       const std::function<bool()>& is_over, const EventPace& pace,
                                       const BodySink& send);

}  // namespace headgate::http
