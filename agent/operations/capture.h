// Capture: the flows that match, told as they are found.
#pragma once

#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

namespace headgate::operations {

/// Runs to its end in the calling thread, and counts in `operation`, whose query has been validated. What the listener
/// returns as an error ends the capture with it.
[[nodiscard]] Result<void> run_capture(FlowTable& table, const Moment& moment, FlowOperation& operation,
                                       ScanListener& listener);

}  // namespace headgate::operations
