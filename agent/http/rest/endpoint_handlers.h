// SPDX-License-Identifier: GPL-2.0-or-later
// Flow tables and stream exception policies of endpoints over HTTP: one function per route.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

[[nodiscard]] Response show_flow_table(gateway::ManagedGateway& gateway, const Request& request);

[[nodiscard]] Response show_policy(gateway::ManagedGateway& gateway, const Request& request);
[[nodiscard]] Response apply_policy(gateway::ManagedGateway& gateway, const Request& request);
[[nodiscard]] Response remove_policy(gateway::ManagedGateway& gateway, const Request& request);

}  // namespace headgate::http
