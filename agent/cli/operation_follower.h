// SPDX-License-Identifier: GPL-2.0-or-later
// Orders an operation of a gateway, follows it to its end, and writes what comes of it.
#pragma once

#include <cstdint>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "cli/exit_code.h"
#include "cli/operation_output.h"
#include "gateway/gateway.h"

namespace headgate::cli {

enum class Explain : std::uint8_t { No, Yes };

/// Shows on a terminal how far it has come; Ctrl-C ends it early. What it finds goes to `output`, if there is one, as
/// it is found. An error where it was refused, or failed before it had found a flow.
[[nodiscard]] Result<FlowOperation> run_operation(gateway::Gateway& gateway, const gateway::OperationOrder& order,
                                                  Explain explain, OperationOutput* output = nullptr);

/// Writes what came of it; on stderr, what it could not know or do, and what the operator should know.
[[nodiscard]] Result<ExitCode> conclude(gateway::Gateway& gateway, const FlowOperation& operation,
                                        OperationOutput& output);

}  // namespace headgate::cli
