// SPDX-License-Identifier: GPL-2.0-or-later
// Capture: reports matching flows as they are found.
#pragma once

#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

namespace headgate::operations {

/// Runs in the calling thread, and updates the counts in `operation`, whose query has been validated. An error from the
/// listener ends the capture and is returned.
[[nodiscard]] Result<void> run_capture(FlowTable& table, const Moment& moment, FlowOperation& operation,
                                       ScanListener& listener);

}  // namespace headgate::operations
