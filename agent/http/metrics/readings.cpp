// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/metrics/readings.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "gateway/endpoints.h"
namespace headgate::http {
namespace {

using prometheus::MetricFamily;

struct Caught {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};

struct EndpointFamilies {
    MetricFamily entries = family_of(kTableEntries);
    MetricFamily peak = family_of(kTablePeak);
    MetricFamily limit = family_of(kTableLimit);
    MetricFamily packets = family_of(kMidstreamPackets);
    MetricFamily bytes = family_of(kMidstreamBytes);
    MetricFamily quarantined = family_of(kQuarantineEntries);
    MetricFamily kept_away = family_of(kQuarantinePackets);
};

constexpr std::array<std::optional<EndReason>, 5> kReasons = {EndReason::Flushed, EndReason::Closed, EndReason::Timeout,
                                                              EndReason::Evicted, std::nullopt};

/// One endpoint per network namespace, even where one has several names.
std::vector<Endpoint> first_endpoints(const std::vector<gateway::EndpointPlace>& places) {
    std::vector<netlink::NamespaceId> seen;
    std::vector<Endpoint> first;
    for (const auto& place : places) {
        if (place.where && std::ranges::find(seen, *place.where) != seen.end()) continue;
        if (place.where) seen.push_back(*place.where);
        first.push_back(place.endpoint);
    }
    return first;
}

void add_usage(EndpointFamilies& families, const Endpoint& endpoint, const gateway::TableStatistics& statistics) {
    const auto labels = labels_of(endpoint);
    add(families.entries, labels, static_cast<double>(statistics.usage.in_use));
    if (statistics.peak) add(families.peak, labels, static_cast<double>(*statistics.peak));
    const bool is_limited = statistics.usage.maximum != 0;
    if (is_limited) add(families.limit, labels, static_cast<double>(statistics.usage.maximum));
}

/// Sums over hooks and directions.
void add_caught(EndpointFamilies& families, const Endpoint& endpoint, const std::vector<PolicyCounter>& counters) {
    std::map<std::pair<std::string, std::string>, Caught> sums;
    for (const auto& counter : counters) {
        auto& sum = sums[{counter.policy, counter.protocol}];
        sum.packets += counter.packets;
        sum.bytes += counter.bytes;
    }
    for (const auto& [of, sum] : sums) {
        auto labels = labels_of(endpoint);
        labels.emplace("policy", of.first);
        labels.emplace("protocol", of.second);
        add(families.packets, labels, static_cast<double>(sum.packets));
        add(families.bytes, labels, static_cast<double>(sum.bytes));
    }
}

void add_quarantine(EndpointFamilies& families, const Endpoint& endpoint, const std::vector<QuarantineEntry>& entries) {
    std::uint64_t packets = 0;
    for (const auto& entry : entries)
        packets += entry.packets;
    add(families.quarantined, labels_of(endpoint), static_cast<double>(entries.size()));
    add(families.kept_away, labels_of(endpoint), static_cast<double>(packets));
}

/// A family of one series without labels.
MetricFamily single(const Metric& metric, double value) {
    auto family = family_of(metric);
    add(family, {}, value);
    return family;
}

/// Field 2 of /proc/self/statm, in pages (proc(5)).
std::optional<double> resident_bytes() {
    std::ifstream statm{"/proc/self/statm"};
    double size = 0;
    double resident = 0;
    if (!(statm >> size >> resident)) return std::nullopt;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::optional<double> open_descriptors() {
    std::error_code error;
    const std::filesystem::directory_iterator each{"/proc/self/fd", error};
    if (error) return std::nullopt;
    return static_cast<double>(std::distance(begin(each), end(each)) - 1);  // minus the one that reads them
}

std::optional<double> cpu_seconds() {
    timespec used{};
    if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) return std::nullopt;
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

std::vector<EndpointReading> add_endpoints(MetricFamilies& families, gateway::Monitoring& monitoring) {
    EndpointFamilies theirs;
    std::vector<EndpointReading> readings;
    for (const auto& endpoint : first_endpoints(monitoring.places())) {
        const auto name = gateway::name_of(endpoint);
        const auto usage = monitoring.usage(name);
        if (usage) add_usage(theirs, endpoint, *usage);
        const auto counters = monitoring.midstream_counters(name);
        if (counters) add_caught(theirs, endpoint, *counters);
        const auto quarantine = monitoring.quarantine_entries(name);
        if (quarantine) add_quarantine(theirs, endpoint, *quarantine);
        readings.push_back({endpoint, usage && counters && quarantine});
    }
    for (auto* const family : {&theirs.entries, &theirs.peak, &theirs.limit, &theirs.packets, &theirs.bytes,
                               &theirs.quarantined, &theirs.kept_away})
        families.push_back(std::move(*family));
    return readings;
}

void add_flow_log(MetricFamilies& families, const flowlog::FlowLogCounts& counts) {
    const auto lost = std::ranges::find(families, kEventsLost.name, &MetricFamily::name);
    if (lost != families.end()) add(*lost, {{"source", "conntrack"}}, static_cast<double>(counts.events_lost));
    auto& logged = families.emplace_back(family_of(kLoggedFlows));
    for (const auto reason : kReasons) {
        const auto found = counts.ended.find(reason);
        const auto flows = found == counts.ended.end() ? 0 : found->second;
        add(logged, {{"reason", reason ? std::string{to_string(*reason)} : "unknown"}}, static_cast<double>(flows));
    }
    families.push_back(single(kUnloggedFlows, static_cast<double>(counts.dropped)));
    auto written = family_of(kSinkWritten);
    auto dropped = family_of(kSinkDropped);
    auto up = family_of(kSinkUp);
    for (const auto& [name, sink] : counts.sinks) {
        const prometheus::Labels label{{"sink", name}};
        add(written, label, static_cast<double>(sink.written));
        add(dropped, label, static_cast<double>(sink.dropped));
        add(up, label, sink.fault.empty() ? 1 : 0);
    }
    for (auto* const family : {&written, &dropped, &up})
        families.push_back(std::move(*family));
}

void add_process(MetricFamilies& families) {
    if (const auto bytes = resident_bytes()) families.push_back(single(kProcessMemory, *bytes));
    if (const auto descriptors = open_descriptors()) families.push_back(single(kProcessDescriptors, *descriptors));
    if (const auto seconds = cpu_seconds()) families.push_back(single(kProcessTime, *seconds));
}

prometheus::Labels labels_of(const Endpoint& endpoint) {
    return {{kFirewallLabel, endpoint.firewall}, {"availability_zone", endpoint.availability_zone}};
}

MetricFamily family_of(const Metric& metric) {
    return {metric.name, metric.help, metric.type, {}};
}

void add(MetricFamily& family, const prometheus::Labels& labels, double value) {
    auto& series = family.metric.emplace_back();
    for (const auto& [name, text] : labels)
        series.label.push_back({name, text});
    if (family.type == prometheus::MetricType::Counter) {
        series.counter.value = value;
    } else {
        series.gauge.value = value;
    }
}

}  // namespace headgate::http
