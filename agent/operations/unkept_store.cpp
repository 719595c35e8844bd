// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/unkept_store.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "operations/sqlite_blocks.h"

namespace headgate::operations {
namespace {

/// About five million flows.
constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20U;

tl::unexpected<Error> no_journal() {
    return failed("what changes flows is not begun where nothing can be kept");
}

bool write_at(int file, const PackedBytes& bytes, std::uint64_t offset) {
    return ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes.size());
}

Result<PackedBytes> read_at(int file, std::size_t size, std::uint64_t offset) {
    PackedBytes bytes(size);
    const auto got = ::pread(file, bytes.data(), size, static_cast<off_t>(offset));
    if (got != static_cast<ssize_t>(size)) return system_error(got < 0 ? errno : EIO, "reading flows from memory");
    return bytes;
}

}  // namespace

Result<void> UnkeptStore::begin(const FlowOperation& operation, std::string_view request_token) {
    auto memory = std::make_shared<const FileDescriptor>(::memfd_create("headgate-flows", MFD_CLOEXEC));
    if (!memory->is_open()) return system_error(errno, "memory for flows");
    const std::lock_guard lock{mutex_};
    while (records_.size() >= kMostOperations && remove_oldest()) {
    }
    auto record = std::make_unique<Record>();
    record->operation = operation;
    record->token = request_token;
    record->memory = std::move(memory);
    records_.push_back(std::move(record));
    return {};
}

Result<void> UnkeptStore::update(const FlowOperation& operation) {
    const std::lock_guard lock{mutex_};
    return find_record(operation.id).map([&](Record* record) {
        record->operation = operation;
        if (record->has_ended()) record->ended = clock_.steady_now();
    });
}

Result<std::optional<FlowOperation>> UnkeptStore::find(std::string_view id) {
    const std::lock_guard lock{mutex_};
    const auto found = find_record(id);
    return found ? std::optional{(*found)->operation} : std::nullopt;
}

Result<std::optional<FlowOperation>> UnkeptStore::find_by_token(std::string_view request_token) {
    const std::lock_guard lock{mutex_};
    const auto found = std::ranges::find_if(
        records_, [&](const auto& each) { return !each->token.empty() && each->token == request_token; });
    return found == records_.end() ? std::nullopt : std::optional{(*found)->operation};
}

Result<std::vector<FlowOperation>> UnkeptStore::list(const OperationSelection& selection) {
    const std::lock_guard lock{mutex_};
    std::vector<FlowOperation> found;
    bool is_behind = selection.before_id.empty();
    for (auto each = records_.rbegin(); each != records_.rend() && found.size() < selection.at_most; ++each) {
        const auto& operation = (*each)->operation;
        if (is_behind && selection.has(operation)) found.push_back(operation);
        is_behind = is_behind || operation.id == selection.before_id;
    }
    return found;
}

bool UnkeptStore::has(std::string_view id) {
    const std::lock_guard lock{mutex_};
    return find_record(id).has_value();
}

void UnkeptStore::remove(std::string_view id) {
    const std::lock_guard lock{mutex_};
    std::erase_if(records_, [&](const auto& each) { return each->operation.id == id; });
}

Result<void> UnkeptStore::append(std::string_view id, std::span<const FlowRow> flows) {
    if (flows.empty()) return {};
    FlowBlock packed;
    for (const auto& flow : flows)
        packed.add(flow);
    const auto& rows = packed.rows();
    const auto outcomes = packed.has_outcomes() ? packed.outcomes() : PackedBytes{};
    const auto size = rows.size() + outcomes.size();
    const std::lock_guard lock{mutex_};
    ASSIGN_OR_RETURN(const auto found, find_record(id));
    auto& record = *found;
    while (bytes() + size > kMostBytes) {
        if (!remove_oldest()) {
            return failed("takes more than {} MiB, which is what flows may take of memory where they cannot be kept",
                          kMostBytes >> 20U);
        }
    }
    if (!write_at(record.memory->get(), rows, record.bytes) ||
        !write_at(record.memory->get(), outcomes, record.bytes + rows.size())) {
        return system_error(errno, "memory for flows");
    }
    record.blocks.push_back({record.rows(), packed.count(), record.bytes, rows.size(), outcomes.size()});
    record.bytes += size;
    return {};
}

/// The block with this row; nothing past the last row.
Result<std::optional<PackedFlows>> UnkeptStore::block_with(std::string_view id, std::uint64_t row) {
    Block block;
    std::shared_ptr<const FileDescriptor> memory;
    {
        const std::lock_guard lock{mutex_};
        ASSIGN_OR_RETURN(const auto found, find_record(id));
        const auto& blocks = found->blocks;
        if (row >= found->rows()) return std::nullopt;
        block = *std::prev(std::ranges::upper_bound(blocks, row, {}, &Block::first));
        memory = found->memory;
    }
    ASSIGN_OR_RETURN(auto rows, read_at(memory->get(), block.rows, block.offset));
    ASSIGN_OR_RETURN(auto outcomes, read_at(memory->get(), block.outcomes, block.offset + block.rows));
    return PackedFlows{block.first, block.count, std::move(rows), std::move(outcomes)};
}

Result<void> UnkeptStore::for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) {
    for (std::uint64_t row = first;;) {
        ASSIGN_OR_RETURN(const auto block, block_with(id, row));
        if (!block) return {};
        RETURN_IF_ERROR(sink(*block));
        row = block->end();
    }
}

Result<std::uint64_t> UnkeptStore::expire(std::chrono::seconds kept_for) {
    const auto before = clock_.steady_now() - kept_for;
    const std::lock_guard lock{mutex_};
    return std::erase_if(records_, [&](const auto& each) { return each->has_ended() && each->ended < before; });
}

Result<std::uint64_t> UnkeptStore::shrink_to(std::uint64_t bytes, const MayGoOn& /*may_go_on*/) {
    const std::lock_guard lock{mutex_};
    std::uint64_t removed = 0;
    while (this->bytes() > bytes && remove_oldest())
        ++removed;
    return removed;
}

Result<std::uint64_t> UnkeptStore::bytes_used() {
    const std::lock_guard lock{mutex_};
    return bytes();
}

Result<void> UnkeptStore::ensure_room(std::uint64_t /*flows*/) {
    return {};
}

Result<std::uint64_t> UnkeptStore::append_pending(std::string_view /*id*/, std::span<const FlowRow> /*rows*/) {
    return no_journal();
}

Result<void> UnkeptStore::record_outcomes(std::string_view /*id*/, std::uint64_t /*block*/,
                                          std::span<const FlowRow> /*endings*/) {
    return no_journal();
}

Result<void> UnkeptStore::for_each_pending(
    std::string_view /*id*/,
    const std::function<Result<void>(std::uint64_t block, std::span<const FlowRow> rows)>& /*sink*/) {
    return {};
}

Result<UnkeptStore::Record*> UnkeptStore::find_record(std::string_view id) {
    const auto found = std::ranges::find_if(records_, [&](const auto& each) { return each->operation.id == id; });
    if (found == records_.end()) return unknown_operation(id);
    return found->get();
}

std::uint64_t UnkeptStore::bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& each : records_)
        bytes += each->bytes;
    return bytes;
}

/// Returns whether an ended operation was there to remove.
bool UnkeptStore::remove_oldest() {
    const auto oldest = std::ranges::find_if(records_, [](const auto& each) { return each->has_ended(); });
    if (oldest == records_.end()) return false;
    records_.erase(oldest);
    return true;
}

}  // namespace headgate::operations
