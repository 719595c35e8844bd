// SPDX-License-Identifier: GPL-2.0-or-later
// Metrics of what the kernel keeps: flow tables, and packets caught by stream exception policies.
#pragma once

#include <prometheus/labels.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "gateway/managed_gateway.h"

namespace headgate::http {

struct EndpointReading {
    Endpoint endpoint;
    bool is_whole = true;  ///< false: some metrics could not be read, and are absent
};

struct GatewayReading {
    std::vector<prometheus::MetricFamily> families;
    std::vector<EndpointReading> endpoints;  ///< the first of each network namespace
};

/// Reads the current values. The time does not depend on the number of flows or of remembered flows.
[[nodiscard]] GatewayReading read_gateway(gateway::Monitoring& monitoring);

[[nodiscard]] prometheus::Labels labels_of(const Endpoint& endpoint);

}  // namespace headgate::http
