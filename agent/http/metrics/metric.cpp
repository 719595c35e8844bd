// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/metrics/metric.h"

namespace headgate::http {

prometheus::MetricFamily family_of(const Metric& metric) {
    return {metric.name, metric.help, metric.type, {}};
}

void add(prometheus::MetricFamily& family, const prometheus::Labels& labels, double value) {
    auto& series = family.metric.emplace_back();
    for (const auto& [name, text] : labels)
        series.label.push_back({name, text});
    if (family.type == prometheus::MetricType::Counter) {
        series.counter.value = value;
    } else {
        series.gauge.value = value;
    }
}

prometheus::MetricFamily single(const Metric& metric, double value) {
    auto family = family_of(metric);
    add(family, {}, value);
    return family;
}

}  // namespace headgate::http
