// From the names of an endpoint to the kernel: which flow table is meant, and the way there.
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

    /// As it is configured.
    [[nodiscard]] const config::FirewallEndpoint& place() const noexcept { return where_; }

    /// Whether it is in another network namespace than this process.
    [[nodiscard]] bool is_elsewhere() const noexcept { return where_.netns.has_value(); }

    /// Confines a query to the endpoint's conntrack zone. An error when it asks for another one.
    [[nodiscard]] Result<void> narrow(FlowQuery& query) const;

    [[nodiscard]] Result<netlink::NetworkNamespace> open_namespace() const;
    [[nodiscard]] Result<std::unique_ptr<FlowTable>> open_table() const;

    /// So long it waits for others who change it, 10 s by default: EBUSY afterwards.
    [[nodiscard]] Result<std::unique_ptr<Ruleset>> open_ruleset(
        std::optional<std::chrono::seconds> patience = {}) const;

  private:
    Endpoint endpoint_;
    config::FirewallEndpoint where_;
};

/// The endpoint that somebody means. An error begins with the name that is wrong: `firewall: ...`.
[[nodiscard]] Result<ChosenEndpoint> choose_endpoint(const config::Configuration& configuration,
                                                     const EndpointName& name);

/// The names of an endpoint that was chosen before.
[[nodiscard]] EndpointName name_of(const Endpoint& endpoint);

}  // namespace headgate::gateway
