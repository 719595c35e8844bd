// SPDX-License-Identifier: GPL-2.0-or-later
// Operations and their flows in SQLite: one file, `operations.db`, in a given directory.
//
// Two connections, one to write and one to read, so that reads wait neither for a capture nor for a disk sync. Several
// processes may use the file at once.
//
// Rows of a capture are collected into blocks of 4096 before they are written. Until then they are in memory only,
// where reads of this object find them; if the process is killed they are lost, like the operation itself.
//
// On a disk that cannot be written, reads still work; each write tries again, and returns the reason.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "headgate/clock.h"
#include "headgate/operation_store.h"

#include "operations/database.h"
#include "operations/flow_rows.h"
#include "operations/sqlite_blocks.h"
#include "operations/yielding_mutex.h"

namespace headgate::operations {

class SqliteStore final : public OperationStore {
  public:
    /// As open_store_file; on a disk fault, as open_store_file_to_read. `clock` must outlive the store.
    [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(std::string folder,
                                                                   const Clock& clock = kSystemClock);

    Result<void> begin(const FlowOperation& operation, std::string_view request_token) override;
    Result<void> update(const FlowOperation& operation) override;
    Result<std::optional<FlowOperation>> find(std::string_view id) override;
    Result<std::optional<FlowOperation>> find_by_token(std::string_view request_token) override;
    Result<std::vector<FlowOperation>> list(const OperationSelection& selection) override;

    Result<void> append(std::string_view id, std::span<const FlowRow> flows) override;
    Result<void> ensure_room(std::uint64_t flows) override;
    Result<std::uint64_t> append_pending(std::string_view id, std::span<const FlowRow> rows) override;
    Result<void> record_outcomes(std::string_view id, std::uint64_t block, std::span<const FlowRow> endings) override;
    Result<void> for_each_pending(
        std::string_view id,
        const std::function<Result<void>(std::uint64_t block, std::span<const FlowRow> rows)>& sink) override;
    Result<void> for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) override;

    Result<std::uint64_t> expire(std::chrono::seconds kept_for) override;
    Result<bool> sweep() override;
    Result<std::uint64_t> shrink_to(std::uint64_t bytes, const MayGoOn& may_go_on = to_the_end) override;
    void trim() override;
    Result<std::uint64_t> bytes_used() override;

  private:
    struct Connection {
        YieldingMutex mutex;
        std::optional<Database> database;
    };
    struct Gathered {
        FlowBlock block;
        std::uint64_t first = 0;  ///< number of its first row within the operation
    };

    SqliteStore(std::string folder, const Clock& clock) : folder_(std::move(folder)), clock_(clock) {}

    template <typename Work>
    auto write(Durability durability, Work&& work) {
        const std::lock_guard lock{writer_.mutex};
        return transact(durability, std::forward<Work>(work));
    }
    template <typename Work>
    auto read(Work&& work) {
        const std::lock_guard lock{reader_.mutex};
        return reader_.database->run(std::forward<Work>(work));
    }

    /// All below require the writer's mutex.
    template <typename Work>
    auto transact(Durability durability, Work&& work) {
        return writing().and_then([&](Database* database) { return database->transact(durability, work); });
    }
    [[nodiscard]] Result<Database*> writing();
    [[nodiscard]] Result<void> write_end(const FlowOperation& operation);
    [[nodiscard]] Result<void> write_gathered(std::string_view id);
    [[nodiscard]] static Result<bool> sweep_some(Database& database);

    /// Runs a step with the writer's mutex, after all other writers and a pause as long as the previous step.
    template <typename Step>
    auto run_step(Step&& step) -> std::invoke_result_t<Step, Database&>;
    [[nodiscard]] Result<void> sweep_all(const MayGoOn& may_go_on);
    enum class Removal : std::uint8_t { Removed, NotNeeded, NoneLeft, NotSwept };
    [[nodiscard]] static Result<Removal> remove_oldest_beyond(Database& database, std::uint64_t bytes);

    void forget_gathered(std::string_view id);

    [[nodiscard]] Result<std::optional<StoredBlock>> block_with(const std::string& id, std::uint64_t row);
    [[nodiscard]] Result<std::optional<StoredBlock>> gathered_with(std::string_view id, std::uint64_t row);

    const std::string folder_;
    const Clock& clock_;
    Connection writer_;  ///< without a database as long as the disk cannot be written
    Connection reader_;
    std::map<std::string, Gathered, std::less<>> gathered_;  ///< by operation; guarded by the writer's mutex
    std::atomic<bool> is_gathering_ = false;
    std::atomic<std::chrono::steady_clock::time_point> next_step_{};
};

}  // namespace headgate::operations
