// The JSON document that stores an operation's unindexed members. Unlike the JSON for users (operation_json.h), it is
// parsed again, without loss.
#pragma once

#include <string>
#include <string_view>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

namespace headgate::operations {

/// All members but id, type, status, firewall, availability zone and request time.
[[nodiscard]] std::string to_document(const FlowOperation& operation);

/// Adds the members of a document.
[[nodiscard]] Result<void> take_document(std::string_view document, FlowOperation& operation);

}  // namespace headgate::operations
