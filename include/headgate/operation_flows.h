// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the flows of operations, from a store or from a gateway. Both pass on packed blocks as the store has them, so
// that on the way to a reader in another process no flow is unpacked, printed or parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "headgate/flow.h"
#include "headgate/result.h"

namespace headgate {

using StoredFlowSink = std::function<Result<void>(std::span<const FlowRow>)>;

using PackedBytes = std::vector<std::byte>;

/// Flows in the form of operations/flow_rows.h, as a store keeps them.
struct PackedFlows {
    std::uint64_t first = 0;  ///< number of its first row within the operation
    std::uint64_t count = 0;
    PackedBytes rows;
    PackedBytes outcomes;  ///< empty: the flows have none

    [[nodiscard]] std::uint64_t end() const { return first + count; }
};
using PackedFlowsSink = std::function<Result<void>(const PackedFlows&)>;

class OperationFlows {
  public:
    virtual ~OperationFlows() = default;

    /// The blocks of an operation in order, as far as stored, in constant memory; first the one with flow number
    /// `first`. Each has the flow that follows those before, but may begin with some of them.
    virtual Result<void> for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) = 0;

    /// All flows from number `first` on, in order, some at a time.
    Result<void> for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& sink);

    /// `count` flows from number `first` on, in order; fewer at the end. A direct look-up, however many flows there
    /// are.
    Result<std::vector<FlowRow>> flows(std::string_view id, std::uint64_t first, std::size_t count);
};

}  // namespace headgate
