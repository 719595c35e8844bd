// FlowFilters and MinimumFlowAgeInSeconds: what flows an operation is about, read and told. Thread-safe.
#pragma once

#include "headgate/flow_filter.h"
#include "headgate/flow_query.h"
#include "headgate/result.h"

#include "flow/json_members.h"
#include "flow/json_reader.h"

namespace headgate::http::aws {

/// At least one filter and kMaxFilters at most, each with source and destination of one family. Filters look at flows
/// as their initiators sent them, in that direction.
void take_flow_query(JsonReader& reader, FlowQuery& query);

/// Nobody flushes everything by leaving something out: an error that names a filter which leaves no flow out, and how
/// to say so if it is meant.
[[nodiscard]] Result<void> check_limits(const FlowQuery& query);

/// As it was asked. What was absent is absent.
void add_flow_query(JsonMembers& members, const FlowQuery& query);

/// `"SourceAddress": {"AddressDefinition": "192.0.2.0/24"}`
void add_address(JsonMembers& members, std::string_view name, std::string_view definition);

}  // namespace headgate::http::aws
