// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a flush on table and ruleset in memory, and records all that it reports.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "operations/operation_lifecycle.h"
#include "operations/operation_work.h"
#include "support/flow_builder.h"
#include "support/manual_clock.h"
#include "support/memory_flow_table.h"
#include "support/memory_ruleset.h"

namespace headgate::testing {

class RecordingListener final : public operations::WorkListener {
  public:
    Result<void> may_go_on() override {
        const auto& step = operation->phase == OperationPhase::Identifying ? at_progress : before_block;
        return step ? step() : Result<void>{};
    }
    Result<void> begun() override {
        ++beginnings;
        policy_at_beginning = operation->stream_exception_policy;
        return at_beginning ? at_beginning() : Result<void>{};
    }
    void policy_applied(const Result<void>& result) override {
        policies_applied.push_back(result ? "" : result.error().message);
    }
    Result<void> about_to_end(std::span<const FlowRow> rows) override {
        if (journal_fails) return system_error(*journal_fails, "journal");
        journaled += rows.size();
        return {};
    }
    Result<void> ended(std::span<const FlowRow> block) override {
        endings.insert(endings.end(), block.begin(), block.end());
        return ending_fails ? Result<void>{system_error(*ending_fails, "journal")} : Result<void>{};
    }
    Result<void> left_alone(std::span<const FlowRow> flows) override {
        for (const auto& each : flows) {
            if (each.outcome) {
                endings.push_back(each);
            } else {
                would_be_ended.push_back(each.flow);
            }
        }
        return {};
    }

    const FlowOperation* operation = nullptr;
    std::function<Result<void>()> at_progress, at_beginning, before_block;
    std::optional<int> journal_fails, ending_fails;  ///< errno of the failure

    std::vector<FlowRow> endings;
    std::vector<Flow> would_be_ended;
    std::size_t journaled = 0;
    std::string policy_at_beginning;
    std::vector<std::string> policies_applied;  ///< the error of each; empty: none
    int beginnings = 0;
};

/// A row source with the rows of an earlier capture, and its endpoint.
inline operations::RowSource captured_before(std::vector<FlowRow> rows, std::optional<Endpoint> where = std::nullopt) {
    return [=](const auto& sink) { return sink(rows).map([&] { return where; }); };
}

class FlushRehearsal : public ::testing::Test {
  protected:
    FlushRehearsal() { operation_.type = OperationType::Flush; }

    Result<FlowOperation> flush() {
        auto operation = operation_;
        listener_.operation = &operation;
        auto run = operations::run_flush(request_, place_, operation, listener_);
        if (!run) return tl::unexpected(std::move(run.error()));
        operations::close(operation, run);
        return operation;
    }

    MemoryFlowTable table_;
    MemoryRuleset ruleset_;
    ManualClock clock_;
    operations::WorkPlace place_{table_, ruleset_, clock_, {}};
    FlowOperation operation_;
    operations::OperationRequest request_;
    RecordingListener listener_;
};

}  // namespace headgate::testing
