// SPDX-License-Identifier: GPL-2.0-or-later
// Blocks of packed flows as the body of a response: from the agent to the command line of the same version. The agent
// sends what its store has, without a copy; the command line unpacks it as it would unpack its own store's.
#pragma once

#include <cstddef>
#include <string_view>

#include "headgate/operation_flows.h"
#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http {

/// The media type.
inline constexpr std::string_view kFlowBlocks = "application/vnd.headgate.flow-blocks";

/// A head with the block's place and sizes, then its rows and outcomes.
[[nodiscard]] Result<void> send_block(const PackedFlows& block, const BodySink& send);

/// Splits a body into its blocks, whatever pieces it arrives in; holds one block. Blocks are passed on whole, or not at
/// all.
class FlowBlocks {
  public:
    explicit FlowBlocks(const PackedFlowsSink& sink) : sink_(sink) {}

    [[nodiscard]] Result<void> feed(std::string_view bytes);

    /// An error in the middle of a block.
    [[nodiscard]] Result<void> finish() const;

  private:
    /// The part of a block that is arriving; it is not empty.
    struct Part {
        PackedBytes* bytes;
        std::size_t size;
    };
    [[nodiscard]] Part arriving();
    [[nodiscard]] Result<void> begin_block();

    const PackedFlowsSink& sink_;
    PackedBytes head_;
    PackedFlows block_;
    std::size_t rows_ = 0;      ///< bytes, as the head says
    std::size_t outcomes_ = 0;  ///< likewise
};

}  // namespace headgate::http
