// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway at a glance: usage of its flow tables, counters of stream exception policies, operations in progress.
// Reads no individual flows, so that clients can poll it continuously.
#pragma once

#include <chrono>
#include <functional>

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// Intervals of the event stream.
struct OverviewPace {
    std::chrono::milliseconds look{2000};          ///< between two reads of the gateway
    std::chrono::milliseconds slice{200};          ///< between two checks, meanwhile, whether the client still waits
    std::chrono::milliseconds keep_alive{15'000};  ///< after this time without a change, a comment is sent
};

/// Answers once as JSON, or as server-sent events whenever the overview has changed.
[[nodiscard]] Response show_overview(const Request& request, gateway::FlowOperations& operations,
                                     gateway::Monitoring& monitoring, gateway::Inventory& inventory);

/// Writes the stream, `event: overview`, until the client disconnects or the gateway shuts down.
[[nodiscard]] Result<void> send_overviews(gateway::FlowOperations& operations, gateway::Monitoring& monitoring,
                                          gateway::Inventory& inventory, const std::function<bool()>& is_over,
                                          const OverviewPace& pace, const BodySink& send);

}  // namespace headgate::http
