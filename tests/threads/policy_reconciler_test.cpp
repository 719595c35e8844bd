// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/policy_reconciler.h"

#include <gtest/gtest.h>

#include "support/memory_ruleset.h"

namespace headgate::daemon {
namespace policy_reconciler_test {

using namespace headgate::testing;

class KeepingPolicy : public ::testing::Test {
  protected:
    KeepingPolicy() {
        reject_.name = "reject";
        reject_.description = "Tells both ends.";
        reject_.log = PacketLog{"midstream ", 5};
        drop_.name = "drop";
    }

    Kept keep(const StreamExceptionPolicy& wanted) {
        const auto kept = PolicyReconciler{ruleset_, wanted}.keep();
        EXPECT_TRUE(kept.has_value()) << kept.error().message;
        EXPECT_EQ(ruleset_.condition().value(), RulesetCondition::AsApplied);
        EXPECT_EQ(ruleset_.apply(wanted).value(), Application::NotNeeded);
        return kept.value_or(Kept{});
    }

    MemoryRuleset ruleset_;
    StreamExceptionPolicy reject_, drop_;
};

TEST_F(KeepingPolicy, applies_it_where_there_is_none) {
    EXPECT_EQ(keep(reject_), (Kept{PolicyFinding::Nothing, "reject", ""}));
}

TEST_F(KeepingPolicy, leaves_it_alone_as_long_as_it_is_in_force) {
    keep(reject_);
    EXPECT_EQ(keep(reject_), (Kept{PolicyFinding::InForce, "reject", "reject"}));
}

TEST_F(KeepingPolicy, restores_it_when_another_process_has_removed_the_table) {
    keep(reject_);
    ruleset_.meddle(RulesetCondition::Missing);
    EXPECT_EQ(keep(reject_), (Kept{PolicyFinding::Missing, "reject", ""}));
    EXPECT_EQ(keep(reject_).found, PolicyFinding::InForce);
}

TEST_F(KeepingPolicy, restores_it_when_another_process_has_changed_the_table) {
    keep(reject_);
    ruleset_.meddle(RulesetCondition::Changed);
    EXPECT_EQ(keep(reject_), (Kept{PolicyFinding::Changed, "reject", "reject"}));
}

TEST_F(KeepingPolicy, applies_it_anew_when_nothing_is_on_record) {
    keep(reject_);
    ruleset_.meddle(RulesetCondition::Unverified);
    EXPECT_EQ(keep(reject_).found, PolicyFinding::Unverified);
}

TEST_F(KeepingPolicy, takes_the_place_of_another) {
    keep(drop_);
    EXPECT_EQ(keep(reject_), (Kept{PolicyFinding::Another, "reject", "drop"}));
}

TEST_F(KeepingPolicy, sees_a_difference_that_the_kernel_does_not_report) {
    keep(reject_);
    reject_.log->prefix = "other ";
    EXPECT_EQ(keep(reject_), (Kept{PolicyFinding::Another, "reject", "reject"}));
}

TEST_F(KeepingPolicy, removes_one_where_none_is_to_be) {
    const auto keep_none = [&] { return PolicyReconciler{ruleset_, std::nullopt}.keep().value(); };
    EXPECT_EQ(keep_none(), (Kept{PolicyFinding::InForce, "", ""})) << "there is none";
    keep(reject_);
    const auto kept = keep_none();
    EXPECT_EQ(kept, (Kept{PolicyFinding::Another, "", "reject"}));
    EXPECT_EQ(describe(kept), "policy reject was in force and was removed: the configuration keeps none in force");
    EXPECT_EQ(ruleset_.condition().value(), RulesetCondition::NothingApplied);
    EXPECT_EQ(keep_none().found, PolicyFinding::InForce);
}

TEST_F(KeepingPolicy, keeps_what_is_remembered) {
    keep(reject_);
    ASSERT_TRUE(ruleset_.open_window(Protocol::Tcp, std::chrono::seconds{60}).has_value());
    ruleset_.meddle(RulesetCondition::Changed);
    keep(reject_);
    EXPECT_EQ(ruleset_.status().value().windows.size(), 1U);
}

TEST_F(KeepingPolicy, that_cannot_be_applied_is_named_in_the_error) {
    keep(reject_);
    std::vector<FlowRow> rows(2);
    rows.back().flow.original.source_port = 1;
    ASSERT_TRUE(ruleset_.remember(rows, std::chrono::seconds{60}).has_value());
    drop_.remember_at_most = 1;
    const auto kept = PolicyReconciler{ruleset_, drop_}.keep();
    ASSERT_FALSE(kept.has_value());
    EXPECT_EQ(kept.error().kind, ErrorKind::Refused);
    EXPECT_TRUE(kept.error().message.starts_with("policy drop: ")) << kept.error().message;
}

TEST(KeptPolicy, is_a_change_by_the_agent_for_the_audit_trail) {
    const Endpoint edge{"edge", "a", ""};
    const auto applied = change_of({PolicyFinding::Another, "reject", "drop"}, edge);
    EXPECT_EQ(applied.action, operations::PolicyAction::Apply);
    EXPECT_EQ(applied.policy, "reject");
    EXPECT_EQ(applied.endpoint, edge);
    EXPECT_EQ(applied.caller.face, "agent");
    EXPECT_EQ(applied.reason, "stream_exception_policy: policy drop was in force: now reject is");
    const auto removed = change_of({PolicyFinding::Another, "", "drop"}, edge);
    EXPECT_EQ(removed.action, operations::PolicyAction::Remove);
    EXPECT_EQ(removed.policy, "drop");
}

TEST(KeptPolicy, is_described_for_people) {
    EXPECT_EQ(describe({PolicyFinding::Missing, "reject", ""}),
              "the table inet headgate was missing (nft flush ruleset?): policy reject is in force again");
    EXPECT_EQ(describe({PolicyFinding::Another, "reject", "drop"}), "policy drop was in force: now reject is");
    EXPECT_EQ(describe({PolicyFinding::Another, "reject", "reject"}),
              "the rules of policy reject have changed: the new ones are in force");
    EXPECT_EQ(describe({PolicyFinding::Nothing, "reject", ""}), "no policy was in force: now reject is");
}

}  // namespace policy_reconciler_test
}  // namespace headgate::daemon
