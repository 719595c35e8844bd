// SPDX-License-Identifier: GPL-2.0-or-later
// Starts an operation on a gateway, follows it to its end, and writes its results.
#pragma once

#include <cstdint>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "cli/exit_code.h"
#include "cli/gateway_arguments.h"
#include "cli/operation_output.h"
#include "gateway/gateway.h"

namespace headgate::cli {

enum class Explain : std::uint8_t { No, Yes };

/// Shows progress on a terminal; Ctrl-C cancels the operation. Writes flows that can be read early to `output`, if
/// given, as they are found. An error if the operation was refused, or failed before it had found a flow.
[[nodiscard]] Result<FlowOperation> run_operation(gateway::FlowOperations& operations,
                                                  const gateway::OperationRequest& request, Explain explain,
                                                  OperationOutput* output = nullptr);

/// Writes the results to `output`; and to stderr, warnings and everything that could not be determined or done, and the
/// place that was searched if nothing was found.
[[nodiscard]] Result<ExitCode> conclude(const GatewayArguments& arguments, gateway::FlowOperations& operations,
                                        const FlowOperation& operation, OperationOutput& output);

}  // namespace headgate::cli
