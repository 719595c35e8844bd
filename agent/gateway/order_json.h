// What somebody orders from a gateway, as JSON and back. What is read is hostile: every error names the member and the
// rule, and a member that is not known is one.
#pragma once

#include <fmt/format.h>

#include <string>

#include "headgate/result.h"

#include "gateway/gateway.h"

namespace headgate::gateway {

/// Appends an object without caller and token, which are told beside it. An error where the order holds what cannot be
/// told: rows of a file, a network namespace.
[[nodiscard]] Result<void> append_order_json(fmt::memory_buffer& out, const OperationOrder& order);
[[nodiscard]] Result<void> append_policy_order_json(fmt::memory_buffer& out, const PolicyOrder& order);

/// The query comes back validated.
[[nodiscard]] Result<OperationOrder> read_order_json(const std::string& text);

/// Without the endpoint.
[[nodiscard]] Result<PolicyOrder> read_policy_order_json(const std::string& text);

/// The name of a policy that somebody far away may name: a file of theirs is none of ours.
[[nodiscard]] Result<std::string> parse_remote_policy(std::string_view text);

}  // namespace headgate::gateway
