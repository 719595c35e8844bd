// SPDX-License-Identifier: GPL-2.0-or-later
// Flow operations over HTTP: one function per route.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// Answers 202 with the operation. A request with an Idempotency-Key that is already known starts no other operation.
[[nodiscard]] Response start_operation(const Request& request, gateway::FlowOperations& operations);

/// Newest first; with `next_cursor` if there may be more.
[[nodiscard]] Response list_operations(const Request& request, gateway::FlowOperations& operations);

/// With `wait_ms`, waits up to that many milliseconds for the operation to end; 30 seconds at most.
[[nodiscard]] Response show_operation(const Request& request, gateway::FlowOperations& operations);
[[nodiscard]] Response cancel_operation(const Request& request, gateway::FlowOperations& operations);

}  // namespace headgate::http
