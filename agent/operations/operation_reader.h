// Parses the JSON of operation_json.h.
#pragma once

#include <string>
#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "flow/json_reader.h"

namespace headgate::operations {

/// Lossless, except that an ended operation has no phase, and times are in milliseconds.
void take_operation(JsonReader& reader, FlowOperation& operation);

/// Parses the output of add_query(). Validates single filters, not the query as a whole.
void take_query(JsonReader& reader, FlowQuery& query);

/// Filters in the command line's syntax.
void take_filter_texts(JsonReader& reader, const std::string& name, std::vector<FlowFilter>& filters);

/// Parses the output of add_endpoint().
void take_endpoint(JsonReader& reader, Endpoint& endpoint);

[[nodiscard]] Result<OperationType> parse_type(std::string_view text);
[[nodiscard]] Result<OperationStatus> parse_status(std::string_view text);

}  // namespace headgate::operations
