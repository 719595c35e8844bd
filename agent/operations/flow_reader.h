// Reads one flow back from the JSON that append_flow_json() wrote.
#pragma once

#include "headgate/operation_store.h"
#include "headgate/result.h"

#include "flow/json_reader.h"

namespace headgate::operations {

/// What is needed to find the flow again is insisted on; what only describes it may be missing.
[[nodiscard]] Result<Flow> read_flow(const JsonObject& object);

/// The same with what an operation did to it. A flow that is over gets its end back from its age, to the second, so
/// that it is told again as it was.
[[nodiscard]] Result<StoredFlow> read_stored_flow(const JsonObject& object);

}  // namespace headgate::operations
