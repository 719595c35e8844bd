// SPDX-License-Identifier: GPL-2.0-or-later
// Writes an operation and its flows to stdout.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "cli/writer.h"
#include "gateway/gateway.h"

namespace headgate::cli {

/// The columns of flows, for the arguments of commands that show them.
[[nodiscard]] std::vector<Column> flow_columns();

/// `: 2 by protected: destination-port=22; 1 by SSH session of the caller`. Empty without rules.
[[nodiscard]] std::string rules_text(const std::vector<ProtectedBy>& rules);

/// What a flush did, or a dry run would do, to how many flows: `2 flushed, 0 gone, 0 failed, 1 protected`.
[[nodiscard]] std::string outcomes_text(const FlowOperation& operation);

/// Until when the policy blocks the flows that a flush has ended; empty if it does not.
[[nodiscard]] std::string blocked_text(const FlowOperation& operation, const CellStyle& style);

/// A reader that closes the pipe early is no error and does not end the operation.
class OperationOutput {
  public:
    /// `shows`: which flows to write; empty: all.
    explicit OperationOutput(Writer& writer, std::function<bool(const FlowRow&)> shows = {})
        : writer_(writer), shows_(std::move(shows)) {}

    /// Writes the flows found since the last call.
    void write_flows(gateway::FlowOperations& operations, const FlowOperation& operation);

    /// Writes the remaining flows and the operation's final state.
    [[nodiscard]] Result<void> finish(gateway::FlowOperations& operations, const FlowOperation& operation);

    /// Whether stdout has the operation's keys.
    [[nodiscard]] bool has_keys() const { return writer_.has_keys(); }

  private:
    void begin(const FlowOperation& operation);

    Writer& writer_;
    const std::function<bool(const FlowRow&)> shows_;
    bool begun_ = false;
    std::uint64_t flows_ = 0;  ///< read so far
    Result<void> written_;
};

}  // namespace headgate::cli
