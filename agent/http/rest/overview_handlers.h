// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway at a glance: how full its flow tables are, what stream exception policies have caught, what is running.
// Nothing of it looks at a single flow, so that it can be asked for all the time.
#pragma once

#include <chrono>
#include <functional>

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// How often something is said.
struct OverviewPace {
    std::chrono::milliseconds look{2000};          ///< from one look at the gateway to the next
    std::chrono::milliseconds slice{200};          ///< and how often it is asked meanwhile whether anybody still waits
    std::chrono::milliseconds keep_alive{15'000};  ///< a comment, where nothing has changed for so long
};

/// Once as JSON; as server-sent events whenever it has changed.
[[nodiscard]] Response show_overview(gateway::ManagedGateway& gateway, const Request& request);

/// The stream itself: `event: overview`, until nobody waits for it any more, or the gateway ends.
[[nodiscard]] Result<void> send_overviews(gateway::ManagedGateway& gateway, const std::function<bool()>& is_over,
                                          const OverviewPace& pace, const BodySink& send);

}  // namespace headgate::http
