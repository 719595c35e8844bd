// SPDX-License-Identifier: GPL-2.0-or-later
// Operations that could not be stored on disk, kept in memory as long as this process lives.
//
// For captures and dry runs only, which need no journal. Rows are packed into memory files (memfd_create(2)), which are
// not part of the process's own pages. Their total size is bounded; beyond it the oldest ended operations are removed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "headgate/clock.h"
#include "headgate/operation_store.h"

#include "files/file_descriptor.h"
#include "operations/flow_rows.h"

namespace headgate::operations {

class UnkeptStore final : public OperationStore {
  public:
    static constexpr std::size_t kMostOperations = 64;

    explicit UnkeptStore(const Clock& clock) : clock_(clock) {}

    Result<void> begin(const FlowOperation& operation, std::string_view request_token) override;
    Result<void> update(const FlowOperation& operation) override;
    Result<std::optional<FlowOperation>> find(std::string_view id) override;
    Result<std::optional<FlowOperation>> find_by_token(std::string_view request_token) override;
    Result<std::vector<FlowOperation>> list(const OperationSelection& selection) override;

    /// Whether the operation is kept here.
    [[nodiscard]] bool has(std::string_view id);

    /// Removes an operation that could not be copied completely.
    void remove(std::string_view id);

    Result<void> append(std::string_view id, std::span<const FlowRow> flows) override;
    Result<void> for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) override;

    Result<std::uint64_t> expire(std::chrono::seconds kept_for) override;
    Result<bool> sweep() override { return false; }
    Result<std::uint64_t> shrink_to(std::uint64_t bytes, const MayGoOn& may_go_on) override;
    void trim() override {}
    Result<std::uint64_t> bytes_used() override;

    // There is always room, and no journal.
    Result<void> ensure_room(std::uint64_t flows) override;
    Result<std::uint64_t> append_pending(std::string_view id, std::span<const FlowRow> rows) override;
    Result<void> record_outcomes(std::string_view id, std::uint64_t block, std::span<const FlowRow> endings) override;
    Result<void> for_each_pending(
        std::string_view id,
        const std::function<Result<void>(std::uint64_t block, std::span<const FlowRow> rows)>& sink) override;

  private:
    struct Block {
        std::uint64_t first = 0;  ///< number of its first row within the operation
        std::uint32_t count = 0;
        std::uint64_t offset = 0;  ///< in the memory file
        std::size_t rows = 0;      ///< bytes
        std::size_t outcomes = 0;  ///< bytes that follow them
    };
    struct Record {
        FlowOperation operation;
        std::string token;
        std::shared_ptr<const FileDescriptor> memory;
        std::vector<Block> blocks;
        std::uint64_t bytes = 0;
        std::chrono::steady_clock::time_point ended{};

        [[nodiscard]] bool has_ended() const { return operation.status != OperationStatus::InProgress; }
        [[nodiscard]] std::uint64_t rows() const {
            return blocks.empty() ? 0 : blocks.back().first + blocks.back().count;
        }
    };

    // Require the mutex.
    [[nodiscard]] Result<Record*> find_record(std::string_view id);
    [[nodiscard]] std::uint64_t bytes() const;
    bool remove_oldest();

    [[nodiscard]] Result<std::optional<PackedFlows>> block_with(std::string_view id, std::uint64_t row);

    const Clock& clock_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Record>> records_;  ///< oldest first
};

}  // namespace headgate::operations
