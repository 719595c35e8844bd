// The arguments that say which flow table is meant, and the way there.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "headgate/flow_operation.h"
#include "headgate/flow_query.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "config/configuration.h"
#include "netlink/network_namespace.h"

namespace CLI {
class App;
}

namespace headgate::cli {

/// --config.
struct ConfigurationArgument {
    std::optional<std::string> file;

    void add_to(CLI::App& command);

    /// The file that was named, which must be there, or the usual one, which need not.
    [[nodiscard]] Result<config::Configuration> load() const;
};

/// An endpoint of the configuration, or a network namespace for a one-off run.
class ChosenEndpoint {
  public:
    ChosenEndpoint(config::Configuration configuration, Endpoint endpoint, config::FirewallEndpoint where,
                   std::string origin)
        : configuration_(std::move(configuration)),
          endpoint_(std::move(endpoint)),
          where_(std::move(where)),
          origin_(std::move(origin)) {}

    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] const config::Configuration& configuration() const noexcept { return configuration_; }

    /// Whether it is in another network namespace than this process.
    [[nodiscard]] bool is_elsewhere() const noexcept { return where_.netns.has_value(); }

    [[nodiscard]] std::optional<std::uint16_t> conntrack_zone() const noexcept { return where_.conntrack_zone; }

    /// Confines a query to the endpoint's conntrack zone. An error when it asks for another one.
    [[nodiscard]] Result<void> narrow(FlowQuery& query) const;

    [[nodiscard]] Result<std::unique_ptr<FlowTable>> open_table() const;
    [[nodiscard]] Result<std::unique_ptr<Ruleset>> open_ruleset() const;

  private:
    [[nodiscard]] Result<netlink::NetworkNamespace> open_namespace() const;

    config::Configuration configuration_;
    Endpoint endpoint_;
    config::FirewallEndpoint where_;
    std::string origin_;  ///< what named the network namespace
};

/// ENDPOINT: which flow table.
struct EndpointArguments {
    ConfigurationArgument configuration;
    std::optional<std::string> firewall, availability_zone, network_namespace;

    void add_to(CLI::App& command);

    /// Reads the configuration, also for a one-off run: what it protects is protected there, too.
    [[nodiscard]] Result<ChosenEndpoint> choose() const;
};

}  // namespace headgate::cli
