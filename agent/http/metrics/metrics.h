// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's Prometheus metrics (list: metric.h). Events in the agent are counted as they happen; the kernel's
// counters are read on request. To add a metric, add it to the list, and count or read it.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <compare>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "headgate/flow_operation.h"

#include "gateway/managed_gateway.h"
#include "http/message.h"
#include "http/metrics/readings.h"
#include "http/request_record.h"

namespace headgate::http {

/// Thread-safe.
class Metrics {
  public:
    /// Records the present time as the agent's start.
    Metrics();

    /// Counts an operation that ended or was refused. A firewall not in the configuration gets an empty label.
    void count(const FlowOperation& ended, const config::Configuration& configuration);

    void count(const RequestRecord& answered);

    /// Counts a connection that was closed without a response.
    void count_turned_away();

    /// Counts `times` losses of notifications of changed rulesets. The flow log counts conntrack's.
    void count_ruleset_losses(std::uint64_t times);

    /// All metrics in Prometheus' text format 0.0.4
    /// (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format). An endpoint that cannot be
    /// read is left out and counted. A caller confined to some firewalls gets the metrics of these only.
    [[nodiscard]] std::string exposition(gateway::ManagedGateway& gateway);

  private:
    using Counters = prometheus::Family<prometheus::Counter>;
    using Histograms = prometheus::Family<prometheus::Histogram>;

    /// Creates the firewall's series, so that the first operation registers as an increase.
    void begin_with(const std::string& firewall);

    /// Read failures of these endpoints, including the current ones: the caller may not see others.
    [[nodiscard]] prometheus::MetricFamily scrape_errors(const std::vector<EndpointReading>& endpoints);

    prometheus::Registry registry_;
    Counters& operations_;
    Histograms& operation_durations_;
    Counters& flows_scanned_;
    Counters& flows_matched_;
    Counters& flows_flushed_;
    prometheus::Counter& ruleset_events_lost_;
    Counters& requests_;
    prometheus::Counter& turned_away_;
    Histograms& request_durations_;

    std::mutex mutex_;
    std::map<prometheus::Labels, std::uint64_t> scrape_errors_;  ///< by endpoint; guarded by mutex_
};

/// The exposition as an HTTP response.
[[nodiscard]] Response metrics_answer(Metrics& metrics, gateway::ManagedGateway& gateway);

}  // namespace headgate::http
