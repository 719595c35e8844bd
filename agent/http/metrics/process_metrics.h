// SPDX-License-Identifier: GPL-2.0-or-later
// The standard process metrics of Prometheus clients.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace headgate::http {

/// Memory, descriptors and CPU time of this process. Values that cannot be read (no /proc) are absent.
[[nodiscard]] std::vector<prometheus::MetricFamily> process_metrics();

}  // namespace headgate::http
