// SPDX-License-Identifier: GPL-2.0-or-later
// Packed flows for the store: a block of rows, and separately their outcomes, so that outcomes are added without
// rewriting rows. About 45 bytes per IPv4 row, 70 per IPv6 row. A verdict that many rows share is in the first of them,
// and the others have its number.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "headgate/flow_table.h"
#include "headgate/operation_flows.h"
#include "headgate/result.h"

#include "operations/packed_bytes.h"

namespace headgate::operations {

/// A block being filled. Both parts begin with a version and the row count; all numbers are little endian.
class FlowBlock {
  public:
    void add(const FlowRow& row);

    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
    [[nodiscard]] bool has_outcomes() const noexcept { return has_outcomes_; }

    /// The packed form of the rows added so far.
    [[nodiscard]] const PackedBytes& rows();
    [[nodiscard]] const PackedBytes& outcomes();

  private:
    void add_verdict(const SharedVerdict& verdict);

    PackedBytes rows_, outcomes_;
    std::unordered_map<const FlowVerdict*, std::uint64_t> verdicts_;  ///< the number of each
    std::vector<SharedVerdict> kept_;                                 ///< so that no other one has its address
    std::uint32_t count_ = 0;
    bool has_outcomes_ = false;
};

/// Packs a block's outcomes: outcome, errno, and all properties of a flow that can change.
[[nodiscard]] PackedBytes pack_endings(std::span<const FlowRow> endings);

/// Unpacks a block in order, some rows at a time: a client that reads slowly makes its request hold the packed bytes
/// and these rows. The bytes are not trusted: a malformed block is a Damaged error, at the latest with its last
/// row. Not thread-safe; refers to the bytes.
class FlowBlockReader {
  public:
    [[nodiscard]] static Result<FlowBlockReader> open(std::span<const std::byte> rows,
                                                      std::span<const std::byte> outcomes = {});

    [[nodiscard]] std::uint32_t left() const noexcept { return left_; }

    /// The next rows, at most `count` of them.
    [[nodiscard]] Result<std::vector<FlowRow>> read(std::uint64_t count);

  private:
    FlowBlockReader(PackedReader rows, std::optional<PackedReader> outcomes, std::uint32_t count)
        : rows_(rows), outcomes_(outcomes), count_(count), left_(count) {}

    [[nodiscard]] SharedVerdict read_shared_verdict();

    PackedReader rows_;
    std::vector<SharedVerdict> verdicts_;  ///< those of the rows so far
    std::optional<PackedReader> outcomes_;
    std::uint32_t count_;
    std::uint32_t left_;
};

/// All flows of a block.
[[nodiscard]] Result<std::vector<FlowRow>> unpack(std::span<const std::byte> rows,
                                                  std::span<const std::byte> outcomes = {});

/// At most `count` flows, from the row with this number within the operation on.
[[nodiscard]] Result<std::vector<FlowRow>> unpack_from(const PackedFlows& block, std::uint64_t row,
                                                       std::uint64_t count);

/// Passes the flows from that row on to `sink`, some at a time.
[[nodiscard]] Result<void> for_each_from(const PackedFlows& block, std::uint64_t row, const StoredFlowSink& sink);

/// Says whose block is damaged, if one is.
template <typename T>
Result<T> of_operation(std::string_view id, Result<T> read) {
    if (read || read.error().kind != ErrorKind::Damaged) return read;
    return tl::unexpected(std::move(read.error()).within(fmt::format("operation {}", id)));
}

}  // namespace headgate::operations
