// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/crash_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "operations/operation_lifecycle.h"

namespace headgate::operations {
namespace {

class CrashRecovery {
  public:
    CrashRecovery(OperationStore& store, const FlushListener& listener, FlowTable* table, Ruleset* ruleset,
                  FlowOperation operation)
        : store_(store), listener_(listener), table_(table), ruleset_(ruleset), operation_(std::move(operation)) {}

    Result<FlowOperation> run() {
        return recover_pending().and_then([&] { return count_flows(); }).map([&] {
            conclude();
            return std::move(operation_);
        });
    }

  private:
    Result<void> recover_pending() {
        return store_.for_each_pending(operation_.id, [&](std::uint64_t block, std::span<const FlowRow> rows) {
            std::vector<FlowRow> endings;
            std::vector<FlowRow> survivors;
            std::vector<Flow> missing;
            auto asked = look_up(rows, [&](const Flow& flow, Presence presence) {
                if (presence == Presence::There) {
                    survivors.push_back(rows[endings.size()]);
                    endings.push_back({flow, Outcome::Failed, ECANCELED});
                } else {
                    endings.push_back({flow, Outcome::Gone, 0});
                    missing.push_back(flow);
                }
            });
            return asked.and_then([&] { return store_.record_outcomes(operation_.id, block, endings); }).map([&] {
                if (!missing.empty()) listener_.lost_sight_of(operation_, missing);
                there_ += survivors.size();
                not_there_ += rows.size() - survivors.size();
                if (ruleset_ != nullptr && !ruleset_->forget(survivors)) not_forgotten_ += survivors.size();
            });
        });
    }

    Result<void> look_up(std::span<const FlowRow> rows, const PresenceSink& found) {
        if (table_ != nullptr) return table_->look_up(rows, found);
        for (const auto& row : rows)
            found(row.flow, Presence::Gone);
        return {};
    }

    /// Counts the stored rows, since the last stored counts may be older.
    Result<void> count_flows() {
        auto& counts = operation_.counts;
        counts.flushed = counts.gone = counts.failed = counts.protected_flows = 0;
        std::uint64_t rows = 0;
        return store_
            .for_each_flow(operation_.id, 0,
                           [&](std::span<const FlowRow> flows) -> Result<void> {
                               for (const auto& each : flows)
                                   if (each.outcome) count(counts, *each.outcome);
                               rows += flows.size();
                               return {};
                           })
            .map([&] {
                counts.matched = std::max(counts.matched, rows);
                unreached_ = counts.matched - rows;
                if (flushing()) counts.failed += unreached_;
            });
    }

    void conclude() {
        operation_.detail = "cut short: headgate was stopped in the middle of it";
        if (there_ + not_there_ != 0) {
            operation_.detail += fmt::format(
                "; of {} flows that were just being ended, {} are still there, and {} are not: flushed, or ended by "
                "themselves",
                there_ + not_there_, there_, not_there_);
        }
        if (flushing() && unreached_ != 0) {
            operation_.detail += fmt::format("; {} more were left alone", unreached_);
        }
        if (table_ == nullptr) operation_.detail += "; the network namespace is gone, and its flows with it";
        if (not_forgotten_ != 0) {
            operation_.detail +=
                fmt::format("; {} of those that are still there are remembered as flushed for a while", not_forgotten_);
        }
        close_interrupted(operation_);
    }

    [[nodiscard]] bool flushing() const { return operation_.phase == OperationPhase::Flushing && !operation_.dry_run; }

    OperationStore& store_;
    const FlushListener& listener_;
    FlowTable* table_;
    Ruleset* ruleset_;
    FlowOperation operation_;
    std::uint64_t there_ = 0;
    std::uint64_t not_there_ = 0;
    std::uint64_t not_forgotten_ = 0;
    std::uint64_t unreached_ = 0;  ///< identified flows that the flush did not get to
};

}  // namespace

Result<FlowOperation> recover_operation(OperationStore& store, const FlushListener& listener, FlowTable* table,
                                        Ruleset* ruleset, FlowOperation operation) {
    return CrashRecovery{store, listener, table, ruleset, std::move(operation)}.run();
}

}  // namespace headgate::operations
