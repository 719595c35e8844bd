// SPDX-License-Identifier: GPL-2.0-or-later
// Rematches as operations, and flushes of what they have found.
#include <gtest/gtest.h>

#include "support/operating_engine.h"

namespace headgate::testing {
namespace engine_rematch_test {

class RematchingEngine : public Operating {
  protected:
    RematchingEngine() {
        judge_.add_rule("source-port=1:3", "drop");
        judge_.add_translated("source-port=4:5",
                              {parse_address("10.0.1.2").value(), parse_address("10.0.0.9").value(), 80});
        judge_.add_unknown("source-port=6", "numgen is random");
    }

    FlowOperation rematch(const std::optional<std::string>& candidate = {}) {
        auto request = request_for(OperationType::Rematch);
        request.ruleset_text = candidate;
        return run(request);
    }

    static operations::OperationRequest flush_of(const FlowOperation& judged) {
        auto request = request_for(OperationType::Flush);
        request.query = {};
        request.from_operation = judged.id;
        return request;
    }

    std::vector<std::uint16_t> ports_left() {
        std::vector<std::uint16_t> ports;
        for (const auto& each : table_.flows)
            ports.push_back(each.original.source_port);
        return ports;
    }
};

TEST_F(RematchingEngine, keeps_flows_with_their_verdicts_in_the_history) {
    const auto operation = rematch();
    EXPECT_EQ(operation.status, OperationStatus::Completed);
    EXPECT_EQ(operation.counts.of(VerdictResult::Allowed), 4U);
    EXPECT_EQ(operation.counts.of(VerdictResult::Refused), 3U);
    EXPECT_EQ(operation.counts.of(VerdictResult::Translated), 2U);
    EXPECT_EQ(operation.counts.of(VerdictResult::Unknown), 1U);
    EXPECT_EQ(store_.find(operation.id).value(), operation);
    EXPECT_EQ(engine_->list({.type = OperationType::Rematch})->size(), 1U);
    const auto flows = engine_->flows(operation.id, 0, 100).value();
    ASSERT_EQ(flows.size(), 10U);
    EXPECT_EQ(flows[0].verdict->rule->text, "source-port=1:3 drop");
    EXPECT_EQ(flows[3].verdict->then->destination_port, 80);
    EXPECT_EQ(flows[5].verdict->reason, "numgen is random");
    EXPECT_TRUE(flows[9].verdict.is(VerdictResult::Allowed));
    EXPECT_FALSE(flows[0].outcome);
    const auto line = audit_lines().back();
    EXPECT_NE(line.find(R"("action":"rematch")"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("ruleset":{"source":"in_force","generation":)"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("allowed":4,"refused":3,"translated":2,"unknown":1)"), std::string::npos) << line;
}

TEST_F(RematchingEngine, refused_flows_alone_are_flushed) {
    const auto judged = rematch();
    const auto flush = run(flush_of(judged));
    EXPECT_EQ(flush.counts.flushed, 3U);
    EXPECT_EQ(ports_left(), (std::vector<std::uint16_t>{4, 5, 6, 7, 8, 9, 10}));
    EXPECT_EQ(flush.ruleset, judged.ruleset) << "so that it can be told later why they were flushed";
    EXPECT_EQ(flush.counts.verdicts, judged.counts.verdicts);
    EXPECT_EQ(flush.refused_by, judged.refused_by);
    const auto flows = engine_->flows(flush.id, 0, 100).value();
    for (const auto& each : flows) {
        EXPECT_EQ(each.outcome, Outcome::Flushed);
        EXPECT_TRUE(each.verdict.is(VerdictResult::Refused));
    }
}

TEST_F(RematchingEngine, translated_ones_are_flushed_if_that_is_asked_for) {
    auto request = flush_of(rematch());
    request.include_translated = true;
    EXPECT_EQ(run(request).counts.flushed, 5U);
    EXPECT_EQ(ports_left(), (std::vector<std::uint16_t>{6, 7, 8, 9, 10}));
}

TEST_F(RematchingEngine, what_a_dry_run_of_that_has_shown_is_flushed_by_the_same_ruleset_alone) {
    auto request = flush_of(rematch());
    request.dry_run = true;
    auto confirmed = flush_of(run(request));
    judge_.add_rule("source-port=7", "accept");
    const auto refused = run(confirmed);
    EXPECT_TRUE(refused.refused);
    EXPECT_NE(refused.detail.find("the ruleset has changed"), std::string::npos) << refused.detail;
    EXPECT_EQ(table_.flows.size(), 10U);
    request = flush_of(rematch());
    request.dry_run = true;
    confirmed = flush_of(run(request));
    EXPECT_EQ(run(confirmed).counts.flushed, 3U);
}

TEST_F(RematchingEngine, nothing_is_flushed_by_the_verdicts_of_a_candidate) {
    const auto judged = rematch(MemoryJudge::rule_text("source-port=7:10", "drop"));
    EXPECT_EQ(judged.counts.of(VerdictResult::Refused), 7U);
    const auto refused = engine_->start(flush_of(judged));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::Refused);
    EXPECT_NE(refused.error().message.find("load the candidate"), std::string::npos) << refused.error().message;
}

TEST_F(RematchingEngine, verdicts_are_asked_for_where_there_are_some) {
    auto request = flush_of(run(request_for(OperationType::Capture)));
    request.include_translated = true;
    const auto refused = engine_->start(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::Invalid);
}

TEST_F(RematchingEngine, guards_of_a_flush_hold_for_what_was_judged) {
    auto request = flush_of(rematch());
    request.maximum_flows = 2;
    EXPECT_TRUE(run(request).refused);
    request.maximum_flows.reset();
    request.protected_filters = {parse_flow_filter("source-port=2").value()};
    const auto flush = run(request);
    EXPECT_EQ(flush.counts.flushed, 2U);
    EXPECT_EQ(flush.counts.protected_flows, 1U);
}

TEST_F(RematchingEngine, shows_how_far_it_is_and_can_be_cancelled) {
    std::latch reached{1};
    std::latch go_on{1};
    judge_.at_judge = [&]() -> Result<void> {
        reached.count_down();
        go_on.wait();
        return {};
    };
    const auto started = engine_->start(request_for(OperationType::Rematch));
    ASSERT_TRUE(started);
    reached.wait();
    EXPECT_EQ(engine_->find(started->id)->phase, OperationPhase::Judging);
    EXPECT_TRUE(engine_->cancel(started->id));
    go_on.count_down();
    EXPECT_EQ(engine_->wait(started->id, std::chrono::minutes{1})->counts.of(VerdictResult::Refused), 3U)
        << "its only window had been begun";
}

}  // namespace engine_rematch_test
}  // namespace headgate::testing
