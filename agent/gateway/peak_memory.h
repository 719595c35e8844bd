// The most flows that were ever seen in each flow table: the kernel does not keep that.
#pragma once

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "headgate/flow_operation.h"

namespace headgate::gateway {

/// Thread-safe.
class PeakMemory {
  public:
    /// So many are there now. The most that there were, these included.
    [[nodiscard]] std::uint64_t note(const Endpoint& endpoint, std::uint64_t in_use);

  private:
    std::mutex mutex_;
    std::vector<std::pair<Endpoint, std::uint64_t>> peaks_;
};

}  // namespace headgate::gateway
