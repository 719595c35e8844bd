// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "rematch/expressions.h"
#include "rematch/observation.h"
#include "support/bytecode_builder.h"
#include "support/flow_builder.h"

namespace headgate::testing {
namespace rematch_observation_test {

using rematch::MarkWorld;
using rematch::Observation;
using rematch::Question;
using rematch::Treatment;
using rematch::Tripwire;

/// One rule that drops, one that does something else.
class Verdicts : public ::testing::Test {
  protected:
    static constexpr std::size_t kDropping = 0;
    static constexpr std::size_t kOther = 1;

    Verdicts() {
        ruleset_.rules = {rule({rematch::verdict(NF_DROP)}), rule({expression("masq")})};
        seen_.way = rematch::packet_way::kForward;
    }

    void trip(Treatment treatment, std::size_t of_rule = kOther, std::string set = {}) {
        seen_.tripped.push_back(instrumented_.tripwires.size());
        instrumented_.tripwires.push_back({{treatment, "limit", rematch::packet_way::kAny, std::move(set)}, of_rule});
    }
    void accept() { seen_.arrived = flow_.original; }
    void drop(std::optional<std::size_t> by) { seen_.drop = rematch::Drop{by, NFPROTO_INET, "t", "c"}; }

    [[nodiscard]] rematch::Conclusion conclusion(MarkWorld world = MarkWorld::Unmarked) const {
        return rematch::conclude(rematch::question_of(flow_), seen_, world, {ruleset_, instrumented_});
    }
    [[nodiscard]] VerdictResult result() const { return conclusion().verdict.result; }

    rematch::RulesetBytecode ruleset_;
    rematch::InstrumentedRuleset instrumented_;
    Flow flow_ = tcp_flow();
    Observation seen_;
};

TEST_F(Verdicts, silence_is_unknown) {
    EXPECT_EQ(result(), VerdictResult::Unknown);
    EXPECT_EQ(conclusion().verdict.reason, "does not reach the rules");
    seen_.last_chain = "inet t c";
    EXPECT_EQ(conclusion().verdict.reason, "lost on its way after inet t c");
}

TEST_F(Verdicts, acceptance_with_the_same_translation_is_allowed) {
    accept();
    EXPECT_EQ(result(), VerdictResult::Allowed);
    seen_.arrived->source_port = 1;
    EXPECT_EQ(result(), VerdictResult::Allowed) << "a source port is chosen anew";
    seen_.arrived->destination_port = 1;
    EXPECT_EQ(result(), VerdictResult::Translated);
}

TEST_F(Verdicts, a_drop_is_refused_by_its_rule_or_policy) {
    drop(kDropping);
    EXPECT_EQ(conclusion().verdict.kind, RefusalKind::Drop);
    EXPECT_EQ(conclusion().verdict.rule->handle, 4U);
    drop(std::nullopt);
    EXPECT_EQ(conclusion().verdict.kind, RefusalKind::Policy);
}

TEST_F(Verdicts, a_drop_by_a_rule_without_a_refusal_is_unknown) {
    drop(kOther);
    EXPECT_EQ(result(), VerdictResult::Unknown);
}

TEST_F(Verdicts, both_are_unknown) {
    accept();
    drop(kDropping);
    EXPECT_EQ(result(), VerdictResult::Unknown);
}

TEST_F(Verdicts, a_tripwire_of_what_cannot_be_decided_leaves_everything_unknown) {
    trip(Treatment::Undecidable);
    accept();
    EXPECT_EQ(conclusion().verdict.reason, "depends on limit");
    seen_.arrived.reset();
    drop(kDropping);
    EXPECT_EQ(result(), VerdictResult::Unknown);
}

TEST_F(Verdicts, a_tripwire_for_packets_of_another_way_says_nothing) {
    trip(Treatment::Undecidable);
    instrumented_.tripwires[0].expression.ways = rematch::packet_way::kOutput;
    accept();
    EXPECT_EQ(result(), VerdictResult::Allowed);
}

TEST_F(Verdicts, a_limit_is_assumed_where_it_allows_and_doubted_where_it_refuses) {
    trip(Treatment::Limit);
    accept();
    EXPECT_EQ(result(), VerdictResult::Allowed);
    EXPECT_EQ(conclusion().verdict.assumes, std::vector<std::string>{"limit is not exceeded"});
    seen_.arrived.reset();
    drop(kDropping);
    EXPECT_EQ(result(), VerdictResult::Unknown);
}

TEST_F(Verdicts, a_limit_above_which_a_rule_drops_does_not_save_a_refused_flow) {
    trip(Treatment::OverLimit, kDropping);
    drop(kDropping);
    EXPECT_EQ(result(), VerdictResult::Refused);
}

TEST_F(Verdicts, a_limit_above_which_a_rule_does_something_else_may_save_it) {
    trip(Treatment::OverLimit, kOther);
    drop(kDropping);
    EXPECT_EQ(result(), VerdictResult::Unknown);
}

TEST_F(Verdicts, a_mark_matters_to_flows_that_have_one) {
    trip(Treatment::CtMark);
    drop(kDropping);
    EXPECT_FALSE(conclusion().mark_matters);
    flow_.mark = 7;
    EXPECT_TRUE(conclusion().mark_matters);
    EXPECT_EQ(result(), VerdictResult::Refused);
    EXPECT_FALSE(conclusion(MarkWorld::Marked).mark_matters);
}

TEST_F(Verdicts, labels_leave_flows_unknown_that_have_some) {
    trip(Treatment::CtLabels);
    accept();
    EXPECT_EQ(result(), VerdictResult::Allowed);
    flow_.labels[3] = std::byte{1};
    EXPECT_EQ(result(), VerdictResult::Unknown);
}

TEST_F(Verdicts, a_set_that_the_packet_itself_changes_leaves_it_unknown) {
    accept();
    trip(Treatment::SetRead, kOther, "s");
    EXPECT_EQ(result(), VerdictResult::Allowed) << "read as it is now";
    trip(Treatment::SetWrite, kOther, "s");
    EXPECT_EQ(result(), VerdictResult::Allowed) << "changed after it was read";
    trip(Treatment::SetRead, kOther, "s");
    EXPECT_EQ(result(), VerdictResult::Unknown);
}

TEST_F(Verdicts, a_helpers_connection_and_a_zone_that_no_rule_assigns_are_unknown) {
    accept();
    flow_.zone = 3;
    EXPECT_EQ(result(), VerdictResult::Unknown);
    instrumented_.sets_zones = true;
    EXPECT_EQ(result(), VerdictResult::Allowed);
    flow_.status |= 1U;
    EXPECT_EQ(result(), VerdictResult::Unknown);
}

}  // namespace rematch_observation_test
}  // namespace headgate::testing
