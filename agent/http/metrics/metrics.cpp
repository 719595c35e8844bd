// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/metrics/metrics.h"

#include <prometheus/gauge.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "headgate/clock.h"

#include "gateway/version.h"

namespace headgate::http {
namespace {

/// From a look-up of one flow to a flush of millions.
const prometheus::Histogram::BucketBoundaries kOperationSeconds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                                   1,     2.5,  5,     10,   30,  60,   300};
/// From a response out of memory to the flows of a large operation, or a long poll.
const prometheus::Histogram::BucketBoundaries kRequestSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                                 0.1,    0.25,  0.5,    1,     5,    30};

/// The methods of RFC 9110, section 9, and RFC 5789. Clients may invent others, which must not create series.
constexpr std::array<std::string_view, 9> kMethods = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                      "CONNECT", "OPTIONS", "TRACE", "PATCH"};
constexpr const char* kOther = "other";

prometheus::Family<prometheus::Counter>& counters(prometheus::Registry& registry, const Metric& metric) {
    return prometheus::BuildCounter().Name(metric.name).Help(metric.help).Register(registry);
}

prometheus::Family<prometheus::Histogram>& histograms(prometheus::Registry& registry, const Metric& metric) {
    return prometheus::BuildHistogram().Name(metric.name).Help(metric.help).Register(registry);
}

void set_gauge(prometheus::Registry& registry, const Metric& metric, const prometheus::Labels& labels, double value) {
    prometheus::BuildGauge().Name(metric.name).Help(metric.help).Register(registry).Add(labels).Set(value);
}

const char* status_of(const FlowOperation& operation) {
    if (operation.refused) return "refused";
    switch (operation.status) {
        case OperationStatus::Completed:
            return "completed";
        case OperationStatus::CompletedWithErrors:
            return "completed_with_errors";
        case OperationStatus::InProgress:
        case OperationStatus::Failed:
            break;
    }
    return "failed";
}

std::array<std::pair<const char*, std::uint64_t>, 4> outcomes_of(const OperationCounts& counts) {
    return {{{"flushed", counts.flushed},
             {"gone", counts.gone},
             {"failed", counts.failed},
             {"protected", counts.protected_flows}}};
}

/// Names that clients invent must not become labels.
std::string firewall_of(const FlowOperation& operation, const config::Configuration& configuration) {
    const auto& name = operation.endpoint.firewall;
    const bool is_known =
        std::ranges::find(configuration.firewalls, name, &config::Firewall::name) != configuration.firewalls.end();
    return is_known ? name : std::string{};
}

bool is_of(const prometheus::ClientMetric& series, const config::Configuration& theirs) {
    const auto label = std::ranges::find(series.label, kFirewallLabel, &prometheus::ClientMetric::Label::name);
    return label != series.label.end() &&
           std::ranges::find(theirs.firewalls, label->value, &config::Firewall::name) != theirs.firewalls.end();
}

/// Keeps only the series of these firewalls.
void confine(MetricFamilies& families, const config::Configuration& theirs) {
    for (auto& family : families)
        std::erase_if(family.metric, [&](const auto& series) { return !is_of(series, theirs); });
    std::erase_if(families, [](const auto& family) { return family.metric.empty(); });
}

double in_seconds(std::chrono::duration<double> time) {
    return time.count();
}

}  // namespace

Metrics::Metrics()
    : operations_(counters(registry_, kOperations)),
      operation_durations_(histograms(registry_, kOperationDuration)),
      flows_scanned_(counters(registry_, kFlowsScanned)),
      flows_matched_(counters(registry_, kFlowsMatched)),
      flows_flushed_(counters(registry_, kFlowsFlushed)),
      ruleset_events_lost_(counters(registry_, kEventsLost).Add({{"source", "nftables"}})),
      requests_(counters(registry_, kRequests)),
      turned_away_(counters(registry_, kTurnedAway).Add({})),
      request_durations_(histograms(registry_, kRequestDuration)) {
    set_gauge(registry_, kBuildInfo, {{"version", std::string{gateway::kVersion}}}, 1);
    set_gauge(registry_, kStartTime, {}, in_seconds(SystemClock{}.now().time_since_epoch()));
}

void Metrics::begin_with(const std::string& firewall) {
    for (const auto& kind : kOperationKinds) {
        const std::string verb{kind.verb};
        const prometheus::Labels of{{kFirewallLabel, firewall}, {"type", verb}};
        for (const auto* const status : {"completed", "completed_with_errors", "failed", "refused"})
            operations_.Add({{kFirewallLabel, firewall}, {"type", verb}, {"status", status}});
        operation_durations_.Add(of, kOperationSeconds);
        flows_scanned_.Add(of);
        flows_matched_.Add(of);
    }
    for (const auto& [outcome, none] : outcomes_of({}))
        flows_flushed_.Add({{kFirewallLabel, firewall}, {"outcome", outcome}});
}

void Metrics::count(const FlowOperation& ended, const config::Configuration& configuration) {
    const auto firewall = firewall_of(ended, configuration);
    const std::string verb{kind_of(ended.type).verb};
    const prometheus::Labels type{{kFirewallLabel, firewall}, {"type", verb}};
    operations_.Add({{kFirewallLabel, firewall}, {"type", verb}, {"status", status_of(ended)}}).Increment();
    flows_scanned_.Add(type).Increment(static_cast<double>(ended.counts.scanned));
    flows_matched_.Add(type).Increment(static_cast<double>(ended.counts.matched));
    const bool was_begun = !ended.id.empty();
    if (was_begun) operation_durations_.Add(type, kOperationSeconds).Observe(in_seconds(ended.duration));
    if (only_looks(ended)) return;
    for (const auto& [outcome, flows] : outcomes_of(ended.counts))
        flows_flushed_.Add({{kFirewallLabel, firewall}, {"outcome", outcome}}).Increment(static_cast<double>(flows));
}

void Metrics::count(const RequestRecord& answered) {
    const bool is_known = std::ranges::find(kMethods, answered.method) != kMethods.end();
    const std::string route{answered.route.empty() ? kOther : answered.route};
    requests_
        .Add({{"route", route},
              {"method", is_known ? answered.method : kOther},
              {"status", std::to_string(answered.status)}})
        .Increment();
    request_durations_.Add({{"route", route}}, kRequestSeconds).Observe(in_seconds(answered.duration));
}

void Metrics::count_turned_away() {
    turned_away_.Increment();
}

void Metrics::count_ruleset_losses(std::uint64_t times) {
    ruleset_events_lost_.Increment(static_cast<double>(times));
}

std::string Metrics::exposition(gateway::ManagedGateway& gateway) {
    const auto configuration = gateway.inventory().configuration();
    for (const auto& firewall : configuration->firewalls)
        begin_with(firewall.name);
    auto families = registry_.Collect();
    const auto endpoints = add_endpoints(families, gateway.monitoring());
    add_flow_log(families, gateway.monitoring().flow_log_counts());
    families.push_back(scrape_errors(endpoints));
    add_process(families);
    if (!gateway.inventory().is_whole()) confine(families, *configuration);
    return prometheus::TextSerializer{}.Serialize(families);
}

prometheus::MetricFamily Metrics::scrape_errors(const std::vector<EndpointReading>& endpoints) {
    auto family = family_of(kScrapeErrors);
    const std::lock_guard lock{mutex_};
    for (const auto& [endpoint, is_whole] : endpoints) {
        const auto labels = labels_of(endpoint);
        auto& errors = scrape_errors_[labels];
        if (!is_whole) ++errors;
        add(family, labels, static_cast<double>(errors));
    }
    return family;
}

Response metrics_answer(Metrics& metrics, gateway::ManagedGateway& gateway) {
    Response answer;
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = metrics.exposition(gateway);
    return answer;
}

}  // namespace headgate::http
