// The flows of an operation as AWS Network Firewall tells them, page by page. Thread-safe.
#pragma once

#include <string>

#include "headgate/result.h"

#include "flow/json_reader.h"
#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http::aws {

/// Answers with the text of a JSON object. Of a capture, every flow; of a flush, those that it has really flushed. None
/// of an operation that is in progress or has failed. NextToken is there when a further flow is.
[[nodiscard]] Result<std::string> list_flow_operation_results(gateway::ManagedGateway& gateway, const Request& request,
                                                              JsonReader& reader);

}  // namespace headgate::http::aws
