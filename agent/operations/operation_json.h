// An operation as JSON, without its flows. Keys are a promise to users (docs/output.md).
#pragma once

#include <fmt/format.h>

#include "headgate/flow_operation.h"

#include "flow/json_members.h"

namespace headgate::operations {

/// Appends what is known when an operation begins: the members without the braces, so that more can follow.
void append_request_members(fmt::memory_buffer& out, const FlowOperation& operation);

/// Appends what is known when it has ended, with a comma in front.
void append_result_members(fmt::memory_buffer& out, const FlowOperation& operation);

/// Both, as one object.
void append_operation_json(fmt::memory_buffer& out, const FlowOperation& operation);

// Parts of it, for other objects that have them.
void add_query(JsonMembers& members, const FlowQuery& query);
void add_query_of(JsonMembers& members, const FlowOperation& operation);  ///< without a state that is its default
void add_endpoint(JsonMembers& members, const Endpoint& endpoint);
void add_caller(JsonMembers& members, const Caller& caller);
void add_counts(JsonMembers& members, const OperationCounts& counts);

}  // namespace headgate::operations
