// SPDX-License-Identifier: GPL-2.0-or-later
// AWS Network Firewall's flow operations: start, describe, list. Each function handles one call and returns a JSON
// object. Thread-safe.
#pragma once

#include <string>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "flow/json_members.h"
#include "flow/json_reader.h"
#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http::aws {

/// Starts one operation per `amz-sdk-invocation-id` and caller: the id is the same on every retry of a call, and the
/// protocol has no other token. Busy while another operation runs on the endpoint.
[[nodiscard]] Result<std::string> start_flow_capture(const Request& request, JsonReader& reader,
                                                     gateway::Inventory& inventory, gateway::FlowOperations& operations,
                                                     gateway::RefusedRequests& refused_requests);
[[nodiscard]] Result<std::string> start_flow_flush(const Request& request, JsonReader& reader,
                                                   gateway::Inventory& inventory, gateway::FlowOperations& operations,
                                                   gateway::RefusedRequests& refused_requests);

[[nodiscard]] Result<std::string> describe_flow_operation(const Request& request, JsonReader& reader,
                                                          gateway::Inventory& inventory,
                                                          gateway::FlowOperations& operations);

/// Newest first; without a zone, of all zones.
[[nodiscard]] Result<std::string> list_flow_operations(const Request& request, JsonReader& reader,
                                                       gateway::Inventory& inventory,
                                                       gateway::FlowOperations& operations);

/// Members common to an operation and its results: endpoint, id, times and status.
void add_operation(JsonMembers& members, const config::Configuration& configuration, const FlowOperation& operation);

}  // namespace headgate::http::aws
