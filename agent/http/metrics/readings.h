// SPDX-License-Identifier: GPL-2.0-or-later
// Metrics that are read on request: of flow tables and stream exception policies, of the flow log, of this process.
#pragma once

#include <prometheus/labels.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "gateway/managed_gateway.h"
#include "http/metrics/metric.h"

namespace headgate::http {

using MetricFamilies = std::vector<prometheus::MetricFamily>;

struct EndpointReading {
    Endpoint endpoint;
    bool is_whole = true;  ///< false: some metrics could not be read, and are absent
};

/// Reads what the kernel keeps, for the first endpoint of each network namespace. The time does not depend on the
/// number of flows or of remembered flows.
[[nodiscard]] std::vector<EndpointReading> add_endpoints(MetricFamilies& families, gateway::Monitoring& monitoring);

/// Adds flows by reason, and the state of each sink; lost conntrack events to the family of lost notifications. All
/// reasons exist from the start, so that the first flow registers as an increase.
void add_flow_log(MetricFamilies& families, const flowlog::FlowLogCounts& counts);

/// Adds memory, descriptors and CPU time of this process. Values that cannot be read (no /proc) are absent.
void add_process(MetricFamilies& families);

[[nodiscard]] prometheus::Labels labels_of(const Endpoint& endpoint);

/// The family of a counter or gauge, and one of its series.
[[nodiscard]] prometheus::MetricFamily family_of(const Metric& metric);
void add(prometheus::MetricFamily& family, const prometheus::Labels& labels, double value);

}  // namespace headgate::http
