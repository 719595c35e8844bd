// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's inventory over HTTP: firewalls, available stream exception policies, the configuration in force. One
// function per route.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

[[nodiscard]] Response list_firewalls(const Request& request, gateway::Inventory& inventory);

[[nodiscard]] Response list_policies(const Request& request, gateway::Inventory& inventory);

/// The policy named in the path.
[[nodiscard]] Response show_named_policy(const Request& request, gateway::Inventory& inventory);

[[nodiscard]] Response show_configuration(const Request& request, gateway::Inventory& inventory);

}  // namespace headgate::http
