// SPDX-License-Identifier: GPL-2.0-or-later
// How a policy replaces what it finds in the table: the rest of an interrupted change, the rules of another version of
// headgate, the rules of another program. Checked with nft(8).
#include <cstdlib>

#include "kernel/own_namespace.h"
#include "midstream/change_text.h"
#include "midstream/kernel_ruleset.h"
#include "midstream/policy_note.h"
#include "midstream/ruleset_text.h"
#include "support/ruleset_conformance.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace kernel_policy_change_test {

using namespace midstream;
using namespace std::chrono_literals;

class PolicyChange : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!namespace_.reason_to_skip().empty()) GTEST_SKIP() << namespace_.reason_to_skip();
    }

    void nft(const std::string& commands) const {
        const auto file = folder_.write("commands", commands + "\n");
        ASSERT_EQ(std::system(("nft -f " + file).c_str()), 0) << commands;
    }

    void apply(const StreamExceptionPolicy& policy) {
        const auto applied = ruleset_->apply(policy);
        ASSERT_TRUE(applied.has_value()) << applied.error().message;
        EXPECT_EQ(applied.value(), Application::Done);
    }

    static std::vector<TableChain> chains() { return NftTable::open()->chains().value(); }

    static std::size_t chains_of_generation(std::uint32_t generation) {
        return static_cast<std::size_t>(std::ranges::count_if(
            chains(), [&](const TableChain& chain) { return chain.name.ends_with(chain_name("", generation)); }));
    }

    /// Expects that the table has this policy and nothing else.
    void expect_alone(const StreamExceptionPolicy& policy, std::uint32_t generation) {
        EXPECT_EQ(ruleset_->in_force().value(), policy);
        EXPECT_EQ(ruleset_->condition().value(), RulesetCondition::AsApplied);
        EXPECT_EQ(chains_of_generation(generation) + 1, chains().size()) << "the note, and those of the edition";
    }

    OwnNamespace namespace_;
    TemporaryFolder folder_;
    StreamExceptionPolicy first_ = policy_named("first");
    StreamExceptionPolicy second_ = [] {
        auto policy = policy_named("second");
        policy.exception = StreamException::Drop;
        policy.hooks = {Hook::Forward, Hook::Output};
        policy.priority = -150;
        policy.remember_at_most = 100;
        return policy;
    }();
    std::unique_ptr<Ruleset> ruleset_ = KernelRuleset::open({}, folder_.path("run"));
};

TEST_F(PolicyChange, takes_turns_with_two_editions) {
    apply(first_);
    expect_alone(first_, 1);
    apply(second_);
    expect_alone(second_, 2);
    apply(first_);
    expect_alone(first_, 1);
    EXPECT_EQ(ruleset_->apply(first_).value(), Application::NotNeeded);
}

TEST_F(PolicyChange, that_was_cut_short_is_reported_and_done_anew) {
    apply(first_);
    nft(addition_text(second_, chains()));
    EXPECT_EQ(ruleset_->in_force().value(), second_) << "its hooks, not those of both";
    EXPECT_EQ(ruleset_->condition().value(), RulesetCondition::Changed);
    apply(second_);
    expect_alone(second_, 3);
    apply(first_);
    expect_alone(first_, 1);
}

TEST_F(PolicyChange, from_chains_that_have_no_edition_leaves_none_of_them) {
    nft("table inet headgate {\n" + ruleset_text(first_, 0) + "}");
    EXPECT_EQ(ruleset_->in_force().value(), first_);
    apply(second_);
    expect_alone(second_, 1);
}

TEST_F(PolicyChange, removes_what_others_have_put_among_the_chains) {
    apply(first_);
    nft("add chain inet headgate theirs { type filter hook forward priority 0; }\n"
        "add chain inet headgate theirs_2\n"
        "add rule inet headgate theirs jump forward_midstream_1\n"
        "add rule inet headgate theirs jump theirs_2\n"
        "add rule inet headgate in_force accept\n"
        "add rule inet headgate exception_1 jump theirs_2");
    apply(second_);
    expect_alone(second_, 3);
}

TEST_F(PolicyChange, wakes_a_table_that_another_process_made_dormant) {
    apply(first_);
    nft("add table inet headgate { flags dormant; }");
    EXPECT_EQ(ruleset_->condition().value(), RulesetCondition::Changed);
    apply(second_);
    expect_alone(second_, 2);
}

TEST_F(PolicyChange, leaves_a_table_of_that_name_alone_that_headgate_did_not_make) {
    for (const std::string theirs : {"chain forward { type filter hook forward priority 0; }",
                                     "set blocked { type ipv4_addr; }", "counter packets_of_ours { }"}) {
        nft("table inet headgate {\n" + theirs + "\n}");
        const auto applied = ruleset_->apply(first_);
        ASSERT_FALSE(applied.has_value()) << theirs;
        EXPECT_EQ(applied.error().kind, ErrorKind::Refused);
        EXPECT_NE(applied.error().message.find("the table inet headgate was not made by headgate"), std::string::npos);
        EXPECT_FALSE(ruleset_->remove().has_value()) << theirs;
        EXPECT_FALSE(ruleset_->in_force().value().has_value());
        nft("delete table inet headgate");  // fails if the table is gone
    }
    nft("add table inet headgate");
    apply(first_);
    expect_alone(first_, 1);
    EXPECT_TRUE(ruleset_->remove().has_value());
}

TEST_F(PolicyChange, mends_what_was_applied_and_has_lost_its_note) {
    apply(first_);
    nft("delete chain inet headgate in_force");
    apply(second_);
    expect_alone(second_, 2);
}

TEST_F(PolicyChange, by_another_process_leaves_flows_to_be_forgotten_where_they_are_then) {
    apply(first_);
    const std::vector<FlowRow> rows{{tcp_flow(), {}}};
    ASSERT_EQ(ruleset_->remember(rows, 60s).value(), Remembered::All);
    const auto other = KernelRuleset::open({}, folder_.path("run"));
    ASSERT_TRUE(other->apply(second_).has_value());
    EXPECT_EQ(ruleset_->status().value().remembered_flows, 1U) << "in a set of another size";
    EXPECT_TRUE(ruleset_->forget(rows).has_value());
    EXPECT_EQ(ruleset_->status().value().remembered_flows, 0U);
}

TEST_F(PolicyChange, replaces_the_sets_of_version_0_1_0_and_keeps_what_has_ports_in_mind) {
    apply(first_);
    nft("add set inet headgate flushed_ports_original_ipv4_65536 { type ipv4_addr . inet_service . ipv4_addr . "
        "inet_service . inet_proto; flags timeout; size 65536; }\n"
        "add element inet headgate flushed_ports_original_ipv4_65536 { 10.0.0.1 . 1 . 10.0.0.2 . 2 . 6 timeout 1m }\n"
        "add set inet headgate flushed_echo_original_ipv4_65536 { typeof ip saddr . ip daddr . icmp id; flags timeout; "
        "size 65536; }\n"
        "add element inet headgate flushed_echo_original_ipv4_65536 { 10.0.0.1 . 10.0.0.2 . 7 timeout 1m }");
    apply(second_);
    expect_alone(second_, 2);
    EXPECT_EQ(ruleset_->status().value().remembered_flows, 1U);
}

TEST_F(PolicyChange, of_version_0_1_0_is_to_be_renewed_before_a_flush_relies_on_it) {
    nft("table inet headgate {\nchain in_force { comment \"" + note_text(first_, 1) +
        "\"; }\nchain exception_1 { }\n}");
    const std::vector<FlowRow> rows{{tcp_flow(), {}}};
    const auto remembered = ruleset_->remember(rows, 60s);
    ASSERT_FALSE(remembered.has_value());
    EXPECT_EQ(remembered.error().kind, ErrorKind::Refused);
    EXPECT_EQ(remembered.error().message,
              "an earlier version of headgate has applied the policy first: headgate policy "
              "apply first renews it");
    apply(first_);
    EXPECT_EQ(ruleset_->remember(rows, 60s).value(), Remembered::All);
}

TEST_F(PolicyChange, is_in_force_as_its_file_has_it_with_what_is_invalid) {
    first_.scope = MidstreamScope::All;
    first_.exception = StreamException::Reject;
    for (const bool rejects : {true, false}) {
        first_.reject_invalid = rejects;
        apply(first_);
        EXPECT_EQ(ruleset_->in_force().value(), first_);
    }
}

TEST_F(PolicyChange, that_cannot_be_finished_is_not_begun) {
    apply(first_);
    nft("add map inet headgate theirs { type inet_proto : verdict; }\n"
        "add element inet headgate theirs { tcp : jump exception_1 }");
    const auto applied = ruleset_->apply(second_);
    ASSERT_FALSE(applied.has_value());
    EXPECT_NE(applied.error().message.find("policy remove, then apply"), std::string::npos);
    expect_alone(first_, 1);
    nft("delete map inet headgate theirs");
    apply(second_);
    expect_alone(second_, 2);
}

}  // namespace kernel_policy_change_test
}  // namespace headgate::testing
