// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "base/text.h"
#include "flow/json_members.h"
#include "http/aws/actions.h"
#include "http/aws/firewall_names.h"
#include "http/aws/scope.h"
#include "http/aws/shapes.h"

namespace headgate::http::aws {
namespace {

constexpr std::string_view kOperationList = "operations";

/// Copies the valid parts of the call into `wanted`, so that the audit record of a refusal has them.
Result<void> read_start(const gateway::Inventory& inventory, const Request& request, JsonReader& reader,
                        FirewallReference& firewall, gateway::OperationRequest& wanted) {
    read_firewall_reference(reader, firewall);
    read_flow_query(reader, wanted.query);
    wanted.endpoint = {
        firewall.arn, firewall.availability_zone ? firewall.availability_zone : firewall.availability_zone_id, {}};
    RETURN_IF_ERROR(reader.finish());
    if (kind_of(wanted.type).changes_flows) {
        RETURN_IF_ERROR(check_limits(wanted.query));
    }
    ASSIGN_OR_RETURN(wanted.token, idempotency_token(request, "amz-sdk-invocation-id", "aws"));
    return find_scope(*inventory.configuration(), firewall).and_then(one_endpoint).map([&](EndpointName&& name) {
        wanted.endpoint = std::move(name);
    });
}

Result<std::string> start(OperationType type, const Request& request, JsonReader& reader, gateway::Inventory& inventory,
                          gateway::FlowOperations& operations, gateway::RefusedRequests& refused_requests) {
    FirewallReference firewall;
    gateway::OperationRequest wanted;
    wanted.type = type;
    wanted.caller = request.caller;
    wanted.own_flows = request.own_flows;
    if (auto read = read_start(inventory, request, reader, firewall, wanted); !read) {
        return tl::unexpected(refused_requests.refuse(wanted, std::move(read.error())));
    }
    return operations.start(wanted).map([&](const FlowOperation& started) {
        return json_of([&](JsonMembers& members) {
            members.text("FirewallArn", firewall.arn);
            members.text("FlowOperationId", started.id);
            members.text("FlowOperationStatus", to_string(started.status));
        });
    });
}

void add_listed_operation(JsonMembers& members, const FlowOperation& operation) {
    members.text("FlowOperationId", operation.id);
    members.text("FlowOperationType", to_string(operation.type));
    add_timestamp(members, "FlowRequestTimestamp", operation.requested_at);
    members.text("FlowOperationStatus", to_string(operation.status));
}

struct OperationListing {
    FirewallReference firewall;
    std::optional<OperationType> type;
    std::optional<std::string> behind;  ///< id of the last operation on the previous page
    std::int32_t page = kLargestPage;
};

/// One that AWS has.
Result<OperationType> parse_type(std::string_view text) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < kOperationKinds.size(); ++i)
        if (kOperationKinds[i].is_in_aws_api) names.push_back(kNames<OperationType>[i]);
    RETURN_IF_ERROR(find_name(names, text, LetterCase::Exact));
    return parse_name<OperationType>(text);
}

Result<OperationListing> read_operation_listing(JsonReader& reader) {
    OperationListing listing;
    read_firewall_reference(reader, listing.firewall);
    reader.optional_parsed("FlowOperationType", listing.type, parse_type);
    reader.optional_parsed("NextToken", listing.behind, [](std::string_view token) {
        return parse_next_token(kOperationList, token).and_then([](const std::string& id) { return parse_uuid(id); });
    });
    read_number(reader, "MaxResults", listing.page, 1, kLargestPage);
    return reader.finish().map([&] { return std::move(listing); });
}

/// Up to `selection.at_most` operations within the scope that AWS has.
Result<std::vector<FlowOperation>> list_within(gateway::FlowOperations& operations, const Scope& scope,
                                               OperationSelection selection) {
    std::vector<FlowOperation> within;
    for (bool is_last = false; within.size() < selection.at_most && !is_last;) {
        ASSIGN_OR_RETURN(auto listed, operations.list(selection));
        is_last = listed.size() < selection.at_most;
        if (!listed.empty()) selection.before_id = listed.back().id;
        std::ranges::copy_if(listed, std::back_inserter(within), [&](const FlowOperation& each) {
            return scope.covers(each.endpoint) && is_in_aws_api(each);
        });
    }
    return within;
}

/// Members common to an operation and its results: endpoint, id, times and status.
void add_operation(JsonMembers& members, const config::Configuration& configuration, const FlowOperation& operation) {
    const auto& [firewall, availability_zone, netns] = operation.endpoint;
    members.text("FirewallArn", firewall_arn(configuration, firewall));
    members.text("AvailabilityZone", availability_zone);
    // An endpoint that is no longer configured has no known zone id.
    if (const auto known = config::find_endpoint(configuration, firewall, availability_zone)) {
        members.text("AvailabilityZoneId", config::zone_id(*known->endpoint));
    }
    members.text("VpcEndpointId", vpc_endpoint_id(firewall, availability_zone));
    members.text("FlowOperationId", operation.id);
    members.text("FlowOperationStatus", to_string(operation.status));
    add_status_message(members, operation);
    add_timestamp(members, "FlowRequestTimestamp", operation.requested_at);
}

constexpr std::string_view kResultList = "results";

/// A flush may have many rows that are not listed, so they are scanned in blocks of this size.
constexpr std::size_t kRowsAtATime = 256;

struct ResultListing {
    OperationReference operation;
    std::uint64_t first = 0;  ///< row number within the operation
    std::int32_t page = kLargestPage;
};

struct ResultPage {
    std::vector<FlowRow> flows;
    std::optional<std::uint64_t> next;  ///< first row of the next page
};

/// Parses `results:ID:ROW`; a token of another operation is refused.
Result<std::uint64_t> parse_row(std::string_view id, std::string_view token) {
    ASSIGN_OR_RETURN(const auto place, parse_next_token(kResultList, token));
    std::string_view row{place};
    const bool is_of_operation = take_until(row, ':') == id;
    const auto number = parse_unsigned<std::uint64_t>(row);
    if (is_of_operation && number) return *number;
    return invalid("not a token that the results of operation {} have given", id);
}

Result<ResultListing> read_result_listing(JsonReader& reader) {
    ResultListing listing;
    read_operation_reference(reader, listing.operation);
    reader.optional_parsed("NextToken", listing.first,
                           [&](std::string_view token) { return parse_row(listing.operation.id, token); });
    read_number(reader, "MaxResults", listing.page, 1, kLargestPage);
    return reader.finish().map([&] { return std::move(listing); });
}

bool has_results(const FlowOperation& operation) {
    return operation.status == OperationStatus::Completed || operation.status == OperationStatus::CompletedWithErrors;
}

bool is_result(const FlowOperation& operation, const FlowRow& row) {
    return !kind_of(operation.type).has_outcomes || row.outcome == Outcome::Flushed;
}

/// Searches on for the first flow of the next page, so that NextToken is never followed by an empty page.
Result<ResultPage> read_page(gateway::FlowOperations& operations, const FlowOperation& operation,
                             const ResultListing& listing) {
    ResultPage page;
    if (!has_results(operation)) return page;
    const auto size = static_cast<std::size_t>(listing.page);
    for (auto row = listing.first;;) {
        ASSIGN_OR_RETURN(const auto rows, operations.flows(operation.id, row, kRowsAtATime));
        for (const auto& each : rows) {
            const bool is_listed = is_result(operation, each);
            if (is_listed && page.flows.size() == size) {
                page.next = row;
                return page;
            }
            if (is_listed) page.flows.push_back(each);
            ++row;
        }
        if (rows.size() < kRowsAtATime) return page;
    }
}

/// Sum of both directions, saturating; absent where the kernel counted neither.
std::optional<std::uint64_t> sum(const Flow& flow, std::uint64_t Counters::*counter) {
    if (!flow.counters_original && !flow.counters_reply) return std::nullopt;
    const auto there = flow.counters_original.value_or(Counters{}).*counter;
    const auto back = flow.counters_reply.value_or(Counters{}).*counter;
    return there > UINT64_MAX - back ? UINT64_MAX : there + back;
}

template <typename Stream>
Stream saturated(std::uint64_t value) {
    return static_cast<Stream>(std::min<std::uint64_t>(value, std::numeric_limits<Stream>::max()));
}

void add_flow(JsonMembers& members, const Flow& flow, const Moment& moment) {
    const auto& tuple = flow.original;
    add_address(members, "SourceAddress", to_string(tuple.source));
    add_address(members, "DestinationAddress", to_string(tuple.destination));
    if (has_ports(tuple)) {
        members.text("SourcePort", fmt::format("{}", tuple.source_port));
        members.text("DestinationPort", fmt::format("{}", tuple.destination_port));
    }
    members.text("Protocol", protocol_number(tuple.protocol));
    if (const auto lived = age(flow, moment)) {
        members.number("Age", saturated<std::int32_t>(static_cast<std::uint64_t>(lived->count())));
    }
    if (const auto packets = sum(flow, &Counters::packets)) {
        members.number("PacketCount", saturated<std::int32_t>(*packets));
    }
    if (const auto bytes = sum(flow, &Counters::bytes)) members.number("ByteCount", saturated<std::int64_t>(*bytes));
}

}  // namespace

Result<std::string> start_flow_capture(const Request& request, JsonReader& reader, gateway::Inventory& inventory,
                                       gateway::FlowOperations& operations,
                                       gateway::RefusedRequests& refused_requests) {
    return start(OperationType::Capture, request, reader, inventory, operations, refused_requests);
}

Result<std::string> start_flow_flush(const Request& request, JsonReader& reader, gateway::Inventory& inventory,
                                     gateway::FlowOperations& operations, gateway::RefusedRequests& refused_requests) {
    return start(OperationType::Flush, request, reader, inventory, operations, refused_requests);
}

Result<std::string> describe_flow_operation(const Request& /*request*/, JsonReader& reader,
                                            gateway::Inventory& inventory, gateway::FlowOperations& operations) {
    OperationReference reference;
    read_operation_reference(reader, reference);
    RETURN_IF_ERROR(reader.finish());
    return find_operation(inventory, operations, reference).map([&](const FlowOperation& operation) {
        return json_of([&](JsonMembers& members) {
            add_operation(members, *inventory.configuration(), operation);
            members.text("FlowOperationType", to_string(operation.type));
            members.object("FlowOperation", [&](JsonMembers& asked) { add_flow_query(asked, operation.query); });
        });
    });
}

Result<std::string> list_flow_operations(const Request& /*request*/, JsonReader& reader, gateway::Inventory& inventory,
                                         gateway::FlowOperations& operations) {
    ASSIGN_OR_RETURN(const auto listing, read_operation_listing(reader));
    ASSIGN_OR_RETURN(const auto scope, find_scope(*inventory.configuration(), listing.firewall));
    const auto page = static_cast<std::size_t>(listing.page);
    ASSIGN_OR_RETURN(auto listed, list_within(operations, scope,
                                              {.type = listing.type,
                                               .firewalls = {{scope.firewall.name}},
                                               .availability_zone = scope.availability_zone,
                                               .one_off_runs = false,
                                               .at_most = page + 1,
                                               .before_id = listing.behind.value_or("")}));
    const bool is_last = listed.size() <= page;
    if (!is_last) listed.resize(page);
    return json_of([&](JsonMembers& members) {
        members.objects("FlowOperations", listed, add_listed_operation);
        if (!is_last) members.text("NextToken", next_token(kOperationList, listed.back().id));
    });
}

Result<std::string> list_flow_operation_results(const Request& /*request*/, JsonReader& reader,
                                                gateway::Inventory& inventory, gateway::FlowOperations& operations) {
    ASSIGN_OR_RETURN(const auto listing, read_result_listing(reader));
    ASSIGN_OR_RETURN(const auto operation, find_operation(inventory, operations, listing.operation));
    ASSIGN_OR_RETURN(const auto page, read_page(operations, operation, listing));
    return json_of([&](JsonMembers& members) {
        add_operation(members, *inventory.configuration(), operation);
        members.objects("Flows", page.flows, [&](JsonMembers& flow, const FlowRow& each) {
            add_flow(flow, each.flow, moment_of(operation));
        });
        if (page.next) {
            members.text("NextToken", next_token(kResultList, fmt::format("{}:{}", operation.id, *page.next)));
        }
    });
}

}  // namespace headgate::http::aws
