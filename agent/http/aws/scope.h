// SPDX-License-Identifier: GPL-2.0-or-later
// What a request refers to: a firewall, optionally one of its endpoints, or an operation on it. Resources that do not
// exist, and those outside the caller's permissions, are NotFound. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "config/configuration.h"
#include "flow/json_reader.h"
#include "gateway/managed_gateway.h"
#include "http/aws/firewall_names.h"

namespace headgate::http::aws {

/// A firewall as flow operations refer to it.
struct FirewallReference {
    std::string arn;
    std::optional<std::string> availability_zone;
    std::optional<std::string> availability_zone_id;
    std::optional<std::string> vpc_endpoint_id;
    std::optional<std::string> vpc_endpoint_association_arn;  ///< always refused: headgate has no such associations
};

void read_firewall_reference(JsonReader& reader, FirewallReference& reference);

/// A firewall, and optionally one of its endpoints.
struct Scope {
    config::Firewall firewall;
    std::optional<std::string> availability_zone;

    /// A one-off run in a network namespace belongs to no firewall, even if the name is the same.
    [[nodiscard]] bool covers(const Endpoint& endpoint) const;
};

/// All members that identify an endpoint (zone, zone id, endpoint id) must agree.
[[nodiscard]] Result<Scope> find_scope(const config::Configuration& configuration, const FirewallReference& reference);

/// The endpoint of the scope. The zone is optional where the firewall has one endpoint only.
[[nodiscard]] Result<EndpointName> one_endpoint(const Scope& scope);

/// An operation as calls refer to it.
struct OperationReference {
    FirewallReference firewall;
    std::string id;
};

void read_operation_reference(JsonReader& reader, OperationReference& reference);

/// AWS has neither rematches nor dry runs: by its members a dry run would be a flush that ended nothing.
[[nodiscard]] inline bool is_in_aws_api(const FlowOperation& operation) {
    return kind_of(operation.type).is_in_aws_api && !operation.dry_run;
}

/// Operations of other firewalls or endpoints, and those that AWS does not have, are not found.
[[nodiscard]] Result<FlowOperation> find_operation(gateway::Inventory& inventory, gateway::FlowOperations& operations,
                                                   const OperationReference& reference);

/// A kind of resource that is referred to by ARN, name or both: `FirewallArn`, `FirewallName`.
struct ResourceKind {
    std::string_view member;
    std::string (*arn_of)(const config::Configuration&, std::string_view firewall);
};
inline constexpr ResourceKind kFirewall{"Firewall", firewall_arn};
inline constexpr ResourceKind kFirewallPolicy{"FirewallPolicy", firewall_policy_arn};

struct ResourceReference {
    std::optional<std::string> arn;
    std::optional<std::string> name;
};

void read_resource_reference(JsonReader& reader, const ResourceKind& kind, ResourceReference& reference);

/// The firewall, or the one that the policy belongs to.
[[nodiscard]] Result<config::Firewall> find_resource(const config::Configuration& configuration,
                                                     const ResourceKind& kind, const ResourceReference& reference);

}  // namespace headgate::http::aws
