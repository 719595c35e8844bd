// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/flow_filters.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "http/aws/shapes.h"

namespace headgate::http::aws {
namespace {

void take_address(JsonReader& reader, const std::string& name, std::optional<Prefix>& prefix) {
    reader.optional_object(
        name, [&](JsonReader& address) { address.parsed("AddressDefinition", prefix, parse_address_definition); });
}

Result<void> of_one_family(const FlowFilter& filter) {
    return validated(filter).map([](const FlowFilter&) {});
}

void take_flow_filter(JsonReader& reader, FlowFilter& filter) {
    take_address(reader, "SourceAddress", filter.source);
    take_address(reader, "DestinationAddress", filter.destination);
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

void take_flow_query(JsonReader& reader, FlowQuery& query) {
    reader.objects("FlowFilters", query.filters, take_flow_filter);
    if (query.filters.empty()) reader.fail("FlowFilters", invalid("empty: name the flows, or an empty filter for all"));
    if (query.filters.size() > kMaxFilters) {
        reader.fail("FlowFilters",
                    invalid("{} filters; an operation takes {} at most", query.filters.size(), kMaxFilters));
    }
    std::int32_t minimum_age = 0;
    take_number(reader, "MinimumFlowAgeInSeconds", minimum_age, 0, INT32_MAX);
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

}  // namespace headgate::http::aws
