// SPDX-License-Identifier: GPL-2.0-or-later
// Flow tables and stream exception policies of endpoints over HTTP: one function per route.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

[[nodiscard]] Response show_flow_table(const Request& request, gateway::FlowTables& tables);

[[nodiscard]] Response show_policy(const Request& request, gateway::StreamExceptionPolicies& policies);
[[nodiscard]] Response apply_policy(const Request& request, gateway::StreamExceptionPolicies& policies);
[[nodiscard]] Response remove_policy(const Request& request, gateway::StreamExceptionPolicies& policies);

}  // namespace headgate::http
