// SPDX-License-Identifier: GPL-2.0-or-later
// Rules for single members, from AWS Network Firewall's service model (API version 2020-11-12) and API reference.
// Errors state the rule; JsonReader prepends the member's path. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headgate/address.h"
#include "headgate/flow_operation.h"
#include "headgate/protocol.h"
#include "headgate/result.h"

#include "flow/json_members.h"
#include "flow/json_reader.h"

namespace headgate::http::aws {

inline constexpr std::int32_t kLargestPage = 100;  ///< MaxResults, and its default

/// ResourceArn: 1 to 256 characters, beginning with `arn:aws`.
[[nodiscard]] Result<std::string> parse_arn(std::string_view text);

/// VpcEndpointId: 5 to 256 characters, `vpce-` and letters or digits.
[[nodiscard]] Result<std::string> parse_vpc_endpoint_id(std::string_view text);

/// AddressDefinition: 1 to 255 characters, an address or a prefix.
[[nodiscard]] Result<Prefix> parse_address_definition(std::string_view text);

/// An IANA protocol number; names are refused.
[[nodiscard]] Result<Protocol> parse_protocol_number(std::string_view text);
[[nodiscard]] std::string protocol_number(Protocol protocol);

/// FlowOperationId and UpdateToken: a UUID in lower case.
[[nodiscard]] Result<std::string> parse_uuid(std::string_view text);

/// StatusMessage allows 256 letters, digits, hyphens and spaces: any other character becomes a space.
[[nodiscard]] std::string status_message_of(std::string_view text);

/// A number that may be absent, within these limits.
void take_number(JsonReader& reader, std::string_view name, std::int32_t& slot, std::int32_t lowest,
                 std::int32_t highest);

/// Writes StatusMessage if there is one; it also reports flows left out because the kernel does not know their age.
void add_status_message(JsonMembers& members, const FlowOperation& operation);

}  // namespace headgate::http::aws
