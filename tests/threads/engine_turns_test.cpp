// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <functional>
#include <latch>
#include <thread>

#include "operations/engine.h"
#include "support/operating_engine.h"

namespace headgate::testing {
namespace engine_turns_test {

using namespace std::chrono_literals;
using operations::Engine;

/// Consecutive or long captures: a flush waits for the running one, and starts before the others.
class TakingTurns : public Operating {
  protected:
    /// Calls `at_step` for each flow that a scan reads.
    class SteppingTable : public MemoryFlowTable {
      public:
        Result<ScanReport> scan(const FlowQuery& query, const Moment& moment, ScanListener& listener) override {
            Stepping stepping{listener, at_step};
            return MemoryFlowTable::scan(query, moment, stepping);
        }
        std::function<void()> at_step = [] {};

      private:
        class Stepping final : public ScanListener {
          public:
            Stepping(ScanListener& listener, const std::function<void()>& at_step)
                : listener_(listener), at_step_(at_step) {}
            void planned(std::string_view plan) override { listener_.planned(plan); }
            Result<void> matched(std::span<const FlowRow> rows) override { return listener_.matched(rows); }
            Result<void> progressed(std::uint64_t scanned) override {
                at_step_();
                return listener_.progressed(scanned);
            }

          private:
            ScanListener& listener_;
            const std::function<void()>& at_step_;
        };
    };

    TakingTurns() {
        stepping_.flows = table_.flows;
        engine_ = std::make_unique<Engine>(
            store_, clock_, audit_, [this](const Endpoint&) { return access_to(stepping_, ruleset_); },
            operations::EngineSettings{.state_dir = folder_.path("")});
    }

    /// Starts a flush that must wait, and returns as soon as it waits.
    std::thread start_flush(Result<FlowOperation>& started) {
        std::thread waiting{[&] { started = engine_->start(request_for(OperationType::Flush)); }};
        for (std::string why; why.find("a flush is waiting") == std::string::npos;) {
            const auto another = engine_->start(request_for(OperationType::Capture));
            why = another ? "" : another.error().message;
            EXPECT_FALSE(another) << "one runs, or comes first";
        }
        return waiting;
    }

    SteppingTable stepping_;
    Result<FlowOperation> flush_ = FlowOperation{};
};

TEST_F(TakingTurns, a_flush_waits_for_a_capture_and_comes_before_the_next) {
    std::latch gate{1};
    stepping_.at_step = [&] { gate.wait(); };
    const auto capture = engine_->start(request_for(OperationType::Capture));
    auto waiting = start_flush(flush_);
    const auto second = engine_->start(request_for(OperationType::Flush));
    EXPECT_EQ(second.error().kind, ErrorKind::Busy) << "one is next, and no more";
    gate.count_down();
    waiting.join();
    ASSERT_TRUE(flush_) << flush_.error().message;
    EXPECT_EQ(engine_->wait(capture->id, 1min)->status, OperationStatus::Completed);
    EXPECT_EQ(engine_->wait(flush_->id, 1min)->counts.flushed, 10U);
    EXPECT_EQ(run(request_for(OperationType::Capture)).status, OperationStatus::Completed) << "no flush waits any more";
}

TEST_F(TakingTurns, a_capture_that_goes_on_gives_way) {
    std::latch gate{1};
    stepping_.at_step = [&] {
        gate.wait();
        clock_.pass(1100ms);
    };
    const auto capture = engine_->start(request_for(OperationType::Capture));
    auto waiting = start_flush(flush_);
    gate.count_down();
    waiting.join();
    ASSERT_TRUE(flush_) << flush_.error().message;
    const auto given_way = engine_->wait(capture->id, 1min);
    EXPECT_EQ(given_way->status, OperationStatus::Failed);
    EXPECT_NE(given_way->detail.find("gave way to a flush"), std::string::npos) << given_way->detail;
    EXPECT_EQ(engine_->wait(flush_->id, 1min)->counts.flushed, 10U);
}

TEST_F(TakingTurns, a_flush_that_runs_is_not_waited_for) {
    std::latch gate{1};
    stepping_.at_step = [&] { gate.wait(); };
    const auto first = engine_->start(request_for(OperationType::Flush));
    const auto second = engine_->start(request_for(OperationType::Flush));
    EXPECT_EQ(second.error().kind, ErrorKind::Busy);
    EXPECT_NE(second.error().message.find(first->id), std::string::npos) << second.error().message;
    gate.count_down();
    EXPECT_EQ(engine_->wait(first->id, 1min)->status, OperationStatus::Completed);
}

TEST_F(TakingTurns, a_drain_ends_the_wait) {
    std::latch gate{1};
    stepping_.at_step = [&] { gate.wait(); };
    static_cast<void>(engine_->start(request_for(OperationType::Capture)));
    auto waiting = start_flush(flush_);
    std::thread draining{[&] { engine_->drain(); }};
    waiting.join();
    EXPECT_EQ(flush_.error().kind, ErrorKind::Busy);
    gate.count_down();
    draining.join();
}

TEST_F(TakingTurns, one_caller_has_no_more_than_some_captures_at_once) {
    std::latch gate{1};
    stepping_.at_step = [&] { gate.wait(); };
    auto request = request_for(OperationType::Capture);
    const auto start_in = [&](int zone) {
        request.endpoint.availability_zone = fmt::format("zone-{}", zone);
        return engine_->start(request);
    };
    std::vector<std::string> ids;
    for (int zone = 0; zone < Engine::kMostOfOneCaller; ++zone)
        ids.push_back(start_in(zone).value().id);
    EXPECT_EQ(start_in(100).error().kind, ErrorKind::Busy);
    request.caller.user = "somebody else";
    ids.push_back(start_in(100).value().id);
    gate.count_down();
    for (const auto& id : ids)
        EXPECT_EQ(engine_->wait(id, 1min)->status, OperationStatus::Completed);
}

}  // namespace engine_turns_test
}  // namespace headgate::testing
