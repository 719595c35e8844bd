// SPDX-License-Identifier: GPL-2.0-or-later
// The actions of AWS Network Firewall's API that headgate has. Each function handles one call, with the parts of the
// gateway that it uses, and returns a JSON object. Thread-safe.
#pragma once

#include <string>

#include "headgate/result.h"

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

/// Every flow of a capture, or the flows that a flush has ended; none while the operation is in progress or if it
/// failed. NextToken is present where more flows follow.
[[nodiscard]] Result<std::string> list_flow_operation_results(const Request& request, JsonReader& reader,
                                                              gateway::Inventory& inventory,
                                                              gateway::FlowOperations& operations);

/// In the order of the configuration.
[[nodiscard]] Result<std::string> list_firewalls(const Request& request, JsonReader& reader,
                                                 gateway::Inventory& inventory);

/// One subnet mapping per availability zone, with its endpoint's id.
[[nodiscard]] Result<std::string> describe_firewall(const Request& request, JsonReader& reader,
                                                    gateway::Inventory& inventory);

/// Each firewall has one policy, reduced to the stream exception policy, which represents what is in force on its
/// endpoints: StreamExceptionPolicy is present where all have the same one. The UpdateToken changes with what is in
/// force on any of them.
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
