// SPDX-License-Identifier: GPL-2.0-or-later
// SqliteStore: appending, completing and reading flows.
#include <algorithm>
#include <utility>

#include "operations/sqlite_store.h"

namespace headgate::operations {
namespace {

using Poco::Data::Session;

/// About 190 KiB of IPv4 rows. A block takes a few statements whatever its size, and a page reads one or two blocks.
constexpr std::uint32_t kRowsPerBlob = 4096;

}  // namespace

Result<void> SqliteStore::append(std::string_view id, std::span<const FlowRow> flows) {
    const std::string key{id};
    const std::lock_guard lock{writer_.mutex};
    while (!flows.empty()) {
        if (!gathered_.contains(key)) {
            ASSIGN_OR_RETURN(const auto rows, writing().and_then([&](Database* database) {
                return database->run([&](Session& session) { return count_rows(session, key); });
            }));
            gathered_[key].first = rows;
        }
        auto& block = gathered_[key].block;
        is_gathering_ = true;
        const auto fitting = flows.first(std::min<std::size_t>(flows.size(), kRowsPerBlob - block.count()));
        for (const auto& flow : fitting)
            block.add(flow);
        flows = flows.subspan(fitting.size());
        if (block.count() < kRowsPerBlob) continue;
        RETURN_IF_ERROR(write_gathered(id));
    }
    return {};
}

/// On failure the rows stay in memory: the next append, or the end of the operation, meets the same error.
Result<void> SqliteStore::write_gathered(std::string_view id) {
    const auto found = gathered_.find(id);
    if (found == gathered_.end()) return {};
    auto written = transact(Durability::Kept, [&](Session& session) -> Result<void> {
        return insert_block(session, found->first, found->second.block, BlockKind::Told).map([](std::uint64_t) {});
    });
    if (written) forget_gathered(id);
    return written;
}

void SqliteStore::forget_gathered(std::string_view id) {
    if (const auto found = gathered_.find(id); found != gathered_.end()) gathered_.erase(found);
    is_gathering_ = !gathered_.empty();
}

Result<std::uint64_t> SqliteStore::append_pending(std::string_view id, std::span<const FlowRow> rows) {
    FlowBlock block;
    for (const auto& row : rows)
        block.add(row);
    const std::lock_guard lock{writer_.mutex};
    RETURN_IF_ERROR(write_gathered(id));
    return transact(Durability::OnDisk, [&](Session& session) {
        return insert_block(session, std::string{id}, block, BlockKind::Journal);
    });
}

Result<void> SqliteStore::record_outcomes(std::string_view id, std::uint64_t block, std::span<const FlowRow> endings) {
    return write(Durability::Kept,
                 [&](Session& session) { return record_block_outcomes(session, std::string{id}, block, endings); });
}

Result<void> SqliteStore::for_each_pending(
    std::string_view id, const std::function<Result<void>(std::uint64_t block, std::span<const FlowRow> rows)>& sink) {
    const std::string key{id};
    for (std::uint64_t row = 0;;) {
        ASSIGN_OR_RETURN(const auto block,
                         read([&](Session& session) { return find_pending_block(session, key, row); }));
        if (!block) return {};
        ASSIGN_OR_RETURN(const auto rows, of_operation(id, unpack(block->rows)));
        RETURN_IF_ERROR(sink(block->number, rows));
        row = block->end();
    }
}

Result<std::optional<StoredBlock>> SqliteStore::block_with(const std::string& id, std::uint64_t row) {
    const auto find = [&] { return read([&](Session& session) { return find_block(session, id, row); }); };
    auto written = find();
    // Takes no lock when no rows are collected, so that reads do not wait for writers.
    if (!written || *written || !is_gathering_) return written;
    auto gathered = gathered_with(id, row);
    if (!gathered || *gathered) return gathered;
    return find();  // written meanwhile
}

Result<std::optional<StoredBlock>> SqliteStore::gathered_with(std::string_view id, std::uint64_t row) {
    const std::lock_guard lock{writer_.mutex};
    const auto found = gathered_.find(id);
    if (found == gathered_.end()) return std::nullopt;
    auto& [block, first] = found->second;
    if (row < first || row >= first + block.count()) return std::nullopt;
    const auto outcomes = block.has_outcomes() ? block.outcomes() : PackedBytes{};
    return StoredBlock{{first, block.count(), block.rows(), outcomes}, 0};
}

Result<void> SqliteStore::for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) {
    const std::string key{id};
    for (std::uint64_t row = first;;) {
        ASSIGN_OR_RETURN(const auto block, block_with(key, row));
        if (!block) return {};
        RETURN_IF_ERROR(sink(*block));
        row = block->end();
    }
}

}  // namespace headgate::operations
