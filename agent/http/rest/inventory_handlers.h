// SPDX-License-Identifier: GPL-2.0-or-later
// What this gateway has, over HTTP: its firewalls, the stream exception policies that can be applied, the configuration
// in force. One function for each route.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

[[nodiscard]] Response list_firewalls(gateway::ManagedGateway& gateway, const Request& request);

[[nodiscard]] Response list_policies(gateway::ManagedGateway& gateway, const Request& request);

/// The one that the path names.
[[nodiscard]] Response show_named_policy(gateway::ManagedGateway& gateway, const Request& request);

[[nodiscard]] Response show_configuration(gateway::ManagedGateway& gateway, const Request& request);

}  // namespace headgate::http
