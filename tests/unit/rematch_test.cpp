// SPDX-License-Identifier: GPL-2.0-or-later
// The work of a rematch, with a judge in memory.
#include <gtest/gtest.h>

#include "operations/operation_lifecycle.h"
#include "operations/operation_work.h"
#include "operations/verdict_tally.h"
#include "support/flush_rehearsal.h"
#include "support/insert_flows.h"
#include "support/memory_judge.h"

namespace headgate::operations {
namespace rematch_test {

using namespace headgate::testing;

/// Keeps the flows that are reported with their verdicts.
class VerdictListener final : public WorkListener {
  public:
    Result<void> may_go_on() override { return at_progress ? at_progress() : Result<void>{}; }
    Result<void> left_alone(std::span<const FlowRow> flows) override {
        if (keeping_fails) return system_error(ENOSPC, "store");
        rows.insert(rows.end(), flows.begin(), flows.end());
        return {};
    }
    Result<void> about_to_end(std::span<const FlowRow> /*rows*/) override { return failed("nothing is to be ended"); }
    Result<void> ended(std::span<const FlowRow> /*endings*/) override { return failed("nothing is to be ended"); }

    std::function<Result<void>()> at_progress;
    bool keeping_fails = false;
    std::vector<FlowRow> rows;
};

class Rematching : public ::testing::Test {
  protected:
    Rematching() {
        operation_.type = OperationType::Rematch;
        operation_.query = query_for("protocol=tcp");
        insert(1, 10);
    }

    void insert(std::uint16_t first_port, std::uint16_t last_port) {
        std::vector<Flow> flows;
        for (unsigned port = first_port; port <= last_port; ++port)
            flows.push_back(tcp_flow().from_port(static_cast<std::uint16_t>(port)).established());
        EXPECT_TRUE(inserted(table_, flows));
        for (auto& each : table_.flows)
            each.counters_original = Counters{1, 100};
    }

    Result<FlowOperation> rematch() {
        auto operation = operation_;
        auto run = run_rematch(request_, {table_, ruleset_, clock_, {}, &judge_}, operation, listener_);
        if (!run) return tl::unexpected(std::move(run.error()));
        close(operation, run);
        return operation;
    }

    [[nodiscard]] std::vector<VerdictResult> results() const {
        std::vector<VerdictResult> results;
        for (const auto& each : listener_.rows)
            results.push_back(each.verdict->result);
        return results;
    }

    MemoryFlowTable table_;
    MemoryRuleset ruleset_;
    MemoryJudge judge_;
    ManualClock clock_;
    FlowOperation operation_;
    OperationRequest request_;
    VerdictListener listener_;
};

TEST_F(Rematching, has_a_verdict_for_each_flow_that_matches) {
    operation_.query = query_for("source-port=1:3");
    judge_.add_rule("source-port=2", "drop");
    judge_.add_unknown("source-port=3", "meta cpu cannot be known");
    const auto operation = rematch();
    ASSERT_TRUE(operation) << operation.error().message;
    EXPECT_EQ(operation->status, OperationStatus::Completed);
    EXPECT_EQ(results(), (std::vector{VerdictResult::Allowed, VerdictResult::Refused, VerdictResult::Unknown}));
    EXPECT_EQ(operation->counts.matched, 3U);
    EXPECT_EQ(operation->counts.of(VerdictResult::Allowed), 1U);
    EXPECT_EQ(operation->counts.of(VerdictResult::Refused), 1U);
    EXPECT_EQ(operation->counts.verdicts[2], 0U) << "also what is 0 is said";
    EXPECT_EQ(operation->counts.of(VerdictResult::Unknown), 1U);
    EXPECT_EQ(operation->ruleset, (JudgedRuleset{RulesetSource::InForce, 3, {}}));
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(Rematching, counts_flows_and_bytes_by_the_rule_that_refuses_most_first) {
    judge_.add_rule("source-port=1", "drop");
    judge_.add_rule("source-port=2:4", "reject");
    judge_.add_unknown("source-port=5:6", "numgen is random");
    judge_.drops_by_default = true;
    const auto operation = rematch().value();
    ASSERT_EQ(operation.refused_by.size(), 3U);
    EXPECT_EQ(operation.refused_by[0].kind, RefusalKind::Policy);
    EXPECT_EQ(operation.refused_by[0].flows, 4U);
    EXPECT_EQ(operation.refused_by[0].bytes, 400U);
    EXPECT_EQ(operation.refused_by[1].kind, RefusalKind::Reject);
    EXPECT_EQ(operation.refused_by[1].rule.handle, 2U);
    EXPECT_EQ(operation.refused_by[2].flows, 1U);
    ASSERT_EQ(operation.unknown_reasons.size(), 1U);
    EXPECT_EQ(operation.unknown_reasons[0].reason, "numgen is random");
    EXPECT_EQ(operation.unknown_reasons[0].flows, 2U);
}

TEST_F(Rematching, does_not_make_up_bytes_that_the_kernel_did_not_count) {
    for (auto& each : table_.flows)
        each.counters_original.reset();
    judge_.drops_by_default = true;
    EXPECT_EQ(rematch()->refused_by.at(0).bytes, std::nullopt);
}

TEST_F(Rematching, judges_in_windows_of_4096_flows) {
    insert(11, 9000);
    judge_.add_rule("source-port=9000", "drop");
    const auto operation = rematch().value();
    EXPECT_EQ(judge_.windows, (std::vector<std::size_t>{4096, 4096, 808}));
    EXPECT_EQ(operation.counts.of(VerdictResult::Allowed), 8999U);
    EXPECT_TRUE(listener_.rows.back().verdict.is(VerdictResult::Refused));
    EXPECT_EQ(listener_.rows.front().verdict.get(), listener_.rows[8000].verdict.get()) << "many share one";
}

TEST_F(Rematching, of_a_candidate_says_so) {
    request_.ruleset_text = MemoryJudge::rule_text("source-port=1:4", "drop");
    const auto operation = rematch().value();
    EXPECT_EQ(operation.ruleset->source, RulesetSource::Candidate);
    EXPECT_EQ(operation.counts.of(VerdictResult::Refused), 4U);
    EXPECT_TRUE(judge_.rules.empty());
}

TEST_F(Rematching, of_a_candidate_that_does_not_load_looks_at_no_flow) {
    request_.ruleset_text = "nonsense";
    table_.at_scan = [] { FAIL() << "the table is not to be searched"; };
    const auto operation = rematch();
    ASSERT_FALSE(operation);
    EXPECT_EQ(operation.error().kind, ErrorKind::Unloadable);
    EXPECT_EQ(operation.error().message, "syntax error: nonsense");
}

TEST_F(Rematching, says_what_else_decides_about_packets_and_that_the_ruleset_has_changed_meanwhile) {
    judge_.warnings = {"tc filters on eth0 were not judged"};
    judge_.at_judge = [&]() -> Result<void> {
        ++judge_.generation;
        return {};
    };
    EXPECT_EQ(rematch()->warnings, (std::vector<std::string>{
                                       "tc filters on eth0 were not judged",
                                       "the ruleset has changed meanwhile: flows were judged by generation 1, and 2 is "
                                       "in force"}));
}

TEST_F(Rematching, whose_judge_fails_keeps_the_verdicts_before_and_guesses_none) {
    insert(11, 9000);
    judge_.drops_by_default = true;
    judge_.at_judge = [&]() -> Result<void> {
        return judge_.windows.empty() ? Result<void>{} : failed("the judge has ended");
    };
    const auto operation = rematch();
    ASSERT_TRUE(operation);
    EXPECT_EQ(operation->status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(operation->detail, "the judge has ended");
    EXPECT_EQ(operation->counts.of(VerdictResult::Refused), 4096U);
    EXPECT_EQ(operation->counts.of(VerdictResult::Unknown), 9000U - 4096U);
    EXPECT_EQ(operation->unknown_reasons.at(0).reason, "not judged: the judge has ended");
    EXPECT_EQ(listener_.rows.size(), 9000U);
}

TEST_F(Rematching, without_any_verdict_has_failed) {
    judge_.at_judge = [] { return failed("the judge has ended"); };
    EXPECT_EQ(rematch().error().message, "the judge has ended");
    EXPECT_TRUE(listener_.rows.empty());
}

TEST_F(Rematching, ends_at_its_deadline_and_when_its_flows_cannot_be_kept) {
    insert(11, 9000);
    listener_.at_progress = [&]() -> Result<void> {
        if (judge_.windows.empty()) return {};
        return make_error(ErrorKind::TimedOut, "too late");
    };
    EXPECT_EQ(rematch()->status_message, kOperationTimeout);
    EXPECT_EQ(judge_.windows.size(), 1U);
    listener_.keeping_fails = true;
    judge_.windows.clear();
    EXPECT_EQ(rematch().error().kind, ErrorKind::DiskFault);
}

TEST_F(Rematching, of_no_flow_is_complete) {
    operation_.query = query_for("source-port=60000");
    const auto operation = rematch().value();
    EXPECT_EQ(operation.status, OperationStatus::Completed);
    EXPECT_TRUE(judge_.windows.empty());
    EXPECT_EQ(operation.counts.verdicts[0], 0U);
    EXPECT_TRUE(operation.ruleset);
}

TEST(VerdictTally, lists_the_rules_that_refuse_most_and_says_that_there_are_more) {
    VerdictTally tally;
    for (std::uint64_t handle = 1; handle <= VerdictTally::kMostListed + 2; ++handle) {
        for (std::uint64_t flow = 0; flow < handle; ++flow) {
            static_cast<void>(tally.count(tcp_flow(), {.result = VerdictResult::Refused,
                                                       .kind = RefusalKind::Drop,
                                                       .rule = RuleReference{"ip", "t", "c", handle, "drop"}}));
        }
    }
    FlowOperation operation;
    tally.conclude(operation);
    ASSERT_EQ(operation.refused_by.size(), VerdictTally::kMostListed);
    EXPECT_EQ(operation.refused_by.front().flows, VerdictTally::kMostListed + 2);
    EXPECT_EQ(operation.refused_by.back().flows, 3U);
    EXPECT_EQ(operation.warnings.at(0), "2 more rules refuse flows than the 100 that are listed");
}

TEST(VerdictTally, cuts_a_rule_that_lists_a_whole_set) {
    VerdictTally tally;
    const auto verdict = tally.count(tcp_flow(), {.result = VerdictResult::Refused,
                                                  .kind = RefusalKind::Drop,
                                                  .rule = RuleReference{"ip", "t", "c", 1, std::string(5000, 'x')}});
    EXPECT_EQ(verdict->rule->text.size(), VerdictTally::kLongestText);
    EXPECT_TRUE(verdict->rule->text.ends_with("x..."));
}

/// A flush of flows that were judged before.
class FlushingJudged : public FlushRehearsal {
  protected:
    FlushingJudged() {
        std::vector<Flow> flows;
        for (std::uint16_t port = 1; port <= 3; ++port)
            flows.push_back(tcp_flow().from_port(port).established());
        EXPECT_TRUE(inserted(table_, flows));
        std::vector<FlowRow> rows;
        for (const auto& each : table_.flows)
            rows.push_back({each, {}, 0, SharedVerdict{FlowVerdict{.result = VerdictResult::Refused}}});
        request_.captured = captured_before(rows);
        request_.judged_generation = judge_.generation;
        place_.judge = &judge_;
    }

    MemoryJudge judge_;
};

TEST_F(FlushingJudged, ends_them_while_the_ruleset_is_the_same) {
    EXPECT_EQ(flush()->counts.flushed, 3U);
}

TEST_F(FlushingJudged, is_refused_once_the_ruleset_has_changed) {
    judge_.add_rule("source-port=1", "accept");
    for (const bool dry_run : {true, false}) {
        operation_.dry_run = dry_run;
        const auto operation = flush();
        ASSERT_FALSE(operation);
        EXPECT_EQ(operation.error().kind, ErrorKind::Refused);
        EXPECT_EQ(operation.error().message,
                  "the ruleset has changed since the flows were judged, from generation 1 to 2: nothing was flushed; "
                  "judge them again");
    }
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(FlushingJudged, is_refused_if_it_changes_between_the_search_and_the_first_delete) {
    listener_.at_beginning = [&]() -> Result<void> {
        judge_.add_rule("source-port=1", "accept");
        return {};
    };
    EXPECT_EQ(flush().error().kind, ErrorKind::Refused);
    EXPECT_EQ(table_.removals_asked, 0U);
    EXPECT_EQ(listener_.journaled, 0U);
}

TEST_F(FlushingJudged, keeps_their_verdicts_beside_what_became_of_them) {
    request_.protected_filters = {parse_flow_filter("source-port=2").value()};
    ASSERT_TRUE(flush());
    const auto spared = std::ranges::find(listener_.endings, Outcome::Protected, &FlowRow::outcome);
    ASSERT_NE(spared, listener_.endings.end());
    EXPECT_TRUE(spared->verdict.is(VerdictResult::Refused));
}

}  // namespace rematch_test
}  // namespace headgate::operations
