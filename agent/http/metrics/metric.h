// SPDX-License-Identifier: GPL-2.0-or-later
// The list of all Prometheus metrics, with their meaning. Names follow https://prometheus.io/docs/practices/naming/:
// base units, `_total` for counters. No label holds an address or any other value that clients choose, so the number of
// series is bounded.
#pragma once

#include <prometheus/metric_type.h>

namespace headgate::http {

inline constexpr auto kCounter = prometheus::MetricType::Counter;
inline constexpr auto kGauge = prometheus::MetricType::Gauge;
inline constexpr auto kHistogram = prometheus::MetricType::Histogram;

struct Metric {
    prometheus::MetricType type;
    const char* name;
    const char* help;
};

/// Label of metrics that belong to a firewall. Callers confined to some firewalls see only metrics with this label.
inline constexpr const char* kFirewallLabel = "firewall";

// Counted when they happen.
inline constexpr Metric kOperations{kCounter, "headgate_operations_total",
                                    "Flow operations that ended, or were refused."};
inline constexpr Metric kOperationDuration{kHistogram, "headgate_operation_duration_seconds",
                                           "How long flow operations took that were begun."};
inline constexpr Metric kFlowsScanned{kCounter, "headgate_flows_scanned_total",
                                      "Flows that flow operations looked at."};
inline constexpr Metric kFlowsMatched{kCounter, "headgate_flows_matched_total",
                                      "Flows that matched a flow operation's filters."};
inline constexpr Metric kFlowsFlushed{kCounter, "headgate_flows_flushed_total",
                                      "Flows that were to be flushed, by what became of them; without dry runs."};
inline constexpr Metric kEventsLost{kCounter, "headgate_events_lost_total",
                                    "Notifications that the kernel had to drop for the agent: of conntrack, each; of "
                                    "nftables, how often it did, as it does not tell how many."};
inline constexpr Metric kRequests{kCounter, "headgate_http_requests_total", "HTTP requests that were answered."};
inline constexpr Metric kTurnedAway{
    kCounter, "headgate_http_connections_turned_away_total",
    "Connections that were closed before they had an answer: too many, of all or of one address."};
inline constexpr Metric kRequestDuration{kHistogram, "headgate_http_request_duration_seconds",
                                         "From a request's arrival to the end of its answer."};

// Read on request. Endpoints in one network namespace share its flow table and rules, which are reported once, for the
// first of them.
inline constexpr Metric kMidstreamPackets{kCounter, "headgate_midstream_packets_total",
                                          "Packets that a stream exception policy has caught. For the first endpoint "
                                          "of each network namespace."};
inline constexpr Metric kMidstreamBytes{kCounter, "headgate_midstream_bytes_total",
                                        "Bytes of those packets. For the first endpoint of each network namespace."};
inline constexpr Metric kQuarantineEntries{kGauge, "headgate_quarantine_entries",
                                           "Addresses and prefixes in quarantine. For the first endpoint of each "
                                           "network namespace."};
inline constexpr Metric kQuarantinePackets{kGauge, "headgate_quarantine_packets",
                                           "Packets that those entries have caught. For the first endpoint of each "
                                           "network namespace."};
inline constexpr Metric kTableEntries{kGauge, "headgate_flow_table_entries",
                                      "Entries of the flow table, of all conntrack zones. For the first endpoint of "
                                      "each network namespace."};
inline constexpr Metric kTablePeak{kGauge, "headgate_flow_table_entries_peak",
                                   "The most entries that the agent has seen since its start: at each of these "
                                   "readings, and when a client asks for the table."};
inline constexpr Metric kTableLimit{
    kGauge, "headgate_flow_table_entries_limit",
    "How many entries the kernel accepts (nf_conntrack_max); absent where there is no limit."};
inline constexpr Metric kLoggedFlows{kCounter, "headgate_flow_log_flows_total",
                                     "Ended flows that a record was made of, by why they ended."};
inline constexpr Metric kUnloggedFlows{kCounter, "headgate_flow_log_dropped_total",
                                       "Ended flows that were dropped on their way to a record."};
inline constexpr Metric kSinkWritten{kCounter, "headgate_flow_log_sink_written_total",
                                     "Records that were written to a sink."};
inline constexpr Metric kSinkDropped{kCounter, "headgate_flow_log_sink_dropped_total",
                                     "Records that were dropped as a sink did not take them in time."};
inline constexpr Metric kSinkUp{kGauge, "headgate_flow_log_sink_up", "Whether a sink can be written to: 1 or 0."};
inline constexpr Metric kScrapeErrors{kCounter, "headgate_scrape_errors_total",
                                      "Readings of an endpoint that failed: its metrics were left out, all or some."};

// The agent itself. The `process_` names are common to all Prometheus clients
// (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics).
inline constexpr Metric kBuildInfo{kGauge, "headgate_build_info", "Always 1; the label says which headgate this is."};
inline constexpr Metric kStartTime{kGauge, "headgate_start_time_seconds", "When the agent was started, in Unix time."};
inline constexpr Metric kProcessMemory{kGauge, "process_resident_memory_bytes", "Resident memory size in bytes."};
inline constexpr Metric kProcessDescriptors{kGauge, "process_open_fds", "Number of open file descriptors."};
inline constexpr Metric kProcessTime{kCounter, "process_cpu_seconds_total",
                                     "Total user and system CPU time spent in seconds."};

}  // namespace headgate::http
