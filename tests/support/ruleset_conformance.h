// SPDX-License-Identifier: GPL-2.0-or-later
// Requirements on every Ruleset. Instantiated with the in-memory ruleset (unit tests) and nftables (kernel tests), so
// that the two behave alike.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "headgate/ruleset.h"

#include "support/flow_builder.h"

namespace headgate::testing {

inline StreamExceptionPolicy policy_named(std::string name) {
    StreamExceptionPolicy policy;
    policy.name = std::move(name);
    policy.exception = StreamException::Reject;
    return policy;
}

inline std::vector<FlowRow> rows_from_ports(std::uint16_t first, std::uint16_t last) {
    std::vector<FlowRow> rows;
    for (std::uint16_t port = first; port <= last; ++port)
        rows.push_back({tcp_flow().from_port(port).established(), {}});
    return rows;
}

/// `Environment` has `Ruleset& ruleset()` with nothing in force, `void pass(std::chrono::milliseconds)` that advances
/// time, and `std::string reason_to_skip()`.
template <typename Environment>
class RulesetConformance : public ::testing::Test {
  protected:
    void SetUp() override {
        if (const auto reason = environment_.reason_to_skip(); !reason.empty()) GTEST_SKIP() << reason;
    }

    Ruleset& ruleset() { return environment_.ruleset(); }

    void apply(const StreamExceptionPolicy& policy) {
        const auto applied = ruleset().apply(policy);
        ASSERT_TRUE(applied.has_value()) << applied.error().message;
    }

    Remembered remember(const std::vector<FlowRow>& rows,
                        std::optional<std::chrono::seconds> time = std::chrono::seconds{60}) {
        const auto remembered = ruleset().remember(rows, time);
        EXPECT_TRUE(remembered.has_value()) << remembered.error().message;
        return remembered.value_or(Remembered::None);
    }

    RulesetStatus status() {
        const auto status = ruleset().status();
        EXPECT_TRUE(status.has_value()) << status.error().message;
        return status.value_or(RulesetStatus{});
    }

    Environment environment_;
};

TYPED_TEST_SUITE_P(RulesetConformance);

TYPED_TEST_P(RulesetConformance, at_first_nothing_is_in_force) {
    EXPECT_EQ(this->ruleset().in_force().value(), std::nullopt);
    const auto status = this->status();
    EXPECT_EQ(status.condition, RulesetCondition::NothingApplied);
    EXPECT_FALSE(status.policy.has_value());
    EXPECT_TRUE(status.counters.empty());
}

TYPED_TEST_P(RulesetConformance, what_is_applied_is_in_force) {
    auto policy = policy_named("of-ours");
    policy.exception = StreamException::Drop;
    policy.scope = MidstreamScope::All;
    policy.hooks = {Hook::Forward, Hook::Output};
    policy.priority = -50;
    policy.remember_flushed_for = std::chrono::seconds{77};
    policy.remember_at_most = 99;
    this->apply(policy);
    EXPECT_EQ(this->ruleset().in_force().value(), policy);
    EXPECT_EQ(this->ruleset().condition().value(), RulesetCondition::AsApplied);
    EXPECT_EQ(this->status().policy, policy);
    policy.remember_flushed_for.reset();
    this->apply(policy);
    EXPECT_EQ(this->ruleset().in_force().value(), policy);
}

TYPED_TEST_P(RulesetConformance, another_policy_takes_the_place_of_the_first) {
    this->apply(policy_named("first"));
    auto second = policy_named("second");
    second.exception = StreamException::Continue;
    second.hooks = {Hook::Input};
    this->apply(second);
    EXPECT_EQ(this->ruleset().in_force().value(), second);
    EXPECT_EQ(this->ruleset().condition().value(), RulesetCondition::AsApplied);
}

TYPED_TEST_P(RulesetConformance, what_is_in_force_is_not_applied_again) {
    auto policy = policy_named("reject");
    EXPECT_EQ(this->ruleset().apply(policy).value(), Application::Done);
    EXPECT_EQ(this->ruleset().apply(policy).value(), Application::NotNeeded);
    policy.description = "The kernel does not know why.";
    EXPECT_EQ(this->ruleset().apply(policy).value(), Application::NotNeeded);
    policy.log = PacketLog{"midstream ", 5};
    EXPECT_EQ(this->ruleset().apply(policy).value(), Application::Done)
        << "in_force() does not tell, but it is another";
    EXPECT_EQ(this->ruleset().apply(policy).value(), Application::NotNeeded);
    ASSERT_TRUE(this->ruleset().remove().has_value());
    EXPECT_EQ(this->ruleset().apply(policy).value(), Application::Done);
}

TYPED_TEST_P(RulesetConformance, removing_leaves_nothing_and_may_be_repeated) {
    this->apply(policy_named("reject"));
    ASSERT_TRUE(this->ruleset().remove().has_value());
    ASSERT_TRUE(this->ruleset().remove().has_value());
    EXPECT_EQ(this->ruleset().in_force().value(), std::nullopt);
    EXPECT_EQ(this->ruleset().condition().value(), RulesetCondition::NothingApplied);
}

TYPED_TEST_P(RulesetConformance, remembers_flows_for_their_time_and_no_longer) {
    this->apply(policy_named("reject"));
    EXPECT_EQ(this->remember(rows_from_ports(1, 3), std::chrono::seconds{1}), Remembered::All);
    EXPECT_EQ(this->remember(rows_from_ports(4, 5)), Remembered::All);
    EXPECT_EQ(this->status().remembered_flows, 5U);
    this->environment_.pass(std::chrono::milliseconds{1200});
    EXPECT_EQ(this->status().remembered_flows, 2U);
}

TYPED_TEST_P(RulesetConformance, remembers_each_flow_as_long_as_its_own_timeout_had_left) {
    this->apply(policy_named("reject"));
    auto rows = rows_from_ports(1, 4);
    rows[0].flow.timeout = std::chrono::seconds{1};
    rows[1].flow.timeout = std::chrono::hours{120};
    rows[2].flow.timeout.reset();
    rows[3].flow.timeout = std::chrono::seconds{0};
    EXPECT_EQ(this->remember(rows, std::nullopt), Remembered::All);
    EXPECT_EQ(this->status().remembered_flows, 4U);
    this->environment_.pass(std::chrono::milliseconds{1200});
    EXPECT_EQ(this->status().remembered_flows, 3U) << "an unknown timeout counts as the usual time";
}

TYPED_TEST_P(RulesetConformance, flows_of_every_kind_are_remembered) {
    this->apply(policy_named("reject"));
    FlowRow gre{FlowBuilder{Protocol::Gre}.from("10.0.1.9").to("10.0.2.2").flow(), {}};
    const std::vector<FlowRow> rows{
        {tcp_flow(), {}},    {udp_flow().from("2001:db8:1::2", 5353).to("2001:db8:2::2", 53), {}},
        {sctp_flow(), {}},   {icmp_flow().from("10.0.1.2").to("10.0.2.2"), {}},
        {icmpv6_flow(), {}}, gre};
    EXPECT_EQ(this->remember(rows), Remembered::All);
    EXPECT_EQ(this->status().remembered_flows, rows.size());
}

TYPED_TEST_P(RulesetConformance, a_flow_that_is_remembered_again_is_remembered_longer) {
    this->apply(policy_named("reject"));
    this->remember(rows_from_ports(1, 3), std::chrono::seconds{1});
    this->remember(rows_from_ports(2, 4), std::chrono::seconds{60});
    this->environment_.pass(std::chrono::milliseconds{1200});
    EXPECT_EQ(this->status().remembered_flows, 3U);
}

TYPED_TEST_P(RulesetConformance, all_of_a_block_are_remembered_or_none) {
    auto policy = policy_named("reject");
    policy.remember_at_most = 5;
    this->apply(policy);
    EXPECT_EQ(this->remember(rows_from_ports(1, 4)), Remembered::All);
    EXPECT_EQ(this->remember(rows_from_ports(5, 6)), Remembered::None);
    EXPECT_EQ(this->status().remembered_flows, 4U);
    EXPECT_EQ(this->remember(rows_from_ports(5, 5)), Remembered::All);
    EXPECT_EQ(this->remember(rows_from_ports(1, 5)), Remembered::All) << "those that are there need no room";
}

TYPED_TEST_P(RulesetConformance, a_full_memory_takes_no_block_that_is_in_it_in_part) {
    auto policy = policy_named("reject");
    policy.remember_at_most = 400;
    this->apply(policy);
    for (std::uint16_t first = 1; first <= 400; first = static_cast<std::uint16_t>(first + 100))
        EXPECT_EQ(this->remember(rows_from_ports(first, static_cast<std::uint16_t>(first + 99))), Remembered::All);
    EXPECT_EQ(this->remember(rows_from_ports(301, 556)), Remembered::None);
    EXPECT_EQ(this->status().remembered_flows, 400U);
    EXPECT_EQ(this->remember(rows_from_ports(1, 200)), Remembered::All);
    EXPECT_EQ(this->ruleset().condition().value(), RulesetCondition::AsApplied);
}

TYPED_TEST_P(RulesetConformance, what_is_forgotten_makes_room) {
    auto policy = policy_named("reject");
    policy.remember_at_most = 5;
    this->apply(policy);
    this->remember(rows_from_ports(1, 5));
    ASSERT_TRUE(this->ruleset().forget(rows_from_ports(2, 4)).has_value());
    EXPECT_EQ(this->status().remembered_flows, 2U);
    ASSERT_TRUE(this->ruleset().forget(rows_from_ports(2, 5)).has_value()) << "those that are not there are gone, too";
    EXPECT_EQ(this->status().remembered_flows, 1U);
    EXPECT_EQ(this->remember(rows_from_ports(6, 9)), Remembered::All);
}

TYPED_TEST_P(RulesetConformance, a_smaller_memory_refuses_what_would_not_fit) {
    this->apply(policy_named("reject"));
    this->remember(rows_from_ports(1, 5));
    auto smaller = policy_named("smaller");
    smaller.remember_at_most = 4;
    const auto refusal = this->ruleset().apply(smaller);
    ASSERT_FALSE(refusal.has_value());
    EXPECT_EQ(refusal.error().kind, ErrorKind::Refused);
    EXPECT_EQ(this->ruleset().in_force().value()->name, "reject");
    EXPECT_EQ(this->status().remembered_flows, 5U);
    smaller.remember_at_most = 5;
    this->apply(smaller);
    EXPECT_EQ(this->status().remembered_flows, 5U);
}

TYPED_TEST_P(RulesetConformance, windows_open_and_close) {
    this->apply(policy_named("reject"));
    ASSERT_TRUE(this->ruleset().open_window(Protocol::Tcp, std::chrono::seconds{60}).has_value());
    ASSERT_TRUE(this->ruleset().open_window(Protocol::Sctp, std::chrono::seconds{1}).has_value());
    EXPECT_EQ(this->status().windows.size(), 2U);
    this->environment_.pass(std::chrono::milliseconds{1200});
    const auto windows = this->status().windows;
    ASSERT_EQ(windows.size(), 1U);
    EXPECT_EQ(windows.front().protocol, Protocol::Tcp);
    EXPECT_NEAR(static_cast<double>(windows.front().left.count()), 58.5, 1.5);
}

TYPED_TEST_P(RulesetConformance, what_is_remembered_survives_a_change_of_policy) {
    this->apply(policy_named("first"));
    this->remember(rows_from_ports(1, 3));
    ASSERT_TRUE(this->ruleset().open_window(Protocol::Sctp, std::chrono::seconds{60}).has_value());
    this->apply(policy_named("first"));
    EXPECT_EQ(this->status().remembered_flows, 3U);
    auto larger = policy_named("second");
    larger.remember_at_most = 10;
    this->apply(larger);
    EXPECT_EQ(this->status().remembered_flows, 3U);
    EXPECT_GE(this->status().windows.size(), 1U);
}

TYPED_TEST_P(RulesetConformance, counters_are_read_without_the_rest) {
    const auto counters = [&] { return this->ruleset().counters().value(); };
    EXPECT_TRUE(counters().empty());
    this->apply(policy_named("first"));
    EXPECT_FALSE(counters().empty());
    for (const auto& each : counters())
        EXPECT_EQ(each.policy, "first");
    EXPECT_EQ(counters(), this->status().counters);
    this->apply(policy_named("second"));
    const auto is_firsts = [](const auto& each) { return each.policy == "first"; };
    EXPECT_TRUE(std::ranges::any_of(counters(), is_firsts)) << "its counters are still reported";
    EXPECT_FALSE(std::ranges::all_of(counters(), is_firsts));
    ASSERT_TRUE(this->ruleset().remove().has_value());
    EXPECT_TRUE(counters().empty());
}

TYPED_TEST_P(RulesetConformance, remembering_takes_a_policy_that_remembers) {
    EXPECT_FALSE(this->ruleset().remember(rows_from_ports(1, 1), std::chrono::seconds{1}).has_value());
    EXPECT_FALSE(this->ruleset().open_window(Protocol::Tcp, std::chrono::seconds{1}).has_value());
    auto all = policy_named("all");
    all.scope = MidstreamScope::All;
    this->apply(all);
    EXPECT_FALSE(this->ruleset().remember(rows_from_ports(1, 1), std::chrono::seconds{1}).has_value());
}

REGISTER_TYPED_TEST_SUITE_P(RulesetConformance, at_first_nothing_is_in_force, what_is_applied_is_in_force,
                            another_policy_takes_the_place_of_the_first, what_is_in_force_is_not_applied_again,
                            removing_leaves_nothing_and_may_be_repeated, remembers_flows_for_their_time_and_no_longer,
                            remembers_each_flow_as_long_as_its_own_timeout_had_left, flows_of_every_kind_are_remembered,
                            a_flow_that_is_remembered_again_is_remembered_longer, all_of_a_block_are_remembered_or_none,
                            a_full_memory_takes_no_block_that_is_in_it_in_part, what_is_forgotten_makes_room,
                            a_smaller_memory_refuses_what_would_not_fit, windows_open_and_close,
                            what_is_remembered_survives_a_change_of_policy, counters_are_read_without_the_rest,
                            remembering_takes_a_policy_that_remembers);

}  // namespace headgate::testing
