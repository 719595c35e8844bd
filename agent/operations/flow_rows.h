// The packed form of flows, as the store keeps them: a block of many rows, and apart from it what became of them, so
// that settling a block does not write its rows again. About 45 bytes for an IPv4 row, 70 for IPv6.
//
// A row has no FlowKey: tuple, zone and id make it anew (FlowKey's comment).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "headgate/flow_table.h"
#include "headgate/operation_store.h"
#include "headgate/result.h"

namespace headgate::operations {

using PackedBytes = std::vector<std::byte>;

/// A block in the making. Both parts begin with a version and the number of rows; all numbers are little endian.
class FlowBlock {
  public:
    void add(const Flow& flow);
    void add(const StoredFlow& flow);

    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
    [[nodiscard]] bool has_outcomes() const noexcept { return has_outcomes_; }

    /// Their packed form as it stands.
    [[nodiscard]] const PackedBytes& rows();
    [[nodiscard]] const PackedBytes& outcomes();

  private:
    PackedBytes rows_, outcomes_;
    std::uint32_t count_ = 0;
    bool has_outcomes_ = false;
};

/// What became of a block's flows: outcome, errno, and everything of a flow that can change while it lives.
[[nodiscard]] PackedBytes pack_endings(std::span<const FlowEnding> endings);

/// The rows of a block, without outcomes. The bytes are not trusted: an error says that they are no block.
[[nodiscard]] Result<std::vector<StoredFlow>> unpack_rows(std::span<const std::byte> bytes);

/// Adds what became of them to all flows of a block.
[[nodiscard]] Result<void> unpack_outcomes(std::span<const std::byte> bytes, std::span<StoredFlow> flows);

}  // namespace headgate::operations
