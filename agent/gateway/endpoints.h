// SPDX-License-Identifier: GPL-2.0-or-later
// The configuration in force, and an object for each endpoint of it.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "config/configuration.h"
#include "gateway/gateway.h"
#include "gateway/managed_endpoint.h"

namespace headgate::gateway {

/// Thread-safe.
class Endpoints {
  public:
    using Pointer = std::shared_ptr<const ManagedEndpoint>;

    /// `fast`: for all tables, as far as the configuration wants it.
    explicit Endpoints(std::shared_ptr<const config::Configuration> configuration, conntrack::FastPaths fast = {})
        : fast_(std::move(fast)) {
        configure(std::move(configuration));
    }

    /// Replaces configuration and endpoints together. What was learnt about a flow table that remains is kept.
    void configure(std::shared_ptr<const config::Configuration> configuration);

    [[nodiscard]] std::shared_ptr<const config::Configuration> configuration() const;

    /// All endpoints of the configuration, in order.
    [[nodiscard]] std::vector<Pointer> all() const;

    /// The endpoint that the caller named. Errors begin with the wrong name: `firewall: ...`.
    [[nodiscard]] Result<Pointer> find(const EndpointName& name) const;

  private:
    struct Configured {
        std::shared_ptr<const config::Configuration> configuration;
        std::vector<Pointer> endpoints;
    };
    [[nodiscard]] Configured configured() const;
    [[nodiscard]] conntrack::FastPaths fast_paths_by(const config::Configuration& configuration) const;

    const conntrack::FastPaths fast_;
    mutable std::mutex mutex_;
    Configured configured_;  ///< guarded by mutex_
};

/// The names of an endpoint that exists, to find it by.
[[nodiscard]] EndpointName name_of(const Endpoint& endpoint);

}  // namespace headgate::gateway
