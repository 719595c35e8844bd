// SPDX-License-Identifier: GPL-2.0-or-later
// Flow operations over HTTP: one function for each route.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// 202 with the operation. The header Idempotency-Key: one that is asked for again is not started again.
[[nodiscard]] Response start_operation(gateway::ManagedGateway& gateway, const Request& request);

/// Newest first; `next_cursor` where there may be more.
[[nodiscard]] Response list_operations(gateway::ManagedGateway& gateway, const Request& request);

/// With `wait_ms`, waits for its end for so long, half a minute at most.
[[nodiscard]] Response show_operation(gateway::ManagedGateway& gateway, const Request& request);
[[nodiscard]] Response cancel_operation(gateway::ManagedGateway& gateway, const Request& request);

}  // namespace headgate::http
