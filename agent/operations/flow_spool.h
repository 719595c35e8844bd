// SPDX-License-Identifier: GPL-2.0-or-later
// Holds the rows that a flush has identified, until they may be ended, in bounded memory.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "operations/flow_rows.h"

namespace headgate::operations {

/// The first rows stay in memory; the rest goes, packed, to an unlinked temporary file, deleted with this object. The
/// file may be in memory, too (tmpfs). Not thread-safe.
class FlowSpool {
  public:
    /// `folder` is used where the system's temporary directory is not writable.
    explicit FlowSpool(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// An error: the disk is full or not writable.
    [[nodiscard]] Result<void> append(std::span<const FlowRow> rows);

    /// Makes sure that all rows can be read back, even if the disk fills up afterwards.
    [[nodiscard]] Result<void> seal();

    /// Passes on all rows in order, in blocks.
    [[nodiscard]] Result<void> for_each_block(const std::function<Result<void>(std::span<const FlowRow>)>& sink);

    /// The rows in memory, which are the first ones.
    [[nodiscard]] std::span<const FlowRow> head() const noexcept { return head_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  private:
    struct Closer {
        void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
    };

    [[nodiscard]] Result<void> write_block();

    using File = std::unique_ptr<std::FILE, Closer>;
    [[nodiscard]] File open_tail() const;

    std::filesystem::path folder_;
    std::vector<FlowRow> head_;
    FlowBlock block_;  ///< of the rest, until it is written
    File tail_;        ///< blocks, each after its size in bytes
    std::uint64_t size_ = 0;
};

}  // namespace headgate::operations
