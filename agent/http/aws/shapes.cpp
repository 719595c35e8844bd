// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/shapes.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

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

constexpr std::size_t kLongestToken = 4096;

constexpr bool fits_token(char c) {
    return is_letter_or_digit(c) || std::string_view{":/+="}.find(c) != std::string_view::npos;
}

void read_address(JsonReader& reader, const std::string& name, std::optional<Prefix>& prefix) {
    reader.optional_object(
        name, [&](JsonReader& address) { address.parsed("AddressDefinition", prefix, parse_address_definition); });
}

Result<void> of_one_family(const FlowFilter& filter) {
    return validated(filter).map([](const FlowFilter&) {});
}

void read_flow_filter(JsonReader& reader, FlowFilter& filter) {
    read_address(reader, "SourceAddress", filter.source);
    read_address(reader, "DestinationAddress", filter.destination);
    reader.optional_parsed("SourcePort", filter.source_port, parse_port_range);
    reader.optional_parsed("DestinationPort", filter.destination_port, parse_port_range);
    reader.optional_parsed_list("Protocols", filter.protocols, parse_protocol_number);
    reader.fail("DestinationAddress", of_one_family(filter));
}

void add_flow_filter(JsonMembers& members, const FlowFilter& filter) {
    if (filter.source) add_address(members, "SourceAddress", to_string(*filter.source));
    if (filter.destination) add_address(members, "DestinationAddress", to_string(*filter.destination));
    // AWS has no word for these, but without them the filter would look wider than it is.
    if (filter.translated_source) add_address(members, "TranslatedSourceAddress", to_string(*filter.translated_source));
    if (filter.translated_destination) {
        add_address(members, "TranslatedDestinationAddress", to_string(*filter.translated_destination));
    }
    if (filter.source_port) members.text("SourcePort", to_string(*filter.source_port));
    if (filter.destination_port) members.text("DestinationPort", to_string(*filter.destination_port));
    if (filter.protocols.empty()) return;
    std::vector<std::string> numbers;
    std::ranges::transform(filter.protocols, std::back_inserter(numbers), protocol_number);
    members.texts("Protocols", numbers);
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

void read_number(JsonReader& reader, std::string_view name, std::int32_t& slot, std::int32_t lowest,
                 std::int32_t highest) {
    std::int64_t number = slot;
    reader.optional_number(name, number);
    if (number < lowest || number > highest) {
        return reader.fail(name, invalid("{} is not a number from {} to {}", number, lowest, highest));
    }
    slot = static_cast<std::int32_t>(number);
}

std::string next_token(std::string_view list, std::string_view place) {
    auto token = fmt::format("{}:{}", list, place);
    std::ranges::replace(token, '-', '/');
    return token;
}

Result<std::string> parse_next_token(std::string_view list, std::string_view token) {
    if (token.empty() || token.size() > kLongestToken || !std::ranges::all_of(token, fits_token)) {
        return invalid("a token has 1 to {} characters of 0-9A-Za-z:/+=", kLongestToken);
    }
    if (take_until(token, ':') != list) return invalid("not a token that this operation has given");
    std::string place{token};
    std::ranges::replace(place, '/', '-');
    return place;
}

void read_flow_query(JsonReader& reader, FlowQuery& query) {
    reader.objects("FlowFilters", query.filters, read_flow_filter);
    if (query.filters.empty())
        reader.fail("FlowFilters", invalid("empty: name the flows; an empty filter captures all"));
    if (query.filters.size() > kMaxFilters) {
        reader.fail("FlowFilters",
                    invalid("{} filters; an operation takes {} at most", query.filters.size(), kMaxFilters));
    }
    std::int32_t minimum_age = 0;
    read_number(reader, "MinimumFlowAgeInSeconds", minimum_age, 0, INT32_MAX);
    query.minimum_age = std::chrono::seconds{minimum_age};
}

Result<void> check_limits(const FlowQuery& query) {
    const auto found = std::ranges::find_if(query.filters, &FlowFilter::matches_everything);
    if (found == query.filters.end()) return {};
    return invalid(
        "FlowFilters[{}]: leaves no flow out; to flush every flow, say so by two filters, with the addresses "
        "0.0.0.0/0 and ::/0",
        found - query.filters.begin());
}

void add_flow_query(JsonMembers& members, const FlowQuery& query) {
    members.number("MinimumFlowAgeInSeconds", query.minimum_age.count());
    members.objects("FlowFilters", query.filters, add_flow_filter);
}

void add_address(JsonMembers& members, std::string_view name, std::string_view definition) {
    members.object(name, [&](JsonMembers& address) { address.text("AddressDefinition", definition); });
}

void add_status_message(JsonMembers& members, const FlowOperation& operation) {
    const auto unknown = operation.counts.age_unknown;
    if (!operation.status_message.empty()) {
        members.text("StatusMessage", status_message_of(operation.status_message));
    } else if (unknown != 0) {
        members.text("StatusMessage", fmt::format("{} flows of unknown age were left out", unknown));
    }
}

void add_timestamp(JsonMembers& members, std::string_view name, Timestamp time) {
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
    members.number(name, fmt::format("{:.3f}", static_cast<double>(milliseconds) / 1000));
}

}  // namespace headgate::http::aws
