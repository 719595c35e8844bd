// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's inventory over HTTP: firewalls, available stream exception policies, the configuration in force. One
// function per route.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

[[nodiscard]] Response list_firewalls(gateway::ManagedGateway& gateway, const Request& request);

[[nodiscard]] Response list_policies(gateway::ManagedGateway& gateway, const Request& request);

/// The policy named in the path.
[[nodiscard]] Response show_named_policy(gateway::ManagedGateway& gateway, const Request& request);

[[nodiscard]] Response show_configuration(gateway::ManagedGateway& gateway, const Request& request);

}  // namespace headgate::http
