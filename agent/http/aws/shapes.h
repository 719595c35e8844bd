// SPDX-License-Identifier: GPL-2.0-or-later
// Members of AWS requests and responses, parsed and written by the rules of AWS Network Firewall's service model (API
// version 2020-11-12) and API reference. Errors state the rule; JsonReader prepends the member's path. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headgate/address.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_query.h"
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

/// NextToken, `operations:5f0a...`: a list, and the position in it at which it continues. 1 to 4096 characters of
/// `0-9A-Za-z:/+=`; so the hyphens of names and UUIDs are written as slashes, which these never contain.
[[nodiscard]] std::string next_token(std::string_view list, std::string_view place);

/// Returns the position. An error where this list did not issue the token.
[[nodiscard]] Result<std::string> parse_next_token(std::string_view list, std::string_view token);

/// FlowFilters and MinimumFlowAgeInSeconds: 1 to kMaxFilters filters, each with source and destination of one address
/// family. They match original addresses, in the initiator's direction.
void read_flow_query(JsonReader& reader, FlowQuery& query);

/// Prevents an accidental flush of everything: the error names a filter that matches every flow, and how to express it
/// deliberately.
[[nodiscard]] Result<void> check_limits(const FlowQuery& query);

/// Writes the query as it was requested, without absent members.
void add_flow_query(JsonMembers& members, const FlowQuery& query);

/// `"SourceAddress": {"AddressDefinition": "192.0.2.0/24"}`
void add_address(JsonMembers& members, std::string_view name, std::string_view definition);

/// A number that may be absent, within these limits.
void read_number(JsonReader& reader, std::string_view name, std::int32_t& slot, std::int32_t lowest,
                 std::int32_t highest);

/// Writes StatusMessage if there is one; it also reports flows left out because the kernel does not know their age.
void add_status_message(JsonMembers& members, const FlowOperation& operation);

/// Seconds since 1970, with milliseconds, as a number: the JavaScript SDK rejects a string.
void add_timestamp(JsonMembers& members, std::string_view name, Timestamp time);

}  // namespace headgate::http::aws
