// SPDX-License-Identifier: GPL-2.0-or-later
// Coalesces counts of a flow table: each reads the whole table, so callers that arrive meanwhile share the result.
#pragma once

#include <functional>
#include <future>
#include <mutex>
#include <optional>

#include "headgate/result.h"

#include "gateway/gateway.h"

namespace headgate::gateway {

/// Thread-safe.
class CoalescedCount {
  public:
    /// Counts the table, or waits for the count in progress.
    [[nodiscard]] Result<TableStatistics> run(const std::function<Result<TableStatistics>()>& count);

  private:
    std::mutex mutex_;
    std::optional<std::shared_future<Result<TableStatistics>>> pending_;
};

}  // namespace headgate::gateway
