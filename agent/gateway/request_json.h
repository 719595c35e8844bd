// SPDX-License-Identifier: GPL-2.0-or-later
// Requests to a gateway as JSON, written and parsed. The input is hostile: errors name the member and the rule, and
// unknown members are errors.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>

#include "headgate/result.h"

#include "gateway/gateway.h"

namespace headgate::gateway {

/// Appends an object without caller and token, which are sent separately. An error where the request cannot be
/// expressed: rows of a file, a network namespace.
[[nodiscard]] Result<void> append_request_json(fmt::memory_buffer& out, const OperationRequest& request);
[[nodiscard]] Result<void> append_policy_request_json(fmt::memory_buffer& out, const PolicyRequest& request);

/// The query is validated. On an error, too, `request` has the valid parts, for the record of the refusal; it is absent
/// if the text does not say which type of operation.
[[nodiscard]] Result<void> read_request_json(const std::string& text, std::optional<OperationRequest>& request);

/// The same without the valid parts.
[[nodiscard]] Result<OperationRequest> read_request_json(const std::string& text);

/// Without the endpoint. On an error, too, `request` has the valid parts.
[[nodiscard]] Result<void> read_policy_request_json(const std::string& text, PolicyRequest& request);

/// The name of a policy from a remote client, which must not name a file of this machine.
[[nodiscard]] Result<std::string> parse_remote_policy(std::string_view text);

}  // namespace headgate::gateway
