// One census of a flow table at a time: it reads the whole table, and whoever asks meanwhile gets its result.
#pragma once

#include <functional>
#include <future>
#include <mutex>
#include <utility>
#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "gateway/gateway.h"

namespace headgate::gateway {

/// Thread-safe.
class SharedCensus {
  public:
    /// Takes the census, or waits for the one that is being taken.
    [[nodiscard]] Result<TableCensus> take(const Endpoint& endpoint, const std::function<Result<TableCensus>()>& count);

  private:
    using Pending = std::shared_future<Result<TableCensus>>;

    std::mutex mutex_;
    std::vector<std::pair<Endpoint, Pending>> pending_;
};

}  // namespace headgate::gateway
