// SPDX-License-Identifier: GPL-2.0-or-later
// The flow log's counters as Prometheus metrics.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "flowlog/flow_log.h"

namespace headgate::http {

/// Flows by reason, and the state of each sink. All reasons exist from the start, so that the first flow registers as
/// an increase.
[[nodiscard]] std::vector<prometheus::MetricFamily> flow_log_metrics(const flowlog::FlowLogCounts& counts);

/// Adds lost conntrack events to the families' lost notifications.
void add_lost_events(std::vector<prometheus::MetricFamily>& families, const flowlog::FlowLogCounts& counts);

}  // namespace headgate::http
