// SPDX-License-Identifier: GPL-2.0-or-later
// The list of all Prometheus metrics, with their meaning. Names follow https://prometheus.io/docs/practices/naming/:
// base units, `_total` for counters. No label holds an address or any other value that clients choose, so the number of
// series is bounded.
#pragma once

#include <prometheus/labels.h>
#include <prometheus/metric_family.h>

namespace headgate::http {

struct Metric {
    const char* name;
    const char* help;
    prometheus::MetricType type;
};

/// Label of metrics that belong to a firewall. Callers confined to some firewalls see only metrics with this label.
inline constexpr const char* kFirewallLabel = "firewall";

// Counted when they happen.
inline constexpr Metric kOperations{"headgate_operations_total", "Flow operations that ended, or were refused.",
                                    prometheus::MetricType::Counter};
inline constexpr Metric kOperationDuration{"headgate_operation_duration_seconds",
                                           "How long flow operations took that were begun.",
                                           prometheus::MetricType::Histogram};
inline constexpr Metric kFlowsScanned{"headgate_flows_scanned_total", "Flows that flow operations looked at.",
                                      prometheus::MetricType::Counter};
inline constexpr Metric kFlowsMatched{"headgate_flows_matched_total", "Flows that matched a flow operation's filters.",
                                      prometheus::MetricType::Counter};
inline constexpr Metric kFlowsFlushed{"headgate_flows_flushed_total",
                                      "Flows that were to be flushed, by what became of them; without dry runs.",
                                      prometheus::MetricType::Counter};
inline constexpr Metric kEventsLost{"headgate_events_lost_total",
                                    "Notifications that the kernel had to drop for the agent: of conntrack, each; of "
                                    "nftables, how often it did, as it does not tell how many.",
                                    prometheus::MetricType::Counter};
inline constexpr Metric kRequests{"headgate_http_requests_total", "HTTP requests that were answered.",
                                  prometheus::MetricType::Counter};
inline constexpr Metric kTurnedAway{
    "headgate_http_connections_turned_away_total",
    "Connections that were closed before they had an answer: too many, of all or of one address.",
    prometheus::MetricType::Counter};
inline constexpr Metric kRequestDuration{"headgate_http_request_duration_seconds",
                                         "From a request's arrival to the end of its answer.",
                                         prometheus::MetricType::Histogram};

// Read on request. Endpoints in one network namespace share its flow table and rules, which are reported once, for the
// first of them.
inline constexpr Metric kMidstreamPackets{"headgate_midstream_packets_total",
                                          "Packets that a stream exception policy has caught. For the first endpoint "
                                          "of each network namespace.",
                                          prometheus::MetricType::Counter};
inline constexpr Metric kMidstreamBytes{"headgate_midstream_bytes_total",
                                        "Bytes of those packets. For the first endpoint of each network namespace.",
                                        prometheus::MetricType::Counter};
inline constexpr Metric kTableEntries{"headgate_flow_table_entries",
                                      "Entries of the flow table, of all conntrack zones. For the first endpoint of "
                                      "each network namespace.",
                                      prometheus::MetricType::Gauge};
inline constexpr Metric kTablePeak{"headgate_flow_table_entries_peak",
                                   "The most entries that the agent has seen since its start: at each of these "
                                   "readings, and when a client asks for the table.",
                                   prometheus::MetricType::Gauge};
inline constexpr Metric kTableLimit{
    "headgate_flow_table_entries_limit",
    "How many entries the kernel accepts (nf_conntrack_max); absent where there is no limit.",
    prometheus::MetricType::Gauge};
inline constexpr Metric kLoggedFlows{"headgate_flow_log_flows_total",
                                     "Ended flows that a record was made of, by why they ended.",
                                     prometheus::MetricType::Counter};
inline constexpr Metric kUnloggedFlows{"headgate_flow_log_dropped_total",
                                       "Ended flows that were dropped on their way to a record.",
                                       prometheus::MetricType::Counter};
inline constexpr Metric kSinkWritten{"headgate_flow_log_sink_written_total", "Records that were written to a sink.",
                                     prometheus::MetricType::Counter};
inline constexpr Metric kSinkDropped{"headgate_flow_log_sink_dropped_total",
                                     "Records that were dropped as a sink did not take them in time.",
                                     prometheus::MetricType::Counter};
inline constexpr Metric kSinkUp{"headgate_flow_log_sink_up", "Whether a sink can be written to: 1 or 0.",
                                prometheus::MetricType::Gauge};
inline constexpr Metric kScrapeErrors{"headgate_scrape_errors_total",
                                      "Readings of an endpoint that failed: its metrics were left out, all or some.",
                                      prometheus::MetricType::Counter};

// The agent itself. The `process_` names are common to all Prometheus clients
// (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics).
inline constexpr Metric kBuildInfo{"headgate_build_info", "Always 1; the label says which headgate this is.",
                                   prometheus::MetricType::Gauge};
inline constexpr Metric kStartTime{"headgate_start_time_seconds", "When the agent was started, in Unix time.",
                                   prometheus::MetricType::Gauge};
inline constexpr Metric kProcessMemory{"process_resident_memory_bytes", "Resident memory size in bytes.",
                                       prometheus::MetricType::Gauge};
inline constexpr Metric kProcessDescriptors{"process_open_fds", "Number of open file descriptors.",
                                            prometheus::MetricType::Gauge};
inline constexpr Metric kProcessTime{"process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
                                     prometheus::MetricType::Counter};

/// The family of a counter or gauge that is read on request.
[[nodiscard]] prometheus::MetricFamily family_of(const Metric& metric);
void add(prometheus::MetricFamily& family, const prometheus::Labels& labels, double value);

/// A family of one series without labels.
[[nodiscard]] prometheus::MetricFamily single(const Metric& metric, double value);

}  // namespace headgate::http
