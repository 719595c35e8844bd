// SPDX-License-Identifier: GPL-2.0-or-later
// Begin, counts and end of an operation.
#pragma once

#include <string>
#include <vector>

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

namespace headgate::operations {

// The two status messages of AWS Network Firewall. The detail has the cause.
inline constexpr const char* kOperationError = "Flow operation error";
inline constexpr const char* kOperationTimeout = "Flow timeout";

/// A new operation with a new id, requested now.
[[nodiscard]] FlowOperation new_operation(const Clock& clock, const FlowRequest& request, Endpoint endpoint);

/// Adds a warning if the audit trail could not be written.
void warn_unless_recorded(std::vector<std::string>& warnings, const Result<void>& recorded);

/// The warning that the operation is visible now, but cannot be looked up later.
[[nodiscard]] std::string not_kept(const Error& why);

void count(FlowOperation& operation, const ScanReport& report);
void count(OperationCounts& counts, Outcome outcome);

/// Sets the final status of an operation whose run was cut short or got lost: with errors where it ended some flows.
void close_interrupted(FlowOperation& operation);

/// Sets the final status: failed, with the error; or completed, with errors where a flow failed.
void close(FlowOperation& operation, const Result<void>& run);

}  // namespace headgate::operations
