// Keeps the rows that a flush identified until it may end them, without holding a large table in memory.
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

namespace headgate::operations {

/// The first rows stay in memory; what is more goes to an unlinked temporary file, which is gone with this object.
/// Not thread-safe.
class FlowSpool {
  public:
    /// In `folder` where the system has no place for temporary files, as one whose disks are read-only.
    explicit FlowSpool(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// An error: the disk is full or not writable.
    [[nodiscard]] Result<void> append(std::span<const FlowRow> rows);

    /// All rows are where they can be read from: after this a full disk does no harm.
    [[nodiscard]] Result<void> seal();

    /// Hands over all rows in their order, block by block.
    [[nodiscard]] Result<void> for_each_block(const std::function<Result<void>(std::span<const FlowRow>)>& take);

    /// The first rows, as many as there are in memory.
    [[nodiscard]] std::span<const FlowRow> head() const noexcept { return head_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  private:
    struct Closer {
        void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
    };

    using File = std::unique_ptr<std::FILE, Closer>;
    [[nodiscard]] File open_tail() const;

    std::filesystem::path folder_;
    std::vector<FlowRow> head_;
    File tail_;
    std::uint64_t size_ = 0;
};

}  // namespace headgate::operations
