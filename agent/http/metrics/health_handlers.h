// For those who watch over the agent: whether it answers, and whether the gateway is as it must be for its work.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// 200 `{"status":"ok","version":"0.1.0"}`, without a look at anything: that there is an answer is what counts.
[[nodiscard]] Answer show_health(gateway::ManagedGateway& gateway, const Request& request);

/// 200, or 503 where a check has failed: `{"ready":false,"checks":[{"check":"policy","firewall":"edge",
/// "availability_zone":"a","ok":false,"message":"..."},...]}`. Every check is told; a firewall and a zone have those
/// that are an endpoint's, a message those that failed.
[[nodiscard]] Answer show_readiness(gateway::ManagedGateway& gateway, const Request& request);

}  // namespace headgate::http
