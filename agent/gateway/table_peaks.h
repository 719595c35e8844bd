// SPDX-License-Identifier: GPL-2.0-or-later
// The highest usage of each flow table, which the kernel does not keep.
#pragma once

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "headgate/flow_operation.h"

namespace headgate::gateway {

/// Thread-safe.
class TablePeaks {
  public:
    /// Records the present usage, and returns the highest so far.
    [[nodiscard]] std::uint64_t note(const Endpoint& endpoint, std::uint64_t in_use);

  private:
    std::mutex mutex_;
    std::vector<std::pair<Endpoint, std::uint64_t>> peaks_;
};

}  // namespace headgate::gateway
