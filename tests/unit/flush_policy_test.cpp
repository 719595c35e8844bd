// SPDX-License-Identifier: GPL-2.0-or-later
// How a flush and the stream exception policy work together.
#include <gtest/gtest.h>

#include "support/flush_rehearsal.h"
#include "support/insert_flows.h"

namespace headgate::operations {
namespace flush_policy_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

class FlushingWithPolicy : public FlushRehearsal {
  protected:
    FlushingWithPolicy() {
        reject_.name = "reject";
        reject_.exception = StreamException::Reject;
        drop_.name = "drop";
        operation_.query = query_for_all();
        table_.flows = {tcp_flow().from_port(1).established(), tcp_flow().from_port(2).established(),
                        tcp_flow().from_port(3).established(), udp_flow().from_port(4).established()};
    }

    void in_force(const StreamExceptionPolicy& policy) { ASSERT_TRUE(ruleset_.apply(policy).has_value()); }
    std::vector<std::string> warnings() { return flush().value().warnings; }
    RulesetStatus status() { return ruleset_.status().value(); }

    StreamExceptionPolicy reject_, drop_;
};

TEST_F(FlushingWithPolicy, every_flow_is_remembered_before_it_is_ended) {
    in_force(reject_);
    table_.at_removal = [&] {
        EXPECT_EQ(status().remembered_flows, 4U);
        EXPECT_EQ(table_.flows.size(), 4U);
    };
    const auto operation = flush().value();
    EXPECT_EQ(operation.stream_exception_policy, "reject");
    EXPECT_EQ(listener_.policy_at_beginning, "reject");
    EXPECT_TRUE(operation.warnings.empty());
    EXPECT_TRUE(table_.flows.empty());
}

TEST_F(FlushingWithPolicy, it_is_told_until_when_flows_are_blocked) {
    in_force(reject_);
    clock_.pass(300ms);
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now());
    const auto operation = flush().value();
    EXPECT_TRUE(operation.blocked);
    EXPECT_EQ(operation.blocked_until, now + 5min);
    EXPECT_FALSE(operation.last_blocked_until) << "all for the same time";
}

TEST_F(FlushingWithPolicy, each_flow_can_be_remembered_as_long_as_its_own_timeout_had_left) {
    reject_.remember_flushed_for.reset();
    in_force(reject_);
    table_.flows[0].timeout = 120h;
    table_.flows[1].timeout = 30s;
    table_.flows[2].timeout.reset();
    const auto operation = flush().value();
    EXPECT_EQ(operation.blocked_until, clock_.now() + 30s);
    EXPECT_EQ(operation.last_blocked_until, clock_.now() + 120h);
    EXPECT_EQ(status().remembered_flows, 4U);
    ruleset_.pass(31s);
    EXPECT_EQ(status().remembered_flows, 3U);
    ruleset_.pass(300s);
    EXPECT_EQ(status().remembered_flows, 2U) << "that of unknown timeout is forgotten after the usual time";
    ruleset_.pass(300s);
    EXPECT_EQ(status().remembered_flows, 1U);
    ruleset_.pass(120h);
    EXPECT_EQ(status().remembered_flows, 0U);
}

TEST_F(FlushingWithPolicy, captured_flows_are_remembered_for_the_timeout_of_now) {
    reject_.remember_flushed_for.reset();
    in_force(reject_);
    table_.flows.resize(1);
    request_.captured = captured_before({{table_.flows[0], {}}});
    table_.flows[0].timeout = 120h;  // a packet has passed since
    EXPECT_EQ(flush().value().blocked_until, clock_.now() + 120h);
}

TEST_F(FlushingWithPolicy, with_a_window_flows_are_blocked_until_it_closes) {
    reject_.remember_flushed_for.reset();
    reject_.remember_at_most = 3;
    in_force(reject_);
    const auto operation = flush().value();
    EXPECT_EQ(status().windows.front(), (MidstreamWindow{Protocol::Tcp, 300s}));
    EXPECT_EQ(operation.blocked_until, clock_.now() + 300s);
    EXPECT_EQ(operation.last_blocked_until, clock_.now() + 600s) << "the UDP flow";
}

TEST_F(FlushingWithPolicy, with_scope_all_flows_are_blocked_as_long_as_the_policy_is_in_force) {
    reject_.scope = MidstreamScope::All;
    in_force(reject_);
    const auto operation = flush().value();
    EXPECT_TRUE(operation.blocked);
    EXPECT_FALSE(operation.blocked_until);
    table_.flows = {udp_flow()};
    EXPECT_FALSE(flush().value().blocked) << "it applies to TCP and SCTP alone";
}

TEST_F(FlushingWithPolicy, nothing_is_called_blocked_that_is_not) {
    const auto blocked = [&] {
        table_.flows = {tcp_flow().from_port(1).established()};
        return flush().value().blocked;
    };
    EXPECT_FALSE(blocked()) << "no policy";
    auto letting_pass = reject_;
    letting_pass.exception = StreamException::Continue;
    in_force(letting_pass);
    EXPECT_FALSE(blocked());
    in_force(reject_);
    EXPECT_TRUE(blocked());
    operation_.dry_run = true;
    EXPECT_FALSE(blocked());
    operation_.dry_run = false;
    request_.protected_filters = {parse_flow_filter("source-port=1").value()};
    EXPECT_FALSE(blocked()) << "no flow was flushed";
    request_.protected_filters.clear();
    table_.at_removal = [&] { ruleset_.meddle(RulesetCondition::Missing); };
    EXPECT_FALSE(blocked()) << "the policy was removed meanwhile";
}

TEST_F(FlushingWithPolicy, what_is_left_alone_is_not_remembered) {
    in_force(reject_);
    request_.protected_filters = {parse_flow_filter("source-port=1:2").value()};
    ASSERT_TRUE(flush().has_value());
    EXPECT_EQ(status().remembered_flows, 2U);
}

TEST_F(FlushingWithPolicy, a_dry_run_changes_no_policy_and_remembers_nothing) {
    in_force(reject_);
    operation_.dry_run = true;
    request_.policy = drop_;
    ASSERT_TRUE(flush().has_value());
    EXPECT_EQ(status().remembered_flows, 0U);
    EXPECT_EQ(status().policy->name, "reject");
}

TEST_F(FlushingWithPolicy, the_policy_that_it_puts_in_force_is_reported_once) {
    request_.policy = reject_;
    EXPECT_TRUE(flush().value().policy_applied);
    EXPECT_EQ(listener_.policies_applied, std::vector<std::string>{""});
    EXPECT_EQ(status().policy->name, "reject") << "it stays in force";
    table_.flows = {tcp_flow().established()};
    EXPECT_FALSE(flush().value().policy_applied) << "it was in force";
    EXPECT_EQ(listener_.policies_applied.size(), 1U);
}

TEST_F(FlushingWithPolicy, a_policy_that_cannot_be_applied_is_reported_with_the_reason) {
    in_force(reject_);
    ASSERT_EQ(ruleset_.remember(std::vector<FlowRow>{{tcp_flow().from_port(98), {}}, {tcp_flow().from_port(99), {}}},
                                std::chrono::seconds{60}),
              Remembered::All);
    drop_.remember_at_most = 1;
    request_.policy = drop_;
    ASSERT_FALSE(flush().has_value());
    ASSERT_EQ(listener_.policies_applied.size(), 1U);
    EXPECT_TRUE(listener_.policies_applied.front().starts_with("2 flushed flows are remembered"));
}

TEST_F(FlushingWithPolicy, where_everything_is_protected_no_policy_is_applied) {
    request_.policy = reject_;
    request_.protected_filters = {FlowFilter{}};
    EXPECT_FALSE(flush().value().policy_applied);
    EXPECT_TRUE(listener_.policies_applied.empty());
}

TEST_F(FlushingWithPolicy, with_scope_all_there_is_nothing_to_remember) {
    reject_.scope = MidstreamScope::All;
    in_force(reject_);
    table_.flows.pop_back();  // the UDP flow
    EXPECT_TRUE(warnings().empty());
    EXPECT_EQ(status().remembered_flows, 0U);
}

TEST_F(FlushingWithPolicy, more_connections_than_can_be_remembered_open_a_window_and_cause_a_warning) {
    reject_.remember_at_most = 3;
    in_force(reject_);
    EXPECT_EQ(warnings(),
              std::vector<std::string>{
                  "there is no room to remember so many flows (3 at most): for 5m00s every midstream packet "
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

TEST_F(FlushingWithPolicy, that_may_catch_its_own_flows_alone_opens_no_window) {
    request_.own_flows_alone = true;
    reject_.remember_at_most = 2;
    in_force(reject_);
    EXPECT_EQ(flush().error().kind, ErrorKind::Refused);
    EXPECT_EQ(table_.removals_asked, 0U) << "more than fit: that is known before the first one is ended";
    reject_.remember_at_most = 4;
    in_force(reject_);
    ASSERT_EQ(ruleset_.remember(std::vector<FlowRow>(1, {tcp_flow().from_port(99), {}}), std::chrono::seconds{60}),
              Remembered::All);
    const auto stopped = flush();
    EXPECT_FALSE(stopped.has_value()) << "others have filled the set";
    EXPECT_EQ(table_.flows.size(), 4U);
    EXPECT_TRUE(status().windows.empty());
}

TEST_F(FlushingWithPolicy, flows_without_connections_that_find_no_room_are_reported) {
    reject_.remember_at_most = 1;
    in_force(reject_);
    table_.flows = {udp_flow().from_port(1), udp_flow().from_port(2)};
    EXPECT_EQ(warnings(), std::vector<std::string>{
                              "there is no room to remember 1 flow of protocols without connections: what follows on "
                              "them is judged by your rules alone"});
    EXPECT_TRUE(status().windows.empty());
}

TEST_F(FlushingWithPolicy, without_a_policy_it_warns_that_flows_come_back_and_names_their_protocols) {
    const auto warning_for = [&](const std::vector<Flow>& flows) {
        operation_.dry_run = true;
        table_.flows.assign(flows.begin(), flows.end());
        const auto all = warnings();
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? std::string{} : all.front();
    };
    const auto tcp = tcp_flow().established();
    const Flow unnamed = FlowBuilder{Protocol{200}}.flow();
    EXPECT_EQ(warning_for({tcp}), "no stream exception policy is in force: TCP flows come back with their next packet");
    EXPECT_EQ(warning_for({udp_flow()}),
              "no stream exception policy is in force: UDP flows come back with their next packet");
    EXPECT_EQ(
        warning_for({tcp, udp_flow(), icmpv6_flow(), unnamed}),
        "no stream exception policy is in force: TCP, UDP, ICMPV6 and protocol 200 flows come back with their next "
        "packet");
    table_.is_loose = false;
    EXPECT_EQ(warning_for({tcp, udp_flow()}),
              "no stream exception policy is in force: UDP flows come back with their next packet; packets of flushed "
              "TCP flows are judged by your rules alone");
}

TEST_F(FlushingWithPolicy, nothing_to_flush_is_no_cause_for_a_warning) {
    table_.flows.clear();
    EXPECT_TRUE(warnings().empty());
}

TEST_F(FlushingWithPolicy, a_table_that_is_not_headgates_is_no_policy) {
    table_.flows = {udp_flow()};
    ruleset_.meddle(RulesetCondition::Unverified);
    EXPECT_EQ(warnings(), std::vector<std::string>{
                              "no stream exception policy is in force: UDP flows come back with their next packet"});
}

TEST_F(FlushingWithPolicy, continue_warns_while_tcp_is_picked_up_midstream) {
    reject_.name = "continue";
    reject_.exception = StreamException::Continue;
    in_force(reject_);
    operation_.dry_run = true;
    EXPECT_EQ(warnings(), std::vector<std::string>{
                              "the stream exception policy is continue and net.netfilter.nf_conntrack_tcp_loose "
                              "is 1: TCP and UDP flows come back with their next packet"});
    table_.is_loose = false;
    EXPECT_EQ(warnings(), std::vector<std::string>{
                              "the stream exception policy is continue: UDP flows come back with their next packet; "
                              "packets of flushed TCP flows are judged by your rules alone"});
    table_.flows.pop_back();  // the UDP flow
    EXPECT_TRUE(warnings().empty());
}

TEST_F(FlushingWithPolicy, a_policy_that_another_process_removed_or_changed_is_reported) {
    operation_.dry_run = true;
    in_force(reject_);
    table_.flows = {udp_flow()};
    ruleset_.meddle(RulesetCondition::Changed);
    ASSERT_EQ(warnings().size(), 1U);
    EXPECT_NE(warnings().front().find("another process has changed the table inet headgate"), std::string::npos);
    ruleset_.meddle(RulesetCondition::Missing);
    ASSERT_EQ(warnings().size(), 1U);
    EXPECT_NE(warnings().front().find("another process has removed the stream exception policy"), std::string::npos);
}

TEST_F(FlushingWithPolicy, a_policy_that_is_required_must_keep_flows_from_coming_back) {
    request_.require_policy = true;
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
    request_.policy = drop_;
    request_.require_policy = true;
    EXPECT_EQ(flush().value().stream_exception_policy, "drop");
    EXPECT_EQ(status().policy->name, "drop");
    EXPECT_EQ(status().remembered_flows, 4U);
}

TEST_F(FlushingWithPolicy, a_flush_that_is_refused_changes_no_policy) {
    in_force(reject_);
    request_.policy = drop_;
    request_.maximum_flows = 1;
    EXPECT_FALSE(flush().has_value());
    EXPECT_EQ(status().policy->name, "reject");
    EXPECT_EQ(status().remembered_flows, 0U);
}

TEST_F(FlushingWithPolicy, flows_that_were_not_flushed_after_all_are_forgotten) {
    in_force(reject_);
    ASSERT_TRUE(inserted(table_, std::vector<Flow>{tcp_flow().from_port(9).established()}));
    table_.failing[table_.flows.back().id] = EBUSY;
    const auto operation = flush().value();
    EXPECT_EQ(operation.counts.failed, 1U);
    EXPECT_EQ(status().remembered_flows, 4U);
}

TEST_F(FlushingWithPolicy, that_comes_to_captured_flows_a_second_time_forgets_nothing_of_the_first) {
    in_force(reject_);
    std::vector<FlowRow> captured;
    for (const auto& flow : table_.flows)
        captured.push_back({flow, {}});
    request_.captured = captured_before(captured);
    EXPECT_EQ(flush().value().counts.flushed, 4U);
    EXPECT_EQ(status().remembered_flows, 4U);
    EXPECT_EQ(flush().value().counts.gone, 4U);
    EXPECT_EQ(status().remembered_flows, 4U) << "they are still not to come back";
}

TEST_F(FlushingWithPolicy, captured_flows_that_are_gone_are_not_remembered) {
    in_force(reject_);
    const std::vector<FlowRow> captured{{table_.flows[0], {}}, {table_.flows[3], {}}};
    request_.captured = captured_before(captured);
    table_.flows.pop_back();
    EXPECT_EQ(flush().value().counts.gone, 1U);
    EXPECT_EQ(status().remembered_flows, 1U);
}

TEST_F(FlushingWithPolicy, a_flush_that_is_stopped_remembers_nothing_of_what_it_left_alone) {
    in_force(reject_);
    listener_.before_block = [] { return failed("interrupted"); };
    EXPECT_FALSE(flush().has_value());
    EXPECT_EQ(listener_.endings.size(), 4U);
    EXPECT_EQ(status().remembered_flows, 0U);
}

TEST_F(FlushingWithPolicy, a_policy_that_changes_while_flows_are_identified_refuses_the_flush) {
    in_force(reject_);
    listener_.at_progress = [&]() -> Result<void> {
        in_force(drop_);
        return {};
    };
    const auto changed = flush();
    ASSERT_FALSE(changed.has_value());
    EXPECT_EQ(changed.error().kind, ErrorKind::Refused);
    listener_.at_progress = [&]() -> Result<void> {
        ruleset_.meddle(RulesetCondition::Changed);
        return {};
    };
    EXPECT_FALSE(flush().has_value());
    EXPECT_EQ(table_.flows.size(), 4U);
}

TEST_F(FlushingWithPolicy, a_policy_that_is_removed_while_flows_are_ended_is_reported) {
    in_force(reject_);
    table_.at_removal = [&] { ruleset_.meddle(RulesetCondition::Missing); };
    EXPECT_EQ(warnings(), std::vector<std::string>{
                              "the stream exception policy was changed or removed while flows were being ended"});
}

TEST_F(FlushingWithPolicy, a_policy_without_the_hooks_that_forwarded_flows_pass_holds_nothing) {
    reject_.hooks = {Hook::Output};
    in_force(reject_);
    request_.require_policy = true;
    const auto refusal = flush();
    ASSERT_FALSE(refusal.has_value());
    EXPECT_NE(refusal.error().message.find("does not look at packets in the hook forward"), std::string::npos);
}

TEST_F(FlushingWithPolicy, scope_all_warns_that_it_does_not_apply_to_udp) {
    reject_.scope = MidstreamScope::All;
    in_force(reject_);
    EXPECT_EQ(warnings(),
              std::vector<std::string>{"scope all applies to TCP and SCTP alone: flows of other protocols come "
                                       "back with their next packet"});
}

TEST_F(FlushingWithPolicy, scope_all_warns_that_sctp_can_come_back_by_a_heartbeat) {
    reject_.scope = MidstreamScope::All;
    in_force(reject_);
    table_.flows = {FlowBuilder{Protocol::Sctp}.flow()};
    EXPECT_EQ(warnings(), std::vector<std::string>{"scope all treats a HEARTBEAT of SCTP as the beginning of another "
                                                   "path: SCTP flows can come back with one"});
}

TEST_F(FlushingWithPolicy, that_takes_the_place_of_another_warns_of_it) {
    in_force(reject_);
    request_.policy = drop_;
    EXPECT_EQ(warnings(), std::vector<std::string>{"policy drop replaces reject"});
}

TEST_F(FlushingWithPolicy, a_policy_with_scope_all_is_not_for_a_flush_to_apply) {
    drop_.scope = MidstreamScope::All;
    request_.policy = drop_;
    const auto refusal = flush();
    ASSERT_FALSE(refusal.has_value());
    EXPECT_EQ(refusal.error().kind, ErrorKind::Refused);
}

TEST_F(FlushingWithPolicy, a_flush_does_not_take_a_policy_on_all_midstream_packets_away) {
    reject_.scope = MidstreamScope::All;
    in_force(reject_);
    request_.policy = drop_;
    const auto other = flush();
    ASSERT_FALSE(other.has_value());
    EXPECT_EQ(other.error().kind, ErrorKind::Refused);
    request_.policy = reject_;
    EXPECT_TRUE(flush().has_value());
}

}  // namespace flush_policy_test
}  // namespace headgate::operations
