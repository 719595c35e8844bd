// SPDX-License-Identifier: GPL-2.0-or-later
// FlowFilters and MinimumFlowAgeInSeconds, parsed and written. Thread-safe.
#pragma once

#include "headgate/flow_filter.h"
#include "headgate/flow_query.h"
#include "headgate/result.h"

#include "flow/json_members.h"
#include "flow/json_reader.h"

namespace headgate::http::aws {

/// 1 to kMaxFilters filters, each with source and destination of one address family. They match original addresses, in
/// the initiator's direction.
void take_flow_query(JsonReader& reader, FlowQuery& query);

/// Prevents an accidental flush of everything: the error names a filter that matches every flow, and how to express it
/// deliberately.
[[nodiscard]] Result<void> check_limits(const FlowQuery& query);

/// Writes the query as it was requested, without absent members.
void add_flow_query(JsonMembers& members, const FlowQuery& query);

/// `"SourceAddress": {"AddressDefinition": "192.0.2.0/24"}`
void add_address(JsonMembers& members, std::string_view name, std::string_view definition);

}  // namespace headgate::http::aws
