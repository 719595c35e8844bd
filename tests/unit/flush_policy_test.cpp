// A flush and the stream exception policy together.
#include <gtest/gtest.h>

#include <functional>

#include "operations/flush.h"
#include "support/flow_builder.h"
#include "support/memory_flow_table.h"
#include "support/memory_ruleset.h"

namespace headgate::operations {
namespace {

using namespace headgate::testing;

class WatchingObserver final : public FlushObserver {
  public:
    Result<void> confirm(const FlushPreview& preview) override {
        policy_in_question = preview.stream_exception_policy;
        if (at_question) at_question();
        return answer;
    }
    void begun(const FlowOperation& /*operation*/) override {
        if (at_beginning) at_beginning();
    }
    void ended(const FlowEnding& /*ending*/) override {}
    void would_end(const Flow& /*flow*/) override {}

    [[nodiscard]] bool stop_requested() const override { return stop; }

    Result<void> answer;
    std::function<void()> at_question, at_beginning;
    bool stop = false;
    std::string policy_in_question;
};

class FlushingWithPolicy : public ::testing::Test {
  protected:
    FlushingWithPolicy() {
        reject_.name = "reject";
        reject_.exception = StreamException::Reject;
        drop_.name = "drop";
        request_.query = query_for_all();
        table_.flows = {tcp_flow().from_port(1).established(), tcp_flow().from_port(2).established(),
                        tcp_flow().from_port(3).established(), udp_flow().from_port(4).established()};
    }

    void in_force(const StreamExceptionPolicy& policy) { ASSERT_TRUE(ruleset_.apply(policy).has_value()); }
    Result<FlowOperation> flush() { return run_flush(table_, ruleset_, clock_, request_, observer_); }
    std::vector<std::string> warnings() { return flush().value().warnings; }
    RulesetStatus status() { return ruleset_.status().value(); }

    MemoryFlowTable table_;
    MemoryRuleset ruleset_;
    SystemClock clock_;
    FlushRequest request_;
    WatchingObserver observer_;
    StreamExceptionPolicy reject_, drop_;
};

TEST_F(FlushingWithPolicy, every_flow_is_remembered_before_the_first_is_ended) {
    in_force(reject_);
    observer_.at_beginning = [&] {
        EXPECT_EQ(status().remembered_flows, 4U);
        EXPECT_EQ(table_.flows.size(), 4U);
    };
    const auto operation = flush().value();
    EXPECT_EQ(operation.stream_exception_policy, "reject");
    EXPECT_EQ(observer_.policy_in_question, "reject");
    EXPECT_TRUE(operation.warnings.empty());
    EXPECT_TRUE(table_.flows.empty());
}

TEST_F(FlushingWithPolicy, what_is_left_alone_is_not_remembered) {
    in_force(reject_);
    request_.protected_filters = {parse_flow_filter("source-port=1:2").value()};
    ASSERT_TRUE(flush().has_value());
    EXPECT_EQ(status().remembered_flows, 2U);
}

TEST_F(FlushingWithPolicy, a_dry_run_changes_no_policy_and_remembers_nothing) {
    in_force(reject_);
    request_.dry_run = true;
    request_.policy.wanted = drop_;
    ASSERT_TRUE(flush().has_value());
    EXPECT_EQ(status().remembered_flows, 0U);
    EXPECT_EQ(status().policy->name, "reject");
}

TEST_F(FlushingWithPolicy, with_scope_all_there_is_nothing_to_remember) {
    reject_.scope = MidstreamScope::All;
    in_force(reject_);
    table_.flows.pop_back();  // the UDP flow
    EXPECT_TRUE(warnings().empty());
    EXPECT_EQ(status().remembered_flows, 0U);
}

TEST_F(FlushingWithPolicy, more_connections_than_can_be_remembered_open_a_window_and_it_says_so) {
    reject_.remember_at_most = 3;
    in_force(reject_);
    EXPECT_EQ(warnings(),
              std::vector<std::string>{
                  "there is no room to remember so many flows (3 at most): for 300 s every midstream packet "
                  "of TCP is taken for one of a flushed flow"});
    EXPECT_EQ(status().remembered_flows, 1U) << "the UDP flow";
    ASSERT_EQ(status().windows.size(), 1U);
    EXPECT_EQ(status().windows.front(), (MidstreamWindow{Protocol::Tcp, std::chrono::seconds{300}}));
}

TEST_F(FlushingWithPolicy, a_set_that_earlier_flushes_filled_opens_a_window_too) {
    reject_.remember_at_most = 4;
    in_force(reject_);
    ASSERT_EQ(ruleset_.remember(std::vector<FlowRow>(1, {tcp_flow().from_port(99), {}}), std::chrono::seconds{60}),
              Remembered::All);
    EXPECT_EQ(warnings().size(), 1U);
    EXPECT_EQ(status().remembered_flows, 2U) << "the earlier one and the UDP flow";
    EXPECT_EQ(status().windows.size(), 1U);
}

TEST_F(FlushingWithPolicy, flows_without_connections_that_find_no_room_are_told) {
    reject_.remember_at_most = 1;
    in_force(reject_);
    table_.flows = {udp_flow().from_port(1), udp_flow().from_port(2)};
    EXPECT_EQ(warnings(), std::vector<std::string>{
                              "there is no room to remember 1 flow of protocols without connections: what follows on "
                              "them is judged by your rules alone"});
    EXPECT_TRUE(status().windows.empty());
}

TEST_F(FlushingWithPolicy, without_a_policy_it_warns_that_tcp_flows_come_back) {
    EXPECT_EQ(warnings(), std::vector<std::string>{
                              "no stream exception policy is in force: TCP flows come back with their next packet"});
}

TEST_F(FlushingWithPolicy, what_cannot_come_back_is_no_cause_for_a_warning) {
    table_.flows = {udp_flow()};
    EXPECT_TRUE(warnings().empty());
}

TEST_F(FlushingWithPolicy, continue_warns_while_tcp_is_picked_up_midstream) {
    reject_.name = "continue";
    reject_.exception = StreamException::Continue;
    in_force(reject_);
    request_.dry_run = true;
    EXPECT_EQ(warnings().size(), 1U);
    table_.tcp_loose = false;
    EXPECT_TRUE(warnings().empty());
}

TEST_F(FlushingWithPolicy, a_policy_that_somebody_removed_or_changed_is_told) {
    request_.dry_run = true;
    in_force(reject_);
    ruleset_.meddle(RulesetCondition::Changed);
    ASSERT_EQ(warnings().size(), 1U);
    EXPECT_NE(warnings().front().find("somebody has changed the table inet headgate"), std::string::npos);
    ruleset_.meddle(RulesetCondition::Missing);
    ASSERT_EQ(warnings().size(), 1U);
    EXPECT_NE(warnings().front().find("somebody has removed the stream exception policy"), std::string::npos);
}

TEST_F(FlushingWithPolicy, a_policy_that_is_required_must_keep_flows_from_coming_back) {
    request_.policy.required = true;
    const auto none = flush();
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error().kind, ErrorKind::Refused);
    auto letting_pass = reject_;
    letting_pass.exception = StreamException::Continue;
    in_force(letting_pass);
    EXPECT_FALSE(flush().has_value());
    in_force(reject_);
    ruleset_.meddle(RulesetCondition::Changed);
    EXPECT_FALSE(flush().has_value());
    EXPECT_EQ(table_.flows.size(), 4U);
    in_force(reject_);
    EXPECT_TRUE(flush().has_value());
}

TEST_F(FlushingWithPolicy, the_wanted_policy_is_put_in_force) {
    request_.policy = {drop_, true};
    EXPECT_EQ(flush().value().stream_exception_policy, "drop");
    EXPECT_EQ(status().policy->name, "drop");
    EXPECT_EQ(status().remembered_flows, 4U);
}

TEST_F(FlushingWithPolicy, a_flush_that_is_refused_changes_no_policy) {
    in_force(reject_);
    request_.policy.wanted = drop_;
    observer_.answer = refused("no");
    EXPECT_FALSE(flush().has_value());
    EXPECT_EQ(status().policy->name, "reject");
    EXPECT_EQ(status().remembered_flows, 0U);
}

TEST_F(FlushingWithPolicy, flows_that_were_not_flushed_after_all_are_forgotten) {
    in_force(reject_);
    ASSERT_TRUE(table_.insert(std::vector<Flow>{tcp_flow().from_port(9).established()}).has_value());
    table_.failing[table_.flows.back().id] = EBUSY;
    const auto operation = flush().value();
    EXPECT_EQ(operation.counts.failed, 1U);
    EXPECT_EQ(status().remembered_flows, 4U);
}

TEST_F(FlushingWithPolicy, a_flush_that_is_interrupted_forgets_what_it_left_alone) {
    in_force(reject_);
    observer_.stop = true;
    EXPECT_EQ(flush().value().counts.failed, 4U);
    EXPECT_EQ(status().remembered_flows, 0U);
}

TEST_F(FlushingWithPolicy, a_policy_that_changes_while_the_question_is_asked_refuses_the_flush) {
    in_force(reject_);
    observer_.at_question = [&] { in_force(drop_); };
    const auto changed = flush();
    ASSERT_FALSE(changed.has_value());
    EXPECT_EQ(changed.error().kind, ErrorKind::Refused);
    observer_.at_question = [&] { ruleset_.meddle(RulesetCondition::Changed); };
    EXPECT_FALSE(flush().has_value());
    EXPECT_EQ(table_.flows.size(), 4U);
}

TEST_F(FlushingWithPolicy, a_policy_that_falls_while_flows_are_ended_is_told) {
    in_force(reject_);
    observer_.at_beginning = [&] { ruleset_.meddle(RulesetCondition::Missing); };
    EXPECT_EQ(warnings(), std::vector<std::string>{
                              "the stream exception policy was changed or removed while flows were being ended"});
}

TEST_F(FlushingWithPolicy, a_policy_without_the_hooks_that_forwarded_flows_pass_holds_nothing) {
    reject_.hooks = {Hook::Output};
    in_force(reject_);
    request_.policy.required = true;
    const auto refusal = flush();
    ASSERT_FALSE(refusal.has_value());
    EXPECT_NE(refusal.error().message.find("does not look at packets in the hook forward"), std::string::npos);
}

TEST_F(FlushingWithPolicy, scope_all_tells_that_it_does_not_know_udp) {
    reject_.scope = MidstreamScope::All;
    in_force(reject_);
    EXPECT_EQ(warnings(), std::vector<std::string>{"scope all tells TCP and SCTP alone: flows of other protocols come "
                                                   "back with their next packet"});
}

TEST_F(FlushingWithPolicy, that_takes_the_place_of_another_says_so) {
    in_force(reject_);
    request_.policy.wanted = drop_;
    EXPECT_EQ(warnings(), std::vector<std::string>{"policy drop takes the place of reject"});
}

TEST_F(FlushingWithPolicy, a_policy_with_scope_all_is_not_for_a_flush_to_apply) {
    drop_.scope = MidstreamScope::All;
    request_.policy.wanted = drop_;
    const auto refusal = flush();
    ASSERT_FALSE(refusal.has_value());
    EXPECT_EQ(refusal.error().kind, ErrorKind::Refused);
}

TEST_F(FlushingWithPolicy, a_flush_does_not_take_a_policy_on_all_midstream_packets_away) {
    reject_.scope = MidstreamScope::All;
    in_force(reject_);
    request_.policy.wanted = drop_;
    const auto other = flush();
    ASSERT_FALSE(other.has_value());
    EXPECT_EQ(other.error().kind, ErrorKind::Refused);
    request_.policy.wanted = reject_;
    EXPECT_TRUE(flush().has_value());
}

}  // namespace
}  // namespace headgate::operations
