// Flow operations over HTTP: one function for each route.
#pragma once

#include "gateway/gateway.h"
#include "http/message.h"

namespace headgate::http {

/// 202 with the operation. The header Idempotency-Key: one that is asked for again is not started again.
[[nodiscard]] Answer start_operation(gateway::Gateway& gateway, const Request& request);
[[nodiscard]] Answer list_operations(gateway::Gateway& gateway, const Request& request);

/// With `wait_ms`, waits for its end for so long, half a minute at most.
[[nodiscard]] Answer show_operation(gateway::Gateway& gateway, const Request& request);
[[nodiscard]] Answer cancel_operation(gateway::Gateway& gateway, const Request& request);

/// A line of JSON for each flow, however many there are.
[[nodiscard]] Answer stream_flows(gateway::Gateway& gateway, const Request& request);

}  // namespace headgate::http
