// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/flow_operations.h"

#include <algorithm>

#include "base/text.h"
#include "http/aws/firewall_names.h"
#include "http/aws/flow_filters.h"
#include "http/aws/next_token.h"
#include "http/aws/scope.h"
#include "http/aws/shape_writer.h"
#include "http/aws/shapes.h"

namespace headgate::http::aws {
namespace {

constexpr std::string_view kInvocationId = "amz-sdk-invocation-id";
constexpr std::size_t kLongestInvocationId = 255;
constexpr std::string_view kOperationList = "operations";

/// Idempotency token of the call, specific to the caller; empty where the client sends none.
Result<std::string> request_token(const Request& request) {
    const auto id = request.header(kInvocationId);
    const auto printable = [](char c) { return c > ' ' && c < 0x7F; };
    if (id.size() > kLongestInvocationId || !std::ranges::all_of(id, printable)) {
        return invalid("{}: {} printable characters at most, without spaces", kInvocationId, kLongestInvocationId);
    }
    return id.empty() ? std::string{} : compound_key({"aws", request.caller.face, request.caller.user, id});
}

/// Copies the valid parts of the call into `wanted`, so that the audit record of a refusal has them.
Result<void> read_start(const gateway::Inventory& inventory, const Request& request, JsonReader& reader,
                        FirewallReference& firewall, gateway::OperationRequest& wanted) {
    take_firewall_reference(reader, firewall);
    take_flow_query(reader, wanted.query);
    wanted.endpoint = {
        firewall.arn, firewall.availability_zone ? firewall.availability_zone : firewall.availability_zone_id, {}};
    if (const auto& read = reader.finish(); !read) return read;
    if (kind_of(wanted.type).changes_flows) {
        RETURN_IF_ERROR(check_limits(wanted.query));
    }
    ASSIGN_OR_RETURN(auto token, request_token(request));
    wanted.token = std::move(token);
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
    if (auto taken = read_start(inventory, request, reader, firewall, wanted); !taken) {
        return tl::unexpected(refused_requests.refuse(wanted, std::move(taken.error())));
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

Result<OperationListing> read_operation_listing(JsonReader& reader) {
    OperationListing listing;
    take_firewall_reference(reader, listing.firewall);
    reader.optional_parsed("FlowOperationType", listing.type, parse_name<OperationType>);
    reader.optional_parsed("NextToken", listing.behind, [](std::string_view token) {
        return parse_next_token(kOperationList, token).and_then([](const std::string& id) { return parse_uuid(id); });
    });
    take_number(reader, "MaxResults", listing.page, 1, kLargestPage);
    return reader.finish().map([&] { return std::move(listing); });
}

/// Up to `selection.at_most` operations within the scope, without dry runs, which AWS does not have.
Result<std::vector<FlowOperation>> list_within(gateway::FlowOperations& operations, const Scope& scope,
                                               OperationSelection selection) {
    std::vector<FlowOperation> within;
    for (bool is_last = false; within.size() < selection.at_most && !is_last;) {
        ASSIGN_OR_RETURN(auto listed, operations.list(selection));
        is_last = listed.size() < selection.at_most;
        if (!listed.empty()) selection.before_id = listed.back().id;
        std::ranges::copy_if(listed, std::back_inserter(within),
                             [&](const FlowOperation& each) { return scope.covers(each.endpoint) && !each.dry_run; });
    }
    return within;
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
    take_operation_reference(reader, reference);
    if (const auto& read = reader.finish(); !read) return tl::unexpected(read.error());
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

}  // namespace headgate::http::aws
