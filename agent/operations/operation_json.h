// An operation as JSON, without its flows. Keys are a stable interface (docs/output.md).
#pragma once

#include <fmt/format.h>

#include "headgate/flow_operation.h"

#include "flow/json_members.h"

namespace headgate::operations {

/// Appends the members known at the start, without braces, so that more can follow.
void append_request_members(fmt::memory_buffer& out, const FlowOperation& operation);

/// Appends the members known at the end, after a comma.
void append_result_members(fmt::memory_buffer& out, const FlowOperation& operation);

/// Both, as one object.
void append_operation_json(fmt::memory_buffer& out, const FlowOperation& operation);

// Parts for use in other objects.
void add_query(JsonMembers& members, const FlowQuery& query);
void add_query_of(JsonMembers& members, const FlowOperation& operation);  ///< without states that are the default
void add_endpoint(JsonMembers& members, const Endpoint& endpoint);
void add_caller(JsonMembers& members, const Caller& caller);
void add_counts(JsonMembers& members, const OperationCounts& counts);

}  // namespace headgate::operations
