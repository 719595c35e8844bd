// What every program tells Prometheus of itself.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace headgate::http {

/// Memory, descriptors and CPU time of this process, now. What cannot be read (no /proc) is left out.
[[nodiscard]] std::vector<prometheus::MetricFamily> process_metrics();

}  // namespace headgate::http
