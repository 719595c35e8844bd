// SPDX-License-Identifier: GPL-2.0-or-later
// AWS Network Firewall's firewall policies, reduced to the stream exception policy: each firewall has one, which
// represents what is in force on its endpoints. Each function handles one call and returns a JSON object. Thread-safe.
#pragma once

#include <string>

#include "headgate/result.h"

#include "flow/json_reader.h"
#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http::aws {

/// StreamExceptionPolicy is present where all endpoints have the same one in force. The UpdateToken changes with what
/// is in force on any of them.
[[nodiscard]] Result<std::string> describe_firewall_policy(const Request& request, JsonReader& reader,
                                                           gateway::Inventory& inventory,
                                                           gateway::StreamExceptionPolicies& policies);

/// DROP, REJECT and CONTINUE apply the policies `drop`, `reject` and `continue` on every endpoint whose policy, of
/// whatever name, does not already do the same; without StreamExceptionPolicy nothing changes. All endpoints change or
/// none: the error lists those that could not be restored. An UpdateToken that is not current is Outdated.
[[nodiscard]] Result<std::string> update_firewall_policy(const Request& request, JsonReader& reader,
                                                         gateway::Inventory& inventory,
                                                         gateway::StreamExceptionPolicies& policies,
                                                         gateway::RefusedRequests& refused_requests);

}  // namespace headgate::http::aws
