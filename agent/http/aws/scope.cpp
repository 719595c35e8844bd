// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/scope.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/scalars.h"
#include "http/aws/shapes.h"

namespace headgate::http::aws {
namespace {

/// A request member that identifies an endpoint, and the endpoint's value for it.
struct EndpointMember {
    std::string_view name;
    std::optional<std::string> FirewallReference::*value;
    std::string (*value_of)(const config::Firewall&, const config::FirewallEndpoint&);
};

constexpr EndpointMember kEndpointMembers[] = {
    {"AvailabilityZone", &FirewallReference::availability_zone,
     [](const auto&, const auto& endpoint) { return endpoint.availability_zone; }},
    {"AvailabilityZoneId", &FirewallReference::availability_zone_id,
     [](const auto&, const auto& endpoint) { return config::zone_id(endpoint); }},
    {"VpcEndpointId", &FirewallReference::vpc_endpoint_id,
     [](const auto& firewall, const auto& endpoint) {
         return vpc_endpoint_id(firewall.name, endpoint.availability_zone);
     }},
};

/// The zone of the referenced endpoint; nothing where no member identifies one.
Result<std::optional<std::string>> zone_of(const config::Firewall& firewall, const FirewallReference& reference) {
    std::optional<std::string> zone;
    for (const auto& member : kEndpointMembers) {
        const auto& wanted = reference.*member.value;
        if (!wanted) continue;
        const auto found = std::ranges::find_if(
            firewall.endpoints, [&](const auto& endpoint) { return member.value_of(firewall, endpoint) == *wanted; });
        if (found == firewall.endpoints.end()) {
            return not_found("{}: firewall {} has no endpoint \"{}\"", member.name, firewall.name, *wanted);
        }
        if (zone && *zone != found->availability_zone) {
            return invalid("{}: {} is in availability zone {}, not in {}", member.name, *wanted,
                           found->availability_zone, *zone);
        }
        zone = found->availability_zone;
    }
    return zone;
}

}  // namespace

void read_firewall_reference(JsonReader& reader, FirewallReference& reference) {
    reader.parsed("FirewallArn", reference.arn, parse_arn);
    reader.optional_text("AvailabilityZone", reference.availability_zone);
    reader.optional_text("AvailabilityZoneId", reference.availability_zone_id);
    reader.optional_parsed("VpcEndpointId", reference.vpc_endpoint_id, parse_vpc_endpoint_id);
    reader.optional_parsed("VpcEndpointAssociationArn", reference.vpc_endpoint_association_arn, parse_arn);
}

bool Scope::covers(const Endpoint& endpoint) const {
    return endpoint.firewall == firewall.name && endpoint.network_namespace.empty() &&
           availability_zone.value_or(endpoint.availability_zone) == endpoint.availability_zone;
}

Result<Scope> find_scope(const config::Configuration& configuration, const FirewallReference& reference) {
    ASSIGN_OR_RETURN(auto firewall, find_resource(configuration, kFirewall, {reference.arn, std::nullopt}));
    if (const auto& association = reference.vpc_endpoint_association_arn) {
        return not_found("VpcEndpointAssociationArn: there is no association {}", *association);
    }
    return zone_of(firewall, reference).map([&](std::optional<std::string>&& zone) {
        return Scope{std::move(firewall), std::move(zone)};
    });
}

Result<EndpointName> one_endpoint(const Scope& scope) {
    const auto& endpoints = scope.firewall.endpoints;
    if (scope.availability_zone) return EndpointName{scope.firewall.name, scope.availability_zone, {}};
    if (endpoints.size() == 1) {
        return EndpointName{scope.firewall.name, endpoints.front().availability_zone, {}};
    }
    std::vector<std::string_view> zones;
    zones.reserve(endpoints.size());
    for (const auto& each : endpoints)
        zones.push_back(each.availability_zone);
    return invalid("AvailabilityZone: firewall {} has several: name one of {}, or a VpcEndpointId", scope.firewall.name,
                   fmt::join(zones, ", "));
}

void read_operation_reference(JsonReader& reader, OperationReference& reference) {
    read_firewall_reference(reader, reference.firewall);
    reader.parsed("FlowOperationId", reference.id, parse_uuid);
}

Result<FlowOperation> find_operation(gateway::Inventory& inventory, gateway::FlowOperations& operations,
                                     const OperationReference& reference) {
    ASSIGN_OR_RETURN(const auto scope, find_scope(*inventory.configuration(), reference.firewall));
    auto found = operations.find(reference.id);
    if (!found || (scope.covers(found->endpoint) && is_in_aws_api(*found))) return found;
    return not_found("FlowOperationId: there is no operation {} there", reference.id);
}

void read_resource_reference(JsonReader& reader, const ResourceKind& kind, ResourceReference& reference) {
    const auto arn = fmt::format("{}Arn", kind.member);
    const auto name = fmt::format("{}Name", kind.member);
    reader.optional_parsed(arn, reference.arn, parse_arn);
    reader.optional_parsed(name, reference.name, parse_resource_name);
    if (!reference.arn && !reference.name)
        reader.fail(arn, invalid("missing, and so is {}: one of them is needed", name));
}

Result<config::Firewall> find_resource(const config::Configuration& configuration, const ResourceKind& kind,
                                       const ResourceReference& reference) {
    for (const auto& firewall : configuration.firewalls) {
        const bool by_name = reference.name == firewall.name;
        const bool by_arn = reference.arn == kind.arn_of(configuration, firewall.name);
        if ((by_name || !reference.name) && (by_arn || !reference.arn)) return firewall;
        if (by_name || by_arn) {
            return invalid("{0}Arn, {0}Name: {1} is not {2}", kind.member, *reference.arn, *reference.name);
        }
    }
    if (reference.arn) return not_found("{}Arn: there is no {}", kind.member, *reference.arn);
    return not_found("{}Name: there is no {}", kind.member, *reference.name);
}

}  // namespace headgate::http::aws
