// An operation as the store keeps it: what nobody searches for, in one JSON document. Unlike the JSON that users are
// shown (operation_json.h) it is read back, and comes back equal.
#pragma once

#include <string>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

namespace headgate::operations {

/// Everything but id, type, status, firewall, availability zone and time of the request.
[[nodiscard]] std::string to_document(const FlowOperation& operation);

/// Adds what a document says.
[[nodiscard]] Result<void> take_document(const std::string& document, FlowOperation& operation);

}  // namespace headgate::operations
