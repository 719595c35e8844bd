// What a request is about: a firewall, perhaps one of its endpoints, or an operation on it. What is not there, or not
// for whoever asks, is an error with ENOENT. Thread-safe.
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

/// As flow operations name it.
struct FirewallReference {
    std::string arn;
    std::optional<std::string> availability_zone;
    std::optional<std::string> availability_zone_id;
    std::optional<std::string> vpc_endpoint_id;
    std::optional<std::string> vpc_endpoint_association_arn;  ///< there are none: headgate's firewalls have no VPC
};

void take_firewall_reference(JsonReader& reader, FirewallReference& reference);

/// A firewall, and the one of its endpoints that is meant, if one is.
struct Scope {
    config::Firewall firewall;
    std::optional<std::string> availability_zone;

    /// A one-off run in a network namespace is no firewall's, whatever its name.
    [[nodiscard]] bool covers(const Endpoint& endpoint) const;
};

/// All that name an endpoint (zone, zone's id, endpoint's id) must mean the same one.
[[nodiscard]] Result<Scope> find_scope(const config::Configuration& configuration, const FirewallReference& reference);

/// The endpoint that is meant. What may go unsaid is what leaves no choice.
[[nodiscard]] Result<gateway::EndpointName> one_endpoint(const Scope& scope);

/// As operations on operations name it.
struct OperationReference {
    FirewallReference firewall;
    std::string id;
};

void take_operation_reference(JsonReader& reader, OperationReference& reference);

/// One of another firewall or endpoint is not there.
[[nodiscard]] Result<FlowOperation> find_operation(gateway::ManagedGateway& gateway,
                                                   const OperationReference& reference);

/// A kind of resource that has an ARN and a name, and is named by either or both: `FirewallArn`, `FirewallName`.
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

void take_resource_reference(JsonReader& reader, const ResourceKind& kind, ResourceReference& reference);

/// The firewall, or the one whose policy it is.
[[nodiscard]] Result<config::Firewall> find_resource(const config::Configuration& configuration,
                                                     const ResourceKind& kind, const ResourceReference& reference);

}  // namespace headgate::http::aws
