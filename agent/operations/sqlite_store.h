// Operations and their flows in SQLite: one file, `operations.db`, in a folder of the caller's choice.
//
// Two connections: one for whoever writes and one for whoever reads, so that a look-up waits neither for a capture nor
// for a sync of the disk. Other processes may use the same file at the same time.
//
// Rows of a capture are gathered into blocks of 4096 before they are written, and a read of the same store writes what
// is gathered so far. Until then they are in memory alone: they end with a process that is killed, and so does their
// operation.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "headgate/operation_store.h"

#include "operations/database.h"
#include "operations/flow_rows.h"
#include "operations/sqlite_blocks.h"

namespace headgate::operations {

class SqliteStore final : public OperationStore {
  public:
    /// As open_store_file.
    [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(const std::string& folder);

    Result<void> begin(const FlowOperation& operation, std::string_view request_token) override;
    Result<void> update(const FlowOperation& operation) override;
    Result<std::optional<FlowOperation>> find(std::string_view id) override;
    Result<std::optional<FlowOperation>> find_by_token(std::string_view request_token) override;
    Result<std::vector<FlowOperation>> list(const OperationSelection& selection) override;

    Result<void> append(std::string_view id, std::span<const StoredFlow> flows) override;
    Result<void> ensure_room(std::uint64_t flows) override;
    Result<std::uint64_t> append_pending(std::string_view id, std::span<const FlowRow> rows) override;
    Result<void> settle(std::string_view id, std::uint64_t block, std::span<const FlowEnding> endings) override;
    Result<void> for_each_pending(
        std::string_view id,
        const std::function<Result<void>(std::uint64_t block, std::span<const FlowRow> rows)>& take) override;
    Result<std::vector<StoredFlow>> flows(std::string_view id, std::uint64_t first, std::size_t count) override;
    Result<void> for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take) override;

    Result<std::uint64_t> expire(Timestamp before) override;
    Result<std::uint64_t> shrink_to(std::uint64_t bytes) override;
    void trim() override;
    Result<std::uint64_t> bytes_used() override;

  private:
    struct Connection {
        std::mutex mutex;
        Database database;
    };

    SqliteStore(Database writer, Database reader) : writer_{{}, std::move(writer)}, reader_{{}, std::move(reader)} {}

    template <typename Work>
    auto write(Durability durability, Work&& work) {
        const std::lock_guard lock{writer_.mutex};
        return writer_.database.transact(durability, std::forward<Work>(work));
    }
    template <typename Work>
    auto read(Work&& work) {
        const std::lock_guard lock{reader_.mutex};
        return reader_.database.run(std::forward<Work>(work));
    }

    /// All with the writer's mutex held.
    [[nodiscard]] Result<void> write_end(const FlowOperation& operation);
    [[nodiscard]] Result<void> write_gathered(std::string_view id);
    [[nodiscard]] Result<void> sweep();

    void forget_gathered(std::string_view id);

    /// Writes what is gathered of an operation that is about to be read.
    [[nodiscard]] Result<void> show_gathered(std::string_view id);
    [[nodiscard]] Result<std::optional<StoredBlock>> block_with(const std::string& id, std::uint64_t row);

    Connection writer_;
    Connection reader_;
    std::map<std::string, FlowBlock, std::less<>> gathered_;  ///< by operation; under the writer's mutex
    std::atomic<bool> is_gathering_ = false;
};

}  // namespace headgate::operations
