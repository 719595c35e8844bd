// Everything that can be asked of the agent over HTTP.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/metrics/metrics.h"
#include "http/router.h"

namespace headgate::http {

/// The one table. The gateway and the metrics outlive it.
[[nodiscard]] Router make_router(gateway::ManagedGateway& gateway, Metrics& metrics);

}  // namespace headgate::http
