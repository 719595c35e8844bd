// SPDX-License-Identifier: GPL-2.0-or-later
// Writes an operation and its flows to stdout.
#pragma once

#include <cstdint>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "cli/writer.h"
#include "gateway/gateway.h"

namespace headgate::cli {

/// A reader that closes the pipe early is no error, and does not end the operation.
class OperationOutput {
  public:
    explicit OperationOutput(Writer& writer) : writer_(writer) {}

    /// The flows that have become known since the last time.
    void write_flows(gateway::Gateway& gateway, const FlowOperation& operation);

    /// The rest of them, and the operation as it has ended.
    [[nodiscard]] Result<void> finish(gateway::Gateway& gateway, const FlowOperation& operation);

  private:
    void begin(const FlowOperation& operation);

    Writer& writer_;
    bool begun_ = false;
    std::uint64_t flows_ = 0;  ///< that are written
    Result<void> written_;
};

}  // namespace headgate::cli
