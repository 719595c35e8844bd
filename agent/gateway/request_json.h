// SPDX-License-Identifier: GPL-2.0-or-later
// Requests to a gateway as JSON, written and parsed. The input is hostile: errors name the member and the rule, and
// unknown members are errors.
#pragma once

#include <fmt/format.h>

#include <string>

#include "headgate/result.h"

#include "gateway/gateway.h"

namespace headgate::gateway {

/// Appends an object without caller and token, which are sent separately. An error where the request cannot be
/// expressed: rows of a file, a network namespace.
[[nodiscard]] Result<void> append_request_json(fmt::memory_buffer& out, const OperationRequest& request);
[[nodiscard]] Result<void> append_policy_request_json(fmt::memory_buffer& out, const PolicyRequest& request);

/// The query is validated.
[[nodiscard]] Result<OperationRequest> read_request_json(const std::string& text);

/// Without the endpoint.
[[nodiscard]] Result<PolicyRequest> read_policy_request_json(const std::string& text);

/// The name of a policy from a remote client, which must not name a file of this machine.
[[nodiscard]] Result<std::string> parse_remote_policy(std::string_view text);

}  // namespace headgate::gateway
