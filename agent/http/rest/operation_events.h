// SPDX-License-Identifier: GPL-2.0-or-later
// The progress of an operation as server-sent events (WHATWG HTML, section 9.2).
#pragma once

#include <chrono>
#include <functional>

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// Intervals of the event stream.
struct EventPace {
    std::chrono::milliseconds look{250};           ///< between two reads of an operation in progress
    std::chrono::milliseconds keep_alive{15'000};  ///< after this time without an event, a comment is sent
};

/// Sends `event: progress` whenever the operation has changed, and `event: end` when it has ended, each with the
/// operation as its data; then the stream ends. It also ends when the client disconnects or the server stops.
[[nodiscard]] Response follow_operation(const Request& request, gateway::FlowOperations& operations);

/// Writes the stream.
[[nodiscard]] Result<void> send_events(gateway::FlowOperations& operations, const std::string& id,
                                       const std::function<bool()>& is_over, const EventPace& pace,
                                       const BodySink& send);

}  // namespace headgate::http
