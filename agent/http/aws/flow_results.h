// SPDX-License-Identifier: GPL-2.0-or-later
// Pages of an operation's flows in AWS Network Firewall's form. Thread-safe.
#pragma once

#include <string>

#include "headgate/result.h"

#include "flow/json_reader.h"
#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http::aws {

/// Returns a JSON object with every flow of a capture, or the flows that a flush has ended; none while the operation is
/// in progress or if it failed. NextToken is present where more flows follow.
[[nodiscard]] Result<std::string> list_flow_operation_results(const Request& request, JsonReader& reader,
                                                              gateway::Inventory& inventory,
                                                              gateway::FlowOperations& operations);

}  // namespace headgate::http::aws
