// SPDX-License-Identifier: GPL-2.0-or-later
// Who asks, as the agent sees them, and whether what they are about to order would be understood: what a user interface
// wants to know before it offers anything.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

[[nodiscard]] Response show_session(gateway::ManagedGateway& gateway, const Request& request);

/// Reads an order as start_operation() does, and starts nothing.
[[nodiscard]] Response check_order(gateway::ManagedGateway& gateway, const Request& request);

}  // namespace headgate::http
