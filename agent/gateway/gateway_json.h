// SPDX-License-Identifier: GPL-2.0-or-later
// JSON of a gateway's answers, written and parsed; the same on the command line and over HTTP. Keys are a stable
// interface (docs/output.md).
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "flow/json_members.h"
#include "gateway/gateway.h"

namespace headgate::gateway {

/// One object, with a line for each kind of flow.
void append_table_json(fmt::memory_buffer& out, const TableStatistics& statistics);

/// The members about one kind of flow.
void append_kind_json(fmt::memory_buffer& out, const FlowKind& kind, std::uint64_t count);

/// One object without a line end. `message`: remark on the condition, may be empty.
void append_policy_status_json(fmt::memory_buffer& out, const Endpoint& endpoint, const RulesetStatus& status,
                               std::string_view message);

/// Likewise with endpoint and warnings, so that it can be parsed again.
void append_endpoint_policy_json(fmt::memory_buffer& out, const EndpointPolicy& policy);

// Parts for use in other objects.
void add_usage(JsonMembers& members, const TableStatistics& statistics);
void add_counter(JsonMembers& members, const PolicyCounter& counter);

/// The rules that the kernel reports for a policy in force.
void add_policy_rules(JsonMembers& members, const StreamExceptionPolicy& policy);

/// A policy as in its file, without a line end. `file`: the file's path; omitted if empty.
void append_policy_json(fmt::memory_buffer& out, const StreamExceptionPolicy& policy, std::string_view file = {});

/// `{"operations": [...]}`, one per line. `next_cursor`: where the list continues; empty at its end.
void append_operations_json(fmt::memory_buffer& out, const std::vector<FlowOperation>& listed,
                            std::string_view next_cursor = {});

[[nodiscard]] Result<TableStatistics> read_table_json(const std::string& text);
[[nodiscard]] Result<EndpointPolicy> read_endpoint_policy_json(const std::string& text);
[[nodiscard]] Result<FlowOperation> read_operation_json(const std::string& text);
[[nodiscard]] Result<std::vector<FlowOperation>> read_operations_json(const std::string& text);

}  // namespace headgate::gateway
