// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/metrics/gateway_metrics.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "http/metrics/metric.h"

namespace headgate::http {
namespace {

using prometheus::MetricFamily;

struct Caught {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};

struct Families {
    MetricFamily entries = family_of(kTableEntries);
    MetricFamily peak = family_of(kTablePeak);
    MetricFamily limit = family_of(kTableLimit);
    MetricFamily packets = family_of(kMidstreamPackets);
    MetricFamily bytes = family_of(kMidstreamBytes);
};

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

void add_usage(Families& families, const Endpoint& endpoint, const gateway::TableStatistics& census) {
    const auto labels = labels_of(endpoint);
    add(families.entries, labels, static_cast<double>(census.usage.in_use));
    if (census.peak) add(families.peak, labels, static_cast<double>(*census.peak));
    const bool is_limited = census.usage.maximum != 0;
    if (is_limited) add(families.limit, labels, static_cast<double>(census.usage.maximum));
}

/// Sums over hooks and directions.
void add_caught(Families& families, const Endpoint& endpoint, const std::vector<PolicyCounter>& counters) {
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

}  // namespace

prometheus::Labels labels_of(const Endpoint& endpoint) {
    return {{kFirewallLabel, endpoint.firewall}, {"availability_zone", endpoint.availability_zone}};
}

GatewayReading read_gateway(gateway::Monitoring& monitoring) {
    Families families;
    GatewayReading reading;
    for (const auto& endpoint : first_endpoints(monitoring.places())) {
        const EndpointName name{endpoint.firewall, endpoint.availability_zone, std::nullopt};
        const auto usage = monitoring.usage(name);
        if (usage) add_usage(families, endpoint, *usage);
        const auto counters = monitoring.midstream_counters(name);
        if (counters) add_caught(families, endpoint, *counters);
        reading.endpoints.push_back({endpoint, usage && counters});
    }
    reading.families = {std::move(families.entries), std::move(families.peak), std::move(families.limit),
                        std::move(families.packets), std::move(families.bytes)};
    return reading;
}

}  // namespace headgate::http
