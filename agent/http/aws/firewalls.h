// SPDX-License-Identifier: GPL-2.0-or-later
// Firewalls in AWS Network Firewall's terms, as far as clients need them to find endpoints. Each function handles one
// call and returns a JSON object. Thread-safe.
#pragma once

#include <string>

#include "headgate/result.h"

#include "flow/json_reader.h"
#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http::aws {

/// Lists firewalls in the order of the configuration.
[[nodiscard]] Result<std::string> list_firewalls(const Request& request, JsonReader& reader,
                                                 gateway::Inventory& inventory);

/// One subnet mapping per availability zone, with its endpoint's id.
[[nodiscard]] Result<std::string> describe_firewall(const Request& request, JsonReader& reader,
                                                    gateway::Inventory& inventory);

}  // namespace headgate::http::aws
