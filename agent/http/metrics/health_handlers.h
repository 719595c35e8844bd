// SPDX-License-Identifier: GPL-2.0-or-later
// Health checks for monitoring: liveness of the agent, readiness of the gateway.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// 200 `{"status":"ok","version":"0.1.0"}`, without any check: the response itself is the sign of life.
[[nodiscard]] Response show_health(const Request& request);

/// 200, or 503 where a check failed: `{"ready":false,"checks":[{"check":"policy","firewall":"edge",
/// "availability_zone":"a","ok":false,"message":"..."},...]}`. Lists all checks; firewall and zone are present in
/// checks of an endpoint, message in failed ones.
[[nodiscard]] Response show_readiness(const Request& request, gateway::Monitoring& monitoring);

}  // namespace headgate::http
