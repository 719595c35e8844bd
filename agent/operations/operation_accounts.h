// How an operation begins, what is counted while it runs, and how it ends.
#pragma once

#include <string>

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

namespace headgate::operations {

// The two status messages that AWS Network Firewall has. What is behind them is told in the detail.
inline constexpr const char* kOperationError = "Flow operation error";
inline constexpr const char* kOperationTimeout = "Flow timeout";

/// One that begins now, with an id of its own.
[[nodiscard]] FlowOperation new_operation(const Clock& clock, const FlowRequest& request, Endpoint endpoint);

/// Whether it only looks. Then it needs no journal, and is done even where it cannot be kept.
[[nodiscard]] bool only_looks(const FlowOperation& operation);

/// The warning that it is told, but cannot be looked up later.
[[nodiscard]] std::string not_kept(const Error& why);

void count(FlowOperation& operation, const ScanReport& report);
void count(OperationCounts& counts, Outcome outcome);

/// Settles the status: failed with the error, or completed, with errors where a flow failed.
void close(FlowOperation& operation, const Result<void>& run);

}  // namespace headgate::operations
