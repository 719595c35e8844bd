// What captures and flushes share: how an operation begins, and how it ends.
#pragma once

#include <chrono>

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"

namespace headgate::operations {

/// An operation on its way, from its request to its result.
class OperationRun {
  public:
    OperationRun(const Clock& clock, OperationType type, Endpoint endpoint, FlowQuery query);

    [[nodiscard]] FlowOperation& operation() noexcept { return operation_; }
    [[nodiscard]] Moment moment() const { return Moment{operation_.requested_at, std::nullopt}; }

    void count(const ScanReport& report);
    void count(Outcome outcome);

    /// Completed, or with errors where a flow failed.
    [[nodiscard]] FlowOperation finish();

  private:
    const Clock& clock_;
    std::chrono::steady_clock::time_point begun_;
    FlowOperation operation_;
};

}  // namespace headgate::operations
