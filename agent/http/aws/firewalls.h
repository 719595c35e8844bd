// Firewalls as AWS Network Firewall tells them: enough of them to find one's way. Each function answers one call with
// the text of a JSON object. Thread-safe.
#pragma once

#include <string>

#include "headgate/result.h"

#include "flow/json_reader.h"
#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http::aws {

/// In the configuration's order.
[[nodiscard]] Result<std::string> list_firewalls(gateway::ManagedGateway& gateway, const Request& request,
                                                 JsonReader& reader);

/// One subnet mapping for each availability zone, with the id of the endpoint there.
[[nodiscard]] Result<std::string> describe_firewall(gateway::ManagedGateway& gateway, const Request& request,
                                                    JsonReader& reader);

}  // namespace headgate::http::aws
