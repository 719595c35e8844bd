// What a gateway answers, as JSON and back: the same on the command line and over HTTP. Keys are a promise to users
// (docs/output.md).
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "flow/json_members.h"
#include "gateway/gateway.h"

namespace headgate::gateway {

/// One object, a line for each kind of flow.
void append_census_json(fmt::memory_buffer& out, const TableCensus& census);

/// What of it is about one kind of flow.
void append_kind_json(fmt::memory_buffer& out, const FlowKind& kind, std::uint64_t count);

/// One object without a line end. `message`: what is to be said of the condition, if anything.
void append_policy_status_json(fmt::memory_buffer& out, const Endpoint& endpoint, const RulesetStatus& status,
                               std::string_view message);

/// The same with what is beside it, so that it can be read back.
void append_endpoint_policy_json(fmt::memory_buffer& out, const EndpointPolicy& policy);

// Parts of it, for other objects that have them.
void add_usage(JsonMembers& members, const TableCensus& census);
void add_counter(JsonMembers& members, const PolicyCounter& counter);

/// What the kernel tells of a policy in force, too.
void add_policy_rules(JsonMembers& members, const StreamExceptionPolicy& policy);

/// A policy as its file says it, without a line end. `file`: where it was read, if that is to be told.
void append_policy_json(fmt::memory_buffer& out, const StreamExceptionPolicy& policy, std::string_view file = {});

/// `{"operations": [...]}`, a line each. `next_cursor`: where the list goes on; empty where it does not.
void append_operations_json(fmt::memory_buffer& out, const std::vector<FlowOperation>& listed,
                            std::string_view next_cursor = {});

[[nodiscard]] Result<TableCensus> read_census_json(const std::string& text);
[[nodiscard]] Result<EndpointPolicy> read_endpoint_policy_json(const std::string& text);
[[nodiscard]] Result<FlowOperation> read_operation_json(const std::string& text);
[[nodiscard]] Result<std::vector<FlowOperation>> read_operations_json(const std::string& text);

}  // namespace headgate::gateway
