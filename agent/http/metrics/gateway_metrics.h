// The metrics that the kernel keeps: flow tables, and what stream exception policies have caught.
#pragma once

#include <prometheus/labels.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "gateway/managed_gateway.h"

namespace headgate::http {

struct EndpointReading {
    Endpoint endpoint;
    bool is_whole = true;  ///< otherwise some of it could not be read, and is left out
};

struct GatewayReading {
    std::vector<prometheus::MetricFamily> families;
    std::vector<EndpointReading> endpoints;  ///< the first of each network namespace
};

/// As it is now. Takes no longer for more flows, nor for more remembered ones.
[[nodiscard]] GatewayReading read_gateway(gateway::ManagedGateway& gateway);

[[nodiscard]] prometheus::Labels labels_of(const Endpoint& endpoint);

}  // namespace headgate::http
