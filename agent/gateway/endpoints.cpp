// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/endpoints.h"

#include <algorithm>

namespace headgate::gateway {
namespace {

using Pointer = Endpoints::Pointer;

std::shared_ptr<TableHistory> history_of(const Endpoint& names, const config::FirewallEndpoint& settings,
                                         const std::vector<Pointer>& known) {
    const auto same =
        std::ranges::find_if(known, [&](const auto& each) { return each->has_table_of(names, settings); });
    return same == known.end() ? std::make_shared<TableHistory>() : (*same)->history();
}

/// Has the policy that the configuration keeps in force in the namespace, if it is an endpoint's under any name.
Pointer one_off(const std::string& network_namespace, const std::vector<Pointer>& configured,
                conntrack::FastPaths fast) {
    const auto unnamed = config::default_firewall();
    auto settings = unnamed.endpoints.front();
    settings.netns = network_namespace;
    const Endpoint names{unnamed.name, settings.availability_zone, network_namespace};
    const ManagedEndpoint endpoint{names, settings, std::string{config::kNoPolicy}};
    const auto same =
        std::ranges::find_if(configured, [&](const Pointer& each) { return each->shares_namespace_with(endpoint); });
    auto policy = same == configured.end() ? std::string{config::kNoPolicy} : (*same)->configured_policy();
    return std::make_shared<const ManagedEndpoint>(names, settings, std::move(policy), std::make_shared<TableHistory>(),
                                                   std::move(fast));
}

}  // namespace

void Endpoints::configure(std::shared_ptr<const config::Configuration> configuration) {
    const auto before = all();
    std::vector<Pointer> endpoints;
    for (const auto& [firewall, settings] : config::endpoints_of(*configuration)) {
        const Endpoint names{firewall->name, settings->availability_zone, ""};
        endpoints.push_back(std::make_shared<const ManagedEndpoint>(
            names, *settings, config::configured_policy(*configuration, *settings),
            history_of(names, *settings, before), fast_paths_by(*configuration)));
    }
    const std::lock_guard lock{mutex_};
    configured_ = {std::move(configuration), std::move(endpoints)};
}

conntrack::FastPaths Endpoints::fast_paths_by(const config::Configuration& configuration) const {
    auto fast = fast_;
    if (configuration.fast_scan == config::FastScan::Off) fast.walk.reset();
    if (!configuration.fast_flush) fast.expiry.reset();
    return fast;
}

Endpoints::Configured Endpoints::configured() const {
    const std::lock_guard lock{mutex_};
    return configured_;
}

std::shared_ptr<const config::Configuration> Endpoints::configuration() const {
    return configured().configuration;
}

std::vector<Pointer> Endpoints::all() const {
    return configured().endpoints;
}

Result<Pointer> Endpoints::find(const EndpointName& name) const {
    const auto now = configured();
    if (name.network_namespace) {
        if (!name.firewall && !name.availability_zone) {
            return one_off(*name.network_namespace, now.endpoints, fast_paths_by(*now.configuration));
        }
        return invalid("netns: a one-off run has no --firewall and no --availability-zone");
    }
    ASSIGN_OR_RETURN(const auto choice,
                     config::find_endpoint(*now.configuration, name.firewall, name.availability_zone));
    const Endpoint names{choice.firewall->name, choice.endpoint->availability_zone, ""};
    return *std::ranges::find_if(now.endpoints, [&](const Pointer& each) { return each->names() == names; });
}

EndpointName name_of(const Endpoint& endpoint) {
    if (!endpoint.network_namespace.empty()) return {{}, {}, endpoint.network_namespace};
    return {endpoint.firewall, endpoint.availability_zone, {}};
}

}  // namespace headgate::gateway
