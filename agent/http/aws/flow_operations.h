// Flow operations as AWS Network Firewall has them: started, described, listed. Each function answers one call with the
// text of a JSON object. Thread-safe.
#pragma once

#include <string>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "flow/json_members.h"
#include "flow/json_reader.h"
#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http::aws {

/// Starts it, once for each `amz-sdk-invocation-id` of a caller: that is the same on every retry of a call, and the
/// protocol has no other token. Refused with EBUSY while another one runs on the endpoint.
[[nodiscard]] Result<std::string> start_flow_capture(gateway::ManagedGateway& gateway, const Request& request,
                                                     JsonReader& reader);
[[nodiscard]] Result<std::string> start_flow_flush(gateway::ManagedGateway& gateway, const Request& request,
                                                   JsonReader& reader);

[[nodiscard]] Result<std::string> describe_flow_operation(gateway::ManagedGateway& gateway, const Request& request,
                                                          JsonReader& reader);

/// Newest first; of all zones where none is named.
[[nodiscard]] Result<std::string> list_flow_operations(gateway::ManagedGateway& gateway, const Request& request,
                                                       JsonReader& reader);

/// What an operation and its results both tell: where it was, its id, when and how it went.
void add_operation(JsonMembers& members, const config::Configuration& configuration, const FlowOperation& operation);

}  // namespace headgate::http::aws
