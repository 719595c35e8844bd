// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/metrics/process_metrics.h"

#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "http/metrics/metric.h"

namespace headgate::http {
namespace {

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

std::vector<prometheus::MetricFamily> process_metrics() {
    std::vector<prometheus::MetricFamily> families;
    if (const auto bytes = resident_bytes()) families.push_back(single(kProcessMemory, *bytes));
    if (const auto descriptors = open_descriptors()) families.push_back(single(kProcessDescriptors, *descriptors));
    if (const auto seconds = cpu_seconds()) families.push_back(single(kProcessTime, *seconds));
    return families;
}

}  // namespace headgate::http
