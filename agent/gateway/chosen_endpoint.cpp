// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/chosen_endpoint.h"

#include "conntrack/kernel_flow_table.h"
#include "midstream/kernel_ruleset.h"

namespace headgate::gateway {
namespace {

Result<netlink::NamespaceId> id_of(const std::optional<std::string>& netns) {
    const auto opened = netns ? netlink::NetworkNamespace::open(*netns) : netlink::NetworkNamespace{};
    return opened.and_then([](const netlink::NetworkNamespace& where) { return where.id(); });
}

/// Compares namespaces, not names: one may have several.
bool is_same(const std::optional<std::string>& netns, const std::string& other) {
    if (netns == other) return true;
    const auto here = id_of(netns);
    const auto there = id_of(other);
    return here && there && *here == *there;
}

/// The policy that the configuration keeps in force in a namespace, if it is an endpoint's.
std::string policy_at(const config::Configuration& configuration, const std::string& netns) {
    for (const auto& firewall : configuration.firewalls)
        for (const auto& endpoint : firewall.endpoints)
            if (is_same(endpoint.netns, netns))
                return config::policy_to_keep(configuration, endpoint).value_or(std::string{config::kNoPolicy});
    return std::string{config::kNoPolicy};
}

}  // namespace

Result<void> ChosenEndpoint::narrow(FlowQuery& query) const {
    const auto zone = where_.conntrack_zone;
    if (zone && query.zone && *query.zone != *zone) {
        return invalid("zone: {} is not in reach; the endpoint of firewall {} in {} is conntrack zone {}", *query.zone,
                       endpoint_.firewall, endpoint_.availability_zone, *zone);
    }
    if (zone) query.zone = zone;
    return {};
}

Result<netlink::NetworkNamespace> ChosenEndpoint::open_namespace() const {
    if (!where_.netns) return netlink::NetworkNamespace{};
    auto opened = netlink::NetworkNamespace::open(*where_.netns);
    if (opened) return opened;
    const auto named =
        endpoint_.network_namespace.empty()
            ? fmt::format("firewall {}, availability zone {}", endpoint_.firewall, endpoint_.availability_zone)
            : "--netns";
    return tl::unexpected(std::move(opened.error()).within(named));
}

Result<std::unique_ptr<FlowTable>> ChosenEndpoint::open_table() const {
    ASSIGN_OR_RETURN(auto where, open_namespace());
    ASSIGN_OR_RETURN(auto table, conntrack::KernelFlowTable::open(std::move(where)));
    return std::unique_ptr<FlowTable>{std::move(table)};
}

Result<std::unique_ptr<Ruleset>> ChosenEndpoint::open_ruleset(std::optional<std::chrono::seconds> patience) const {
    ASSIGN_OR_RETURN(auto where, open_namespace());
    return std::unique_ptr<Ruleset>{midstream::KernelRuleset::open(
        std::move(where), midstream::kRunFolder, patience.value_or(midstream::PolicyStateFile::kPatience))};
}

Result<ChosenEndpoint> choose_endpoint(const config::Configuration& configuration, const EndpointName& name) {
    if (name.network_namespace) {
        if (name.firewall || name.availability_zone) {
            return invalid("netns: a one-off run has no --firewall and no --availability-zone");
        }
        const auto unnamed = config::default_firewall();
        auto where = unnamed.endpoints.front();
        where.netns = *name.network_namespace;
        where.stream_exception_policy = policy_at(configuration, *name.network_namespace);
        Endpoint endpoint{unnamed.name, where.availability_zone, *name.network_namespace};
        return ChosenEndpoint{std::move(endpoint), std::move(where)};
    }
    ASSIGN_OR_RETURN(const auto choice, config::find_endpoint(configuration, name.firewall, name.availability_zone));
    return ChosenEndpoint{{choice.firewall->name, choice.endpoint->availability_zone, ""}, *choice.endpoint};
}

EndpointName name_of(const Endpoint& endpoint) {
    if (!endpoint.network_namespace.empty()) return {{}, {}, endpoint.network_namespace};
    return {endpoint.firewall, endpoint.availability_zone, {}};
}

}  // namespace headgate::gateway
