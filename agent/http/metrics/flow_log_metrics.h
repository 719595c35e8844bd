// What the flow log counts, for Prometheus.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "flowlog/flow_log.h"

namespace headgate::http {

/// Flows by reason, and how each sink fares. Every reason is there from the start, so that the first flow is seen as an
/// increase.
[[nodiscard]] std::vector<prometheus::MetricFamily> flow_log_metrics(const flowlog::FlowLogCounts& counts);

/// Adds conntrack's events to those families' notifications that were lost.
void add_lost_events(std::vector<prometheus::MetricFamily>& families, const flowlog::FlowLogCounts& counts);

}  // namespace headgate::http
