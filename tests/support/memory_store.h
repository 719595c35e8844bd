// SPDX-License-Identifier: GPL-2.0-or-later
// An in-memory OperationStore. It and the one on disk pass the same conformance cases (operation_store_conformance.h).
#pragma once

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "headgate/clock.h"
#include "headgate/operation_store.h"

#include "support/packed_flows.h"

namespace headgate::testing {

/// A simulated disk: it outlives a store, so that a second one can be opened on it.
class MemoryDisk {
  public:
    /// Sets the capacity of the disk.
    void limit_to(std::uint64_t bytes) {
        const std::lock_guard lock{mutex_};
        limit_ = bytes;
    }

  private:
    friend class MemoryStore;

    struct Block {
        std::uint64_t number = 0;
        bool pending = false;
        std::vector<FlowRow> flows;
    };
    struct Record {
        FlowOperation operation;
        std::string token;
        std::vector<Block> blocks;
        std::chrono::seconds ended_after{0};
    };

    std::mutex mutex_;
    std::vector<Record> records_;  ///< oldest first
    Uptime looked_;                ///< the last reading of the clock
    std::chrono::seconds passed_{0};
    std::uint64_t blocks_ = 0;
    std::uint64_t limit_ = std::uint64_t{1} << 40U;
};

class MemoryStore : public OperationStore {
  public:
    MemoryStore() : MemoryStore(std::make_shared<MemoryDisk>()) {}
    explicit MemoryStore(std::shared_ptr<MemoryDisk> disk, const Clock& clock = kSystemClock)
        : disk_(std::move(disk)), clock_(clock) {}

    Result<void> begin(const FlowOperation& operation, std::string_view request_token) override {
        const std::lock_guard lock{disk_->mutex_};
        const auto used = [&](const Record& each) {
            return each.operation.id == operation.id || (!request_token.empty() && each.token == request_token);
        };
        if (std::ranges::any_of(disk_->records_, used)) {
            return make_error(ErrorKind::Exists, "begun before");
        }
        if (auto room = make_room(0); !room) return room;
        disk_->records_.push_back({operation, std::string{request_token}, {}, {}});
        static_cast<void>(passed_time());
        return {};
    }

    Result<void> update(const FlowOperation& operation) override {
        const std::lock_guard lock{disk_->mutex_};
        Record* const record = find_record(operation.id);
        if (record == nullptr) return unknown(operation.id);
        record->operation = operation;
        if (has_ended(*record)) record->ended_after = passed_time();
        return {};
    }

    Result<std::optional<FlowOperation>> find(std::string_view id) override {
        return find_one([&](const Record& each) { return each.operation.id == id; });
    }
    Result<std::optional<FlowOperation>> find_by_token(std::string_view request_token) override {
        return find_one([&](const Record& each) { return !each.token.empty() && each.token == request_token; });
    }

    Result<std::vector<FlowOperation>> list(const OperationSelection& selection) override {
        const std::lock_guard lock{disk_->mutex_};
        const auto& records = disk_->records_;
        auto from = records.rbegin();
        if (!selection.before_id.empty()) {
            from = std::find_if(from, records.rend(),
                                [&](const auto& each) { return each.operation.id == selection.before_id; });
            if (from != records.rend()) ++from;
        }
        std::vector<FlowOperation> found;
        for (; from != records.rend() && found.size() < selection.at_most; ++from)
            if (selection.has(from->operation)) found.push_back(from->operation);
        return found;
    }

    Result<void> append(std::string_view id, std::span<const FlowRow> flows) override {
        return add_block(id, {flows.begin(), flows.end()}, false).map([](std::uint64_t) {});
    }

    Result<void> ensure_room(std::uint64_t flows) override {
        const std::lock_guard lock{disk_->mutex_};
        return make_room(flows);
    }

    Result<std::uint64_t> append_pending(std::string_view id, std::span<const FlowRow> rows) override {
        return add_block(id, {rows.begin(), rows.end()}, true);
    }

    Result<void> record_outcomes(std::string_view id, std::uint64_t block, std::span<const FlowRow> endings) override {
        const std::lock_guard lock{disk_->mutex_};
        Record* const record = find_record(id);
        if (record == nullptr) return unknown(id);
        const auto found = std::ranges::find(record->blocks, block, &Block::number);
        if (found == record->blocks.end() || !found->pending || found->flows.size() != endings.size()) {
            return failed("operation {} has no pending block {} of {} flows", id, block, endings.size());
        }
        found->pending = false;
        for (std::size_t i = 0; i < endings.size(); ++i) {
            auto verdict = std::move(found->flows[i].verdict);
            found->flows[i] = endings[i];
            found->flows[i].verdict = std::move(verdict);
        }
        return {};
    }

    Result<void> for_each_pending(
        std::string_view id,
        const std::function<Result<void>(std::uint64_t block, std::span<const FlowRow> rows)>& sink) override {
        return visit_blocks(id, [&](const Block& block) -> Result<void> {
            return block.pending ? sink(block.number, block.flows) : Result<void>{};
        });
    }

    Result<void> for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) override {
        std::uint64_t row = 0;
        return visit_blocks(id, [&](const Block& block) -> Result<void> {
            const auto begin = std::exchange(row, row + block.flows.size());
            return row <= first ? Result<void>{} : sink(packed(begin, block.flows));
        });
    }

    Result<std::uint64_t> expire(std::chrono::seconds kept_for) override {
        const std::lock_guard lock{disk_->mutex_};
        const auto passed = passed_time();
        return std::erase_if(disk_->records_, [&](const Record& each) {
            return has_ended(each) && each.ended_after < passed - kept_for;
        });
    }

    Result<bool> sweep() override { return false; }

    Result<std::uint64_t> shrink_to(std::uint64_t bytes, const MayGoOn& may_go_on) override {
        const std::lock_guard lock{disk_->mutex_};
        for (std::uint64_t removed = 0;; ++removed) {
            const auto next = next_to_go();
            if (bytes_held() <= bytes || next == disk_->records_.end() || !may_go_on()) return removed;
            disk_->records_.erase(next);
        }
    }

    void trim() override {}

    Result<std::uint64_t> bytes_used() override {
        const std::lock_guard lock{disk_->mutex_};
        return bytes_held();
    }

  private:
    using Block = MemoryDisk::Block;
    using Record = MemoryDisk::Record;

    static tl::unexpected<Error> unknown(std::string_view id) {
        return make_error(ErrorKind::Missing, "operation {} is not there", id);
    }
    static bool has_ended(const Record& record) { return record.operation.status != OperationStatus::InProgress; }
    std::vector<Record>::iterator next_to_go() {
        auto& records = disk_->records_;
        const auto is_capture = [](const Record& each) { return !kind_of(each.operation.type).changes_flows; };
        const auto caller_of = [](const Record& each) {
            return std::pair{each.operation.caller.face, each.operation.caller.user};
        };
        if (std::ranges::none_of(records, is_capture)) return std::ranges::find_if(records, has_ended);
        std::map<std::pair<std::string, std::string>, std::uint64_t> kept;
        for (const auto& each : records)
            if (is_capture(each) && has_ended(each)) kept[caller_of(each)] += each.operation.counts.matched;
        const auto most =
            std::ranges::max_element(kept, [](const auto& a, const auto& b) { return a.second < b.second; });
        return std::ranges::find_if(records, [&](const Record& each) {
            return is_capture(each) && has_ended(each) && caller_of(each) == most->first;
        });
    }
    std::chrono::seconds passed_time() {
        const auto before = std::exchange(disk_->looked_, clock_.uptime());
        if (before.boot == disk_->looked_.boot) disk_->passed_ += disk_->looked_.up - before.up;
        return disk_->passed_;
    }

    Record* find_record(std::string_view id) {
        const auto found =
            std::ranges::find_if(disk_->records_, [&](const auto& each) { return each.operation.id == id; });
        return found == disk_->records_.end() ? nullptr : &*found;
    }

    template <typename Condition>
    Result<std::optional<FlowOperation>> find_one(Condition condition) {
        const std::lock_guard lock{disk_->mutex_};
        const auto found = std::ranges::find_if(disk_->records_, condition);
        return found == disk_->records_.end() ? std::nullopt : std::optional{found->operation};
    }

    Result<std::uint64_t> add_block(std::string_view id, std::vector<FlowRow> flows, bool pending) {
        const std::lock_guard lock{disk_->mutex_};
        Record* const record = find_record(id);
        if (record == nullptr) return unknown(id);
        if (auto room = make_room(flows.size()); !room) return tl::unexpected(room.error());
        record->blocks.push_back({++disk_->blocks_, pending, std::move(flows)});
        return disk_->blocks_;
    }

    /// Passes the current state of each block in order, without holding the lock.
    Result<void> visit_blocks(std::string_view id, const std::function<Result<void>(const Block&)>& sink) {
        for (std::size_t i = 0;; ++i) {
            Block block;
            {
                const std::lock_guard lock{disk_->mutex_};
                const Record* const record = find_record(id);
                if (record == nullptr) return unknown(id);
                if (i == record->blocks.size()) return {};
                block = record->blocks[i];
            }
            if (auto passed = sink(block); !passed) return passed;
        }
    }

    [[nodiscard]] std::uint64_t bytes_held() const {
        std::uint64_t flows = 0;
        for (const auto& record : disk_->records_)
            for (const auto& block : record.blocks)
                flows += block.flows.size();
        return disk_->records_.size() * 512 + flows * 64;
    }
    [[nodiscard]] Result<void> make_room(std::uint64_t flows) const {
        if (bytes_held() + 512 + flows * 64 <= disk_->limit_) return {};
        return system_error(ENOSPC, "memory disk");
    }

    std::shared_ptr<MemoryDisk> disk_;
    const Clock& clock_;
};

}  // namespace headgate::testing
