// SPDX-License-Identifier: GPL-2.0-or-later
// For user interfaces: the caller's identity and permissions as the agent determined them, and the validation of a
// request for an operation before it is sent.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

[[nodiscard]] Response show_session(const Request& request);

/// Validates a request as start_operation() does, but starts nothing.
[[nodiscard]] Response validate_request(const Request& request, gateway::Inventory& inventory);

}  // namespace headgate::http
