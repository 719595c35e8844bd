// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/shapes.h"

#include <algorithm>

#include "base/scalars.h"
#include "base/text.h"

namespace headgate::http::aws {
namespace {

constexpr std::string_view kArnBegin = "arn:aws";
constexpr std::string_view kEndpointBegin = "vpce-";
constexpr std::string_view kUuidShape = "00000000-0000-0000-0000-000000000000";
constexpr std::size_t kLongestArn = 256;
constexpr std::size_t kLongestEndpointId = 256;
constexpr std::size_t kLongestAddress = 255;
constexpr std::size_t kLongestStatusMessage = 256;

constexpr bool is_lower_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

Result<std::string> parse_arn(std::string_view text) {
    if (text.size() <= kLongestArn && text.starts_with(kArnBegin)) return std::string{text};
    return invalid("an ARN begins with {} and has {} characters at most", kArnBegin, kLongestArn);
}

Result<std::string> parse_vpc_endpoint_id(std::string_view text) {
    const auto is_part = [](char c) { return fits_name(c) && c != '-'; };
    const bool fits = text.size() <= kLongestEndpointId && text.starts_with(kEndpointBegin) &&
                      std::ranges::all_of(text.substr(kEndpointBegin.size()), is_part);
    if (fits) return std::string{text};
    return invalid("an endpoint's id is {} and letters or digits, {} characters at most", kEndpointBegin,
                   kLongestEndpointId);
}

Result<Prefix> parse_address_definition(std::string_view text) {
    if (!text.empty() && text.size() <= kLongestAddress) return parse_prefix(text);
    return invalid("an address or a prefix has 1 to {} characters, not {}", kLongestAddress, text.size());
}

Result<Protocol> parse_protocol_number(std::string_view text) {
    if (const auto number = parse_unsigned<std::uint8_t>(text)) return Protocol{*number};
    return invalid("\"{}\" is not the number of a protocol, from 0 to 255, as IANA assigns them", text);
}

std::string protocol_number(Protocol protocol) {
    return fmt::format("{}", static_cast<unsigned>(protocol));
}

Result<std::string> parse_uuid(std::string_view text) {
    const auto same_shape = [](char shape, char c) { return shape == '-' ? c == '-' : is_lower_hex(c); };
    if (std::ranges::equal(kUuidShape, text, same_shape)) return std::string{text};
    return invalid("\"{}\" is not a UUID in lower case", text);
}

std::string status_message_of(std::string_view text) {
    std::string message{text.substr(0, kLongestStatusMessage)};
    std::ranges::replace_if(
        message, [](char c) { return !fits_name(c); }, ' ');
    return message;
}

void take_number(JsonReader& reader, std::string_view name, std::int32_t& slot, std::int32_t lowest,
                 std::int32_t highest) {
    std::int64_t number = slot;
    reader.optional_number(name, number);
    if (number < lowest || number > highest) {
        return reader.fail(name, invalid("{} is not a number from {} to {}", number, lowest, highest));
    }
    slot = static_cast<std::int32_t>(number);
}

void add_status_message(JsonMembers& members, const FlowOperation& operation) {
    const auto unknown = operation.counts.age_unknown;
    if (!operation.status_message.empty()) {
        members.text("StatusMessage", status_message_of(operation.status_message));
    } else if (unknown != 0) {
        members.text("StatusMessage", fmt::format("{} flows of unknown age were left out", unknown));
    }
}

}  // namespace headgate::http::aws
