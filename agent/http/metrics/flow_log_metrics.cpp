// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/metrics/flow_log_metrics.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "http/metrics/metric.h"

namespace headgate::http {
namespace {

using prometheus::MetricFamily;

constexpr std::array<std::optional<EndReason>, 5> kReasons = {EndReason::Flushed, EndReason::Closed, EndReason::Timeout,
                                                              EndReason::Evicted, std::nullopt};

MetricFamily logged_flows(const flowlog::FlowLogCounts& counts) {
    auto family = family_of(kLoggedFlows);
    for (const auto reason : kReasons) {
        const auto found = counts.ended.find(reason);
        const auto flows = found == counts.ended.end() ? 0 : found->second;
        add(family, {{"reason", reason ? std::string{to_string(*reason)} : "unknown"}}, static_cast<double>(flows));
    }
    return family;
}

}  // namespace

std::vector<MetricFamily> flow_log_metrics(const flowlog::FlowLogCounts& counts) {
    auto written = family_of(kSinkWritten);
    auto dropped = family_of(kSinkDropped);
    auto up = family_of(kSinkUp);
    for (const auto& [name, sink] : counts.sinks) {
        const prometheus::Labels label{{"sink", name}};
        add(written, label, static_cast<double>(sink.written));
        add(dropped, label, static_cast<double>(sink.dropped));
        add(up, label, sink.fault.empty() ? 1 : 0);
    }
    return {logged_flows(counts), single(kUnloggedFlows, static_cast<double>(counts.dropped)), std::move(written),
            std::move(dropped), std::move(up)};
}

void add_lost_events(std::vector<MetricFamily>& families, const flowlog::FlowLogCounts& counts) {
    const auto lost = std::ranges::find(families, kEventsLost.name, &MetricFamily::name);
    if (lost != families.end()) add(*lost, {{"source", "conntrack"}}, static_cast<double>(counts.events_lost));
}

}  // namespace headgate::http
