// How an operation begins, what is counted while it runs, and how it ends.
#pragma once

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

namespace headgate::operations {

// The two status messages that AWS Network Firewall has. What is behind them is told in the detail.
inline constexpr const char* kOperationError = "Flow operation error";
inline constexpr const char* kOperationTimeout = "Flow timeout";

/// One that begins now, with an id of its own.
[[nodiscard]] FlowOperation new_operation(const Clock& clock, OperationType type, Endpoint endpoint, FlowQuery query);

void count(FlowOperation& operation, const ScanReport& report);
void count(OperationCounts& counts, Outcome outcome);

/// Settles the status: failed with the error, or completed, with errors where a flow failed.
void close(FlowOperation& operation, const Result<void>& run);

}  // namespace headgate::operations
