// SPDX-License-Identifier: GPL-2.0-or-later
// Resolves the names of an endpoint to its flow table, ruleset and network namespace.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "headgate/flow_operation.h"
#include "headgate/flow_query.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "config/configuration.h"
#include "gateway/gateway.h"
#include "netlink/network_namespace.h"

namespace headgate::gateway {

/// An endpoint of the configuration, or a network namespace for a one-off run.
class ChosenEndpoint {
  public:
    ChosenEndpoint(Endpoint endpoint, config::FirewallEndpoint where)
        : endpoint_(std::move(endpoint)), where_(std::move(where)) {}

    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }

    /// The endpoint as configured.
    [[nodiscard]] const config::FirewallEndpoint& place() const noexcept { return where_; }

    /// Whether the network namespace differs from this process's own.
    [[nodiscard]] bool is_elsewhere() const noexcept { return where_.netns.has_value(); }

    /// Restricts a query to the endpoint's conntrack zone. An error where the query asks for another zone.
    [[nodiscard]] Result<void> narrow(FlowQuery& query) const;

    [[nodiscard]] Result<netlink::NetworkNamespace> open_namespace() const;
    [[nodiscard]] Result<std::unique_ptr<FlowTable>> open_table() const;

    /// Its operations wait up to `patience`, by default 10 s, for other processes that change it; then EBUSY.
    [[nodiscard]] Result<std::unique_ptr<Ruleset>> open_ruleset(
        std::optional<std::chrono::seconds> patience = {}) const;

  private:
    Endpoint endpoint_;
    config::FirewallEndpoint where_;
};

/// The endpoint that the caller named. Errors begin with the wrong name: `firewall: ...`.
[[nodiscard]] Result<ChosenEndpoint> choose_endpoint(const config::Configuration& configuration,
                                                     const EndpointName& name);

/// The names of a resolved endpoint.
[[nodiscard]] EndpointName name_of(const Endpoint& endpoint);

}  // namespace headgate::gateway
