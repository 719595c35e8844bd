// What Prometheus reads of this gateway (metric.h has the list). What happens in the agent is counted here as it
// happens; what the kernel counts is read from it when somebody asks.
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
#include "http/metrics/gateway_metrics.h"
#include "http/request_record.h"

namespace headgate::http {

/// Who listens to notifications of the kernel, may lose some, and says so here; the flow log counts its own.
enum class EventSource : std::uint8_t {
    Nftables,  ///< changes of rulesets
};

/// Thread-safe.
class Metrics {
  public:
    /// The agent starts now.
    Metrics();

    /// An operation that has ended, or was refused. One on a firewall that the configuration does not have is of none.
    void count(const FlowOperation& ended, const config::Configuration& configuration);

    void count(const RequestRecord& answered);

    /// A connection was closed at once.
    void count_turned_away();

    /// Notifications were lost so many times.
    void count_losses(EventSource source, std::uint64_t times);

    /// All of it in Prometheus' text format 0.0.4
    /// (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format), with the endpoints that
    /// the gateway knows. One that cannot be read is left out, and counted. To whoever does not see the whole gateway,
    /// what is told by firewall, and of those that they see.
    [[nodiscard]] std::string exposition(gateway::ManagedGateway& gateway);

  private:
    using Counters = prometheus::Family<prometheus::Counter>;
    using Histograms = prometheus::Family<prometheus::Histogram>;

    /// Its series are there, so that the first operation is seen as an increase.
    void begin_with(const std::string& firewall);

    /// The failures of these endpoints, the ones of now among them: whoever asks may not see others.
    [[nodiscard]] prometheus::MetricFamily scrape_errors(const std::vector<EndpointReading>& endpoints);

    prometheus::Registry registry_;
    Counters& operations_;
    Histograms& operation_durations_;
    Counters& flows_scanned_;
    Counters& flows_matched_;
    Counters& flows_flushed_;
    Counters& events_lost_;
    Counters& requests_;
    prometheus::Counter& turned_away_;
    Histograms& request_durations_;

    std::mutex mutex_;
    std::map<prometheus::Labels, std::uint64_t> scrape_errors_;  ///< by endpoint; under the mutex
};

/// The exposition as the answer to a request.
[[nodiscard]] Answer metrics_answer(Metrics& metrics, gateway::ManagedGateway& gateway);

}  // namespace headgate::http
