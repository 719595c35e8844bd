// Reads back what operation_json.h writes.
#pragma once

#include <string>
#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "flow/json_reader.h"

namespace headgate::operations {

/// The phase of one that has ended is not told, and times are told to the millisecond. All else comes back as it was.
[[nodiscard]] Result<FlowOperation> read_operation(const JsonObject& object);

/// What add_query() writes. Filters are checked one by one, the query as a whole is not.
void take_query(JsonReader& reader, FlowQuery& query);

/// Filters in the command line's grammar.
void take_filter_texts(JsonReader& reader, const std::string& name, std::vector<FlowFilter>& filters);

/// What add_endpoint() writes.
void take_endpoint(JsonReader& reader, Endpoint& endpoint);

}  // namespace headgate::operations
