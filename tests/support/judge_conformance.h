// SPDX-License-Identifier: GPL-2.0-or-later
// Requirements on every Judge. Instantiated with the in-memory judge (unit tests) and the kernel's (kernel tests), so
// that the two behave alike.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "headgate/judge.h"

#include "support/flow_builder.h"

namespace headgate::testing {

/// `Environment` has `Judge& judge()`, by a ruleset with one chain `inet filter forward` that accepts and has no rule;
/// `void drop_by_default()`, which changes the chain's policy; `void add_rule(std::uint16_t port, verdict)`, which
/// appends a rule on TCP's destination port, the verdict being `drop`, `reject` or `accept`; `std::string
/// candidate(std::uint16_t port, verdict)`, the text that inserts such a rule before the others;
/// `Flow flow_to(std::uint16_t port)`, a TCP flow that the chain would see; and `std::string reason_to_skip()`.
template <typename Environment>
class JudgeConformance : public ::testing::Test {
  protected:
    void SetUp() override {
        if (const auto reason = environment_.reason_to_skip(); !reason.empty()) GTEST_SKIP() << reason;
    }

    Judge& judge() { return environment_.judge(); }

    JudgedRuleset prepare(const std::optional<std::string>& candidate = {}) {
        const auto prepared = judge().prepare(candidate);
        EXPECT_TRUE(prepared.has_value()) << prepared.error().message;
        return prepared.value_or(JudgedRuleset{});
    }

    std::vector<FlowVerdict> verdicts_for(const std::vector<std::uint16_t>& ports) {
        std::vector<Flow> flows;
        for (const auto port : ports)
            flows.push_back(environment_.flow_to(port));
        const auto verdicts = judge().judge(flows);
        EXPECT_TRUE(verdicts.has_value()) << verdicts.error().message;
        EXPECT_EQ(verdicts.value_or(std::vector<FlowVerdict>{}).size(), ports.size());
        return verdicts.value_or(std::vector<FlowVerdict>(ports.size()));
    }

    std::vector<VerdictResult> results_for(const std::vector<std::uint16_t>& ports) {
        std::vector<VerdictResult> results;
        for (const auto& each : verdicts_for(ports))
            results.push_back(each.result);
        return results;
    }

    Environment environment_;
};

TYPED_TEST_SUITE_P(JudgeConformance);

TYPED_TEST_P(JudgeConformance, without_rules_all_flows_are_allowed) {
    EXPECT_EQ(this->prepare().source, RulesetSource::InForce);
    for (const auto& each : this->verdicts_for({22, 80}))
        EXPECT_EQ(each, FlowVerdict{.result = VerdictResult::Allowed});
}

TYPED_TEST_P(JudgeConformance, a_refused_flow_names_the_rule) {
    this->environment_.add_rule(443, "accept");
    this->environment_.add_rule(22, "drop");
    this->environment_.add_rule(23, "reject");
    this->prepare();
    const auto verdicts = this->verdicts_for({443, 22, 23, 80});
    EXPECT_EQ(verdicts[0].result, VerdictResult::Allowed);
    EXPECT_EQ(verdicts[3].result, VerdictResult::Allowed);
    EXPECT_EQ(verdicts[1].kind, RefusalKind::Drop);
    EXPECT_EQ(verdicts[2].kind, RefusalKind::Reject);
    for (const auto& each : {verdicts[1], verdicts[2]}) {
        EXPECT_EQ(each.result, VerdictResult::Refused);
        ASSERT_TRUE(each.rule.has_value());
        EXPECT_EQ(each.rule->family, "inet");
        EXPECT_EQ(each.rule->table, "filter");
        EXPECT_EQ(each.rule->chain, "forward");
        EXPECT_TRUE(each.rule->handle.has_value());
        EXPECT_NE(each.rule->text.find(each.rule == verdicts[1].rule ? "22" : "23"), std::string::npos);
    }
    EXPECT_NE(verdicts[1].rule->handle, verdicts[2].rule->handle);
}

TYPED_TEST_P(JudgeConformance, the_policy_of_a_chain_refuses_without_a_rule) {
    this->environment_.add_rule(443, "accept");
    this->environment_.drop_by_default();
    this->prepare();
    const auto verdicts = this->verdicts_for({443, 80});
    EXPECT_EQ(verdicts[0].result, VerdictResult::Allowed);
    EXPECT_EQ(verdicts[1].result, VerdictResult::Refused);
    EXPECT_EQ(verdicts[1].kind, RefusalKind::Policy);
    ASSERT_TRUE(verdicts[1].rule.has_value());
    EXPECT_EQ(verdicts[1].rule->chain, "forward");
    EXPECT_FALSE(verdicts[1].rule->handle.has_value());
    EXPECT_EQ(verdicts[1].rule->text, "policy drop");
}

TYPED_TEST_P(JudgeConformance, a_candidate_is_judged_on_top_of_what_is_in_force_and_is_not_put_in_force) {
    this->environment_.add_rule(22, "drop");
    const auto before = this->judge().generation_now().value();
    const auto prepared = this->prepare(this->environment_.candidate(80, "drop"));
    EXPECT_EQ(prepared.source, RulesetSource::Candidate);
    EXPECT_EQ(prepared.generation, before);
    const auto verdicts = this->verdicts_for({22, 80, 443});
    EXPECT_EQ(verdicts[0].result, VerdictResult::Refused);
    EXPECT_TRUE(verdicts[0].rule && verdicts[0].rule->handle);
    EXPECT_EQ(verdicts[1].result, VerdictResult::Refused);
    EXPECT_TRUE(verdicts[1].rule && !verdicts[1].rule->handle) << "it has none yet";
    EXPECT_EQ(verdicts[2].result, VerdictResult::Allowed);

    EXPECT_EQ(this->judge().generation_now().value(), before);
    this->prepare();
    EXPECT_EQ(this->results_for({22, 80}), (std::vector{VerdictResult::Refused, VerdictResult::Allowed}));
}

TYPED_TEST_P(JudgeConformance, a_candidate_that_does_not_load_is_an_error_and_changes_nothing) {
    const auto before = this->judge().generation_now().value();
    const auto prepared = this->judge().prepare("this is no ruleset");
    ASSERT_FALSE(prepared.has_value());
    EXPECT_EQ(prepared.error().kind, ErrorKind::Unloadable);
    EXPECT_NE(prepared.error().message.find("syntax error"), std::string::npos) << prepared.error().message;
    EXPECT_EQ(this->judge().generation_now().value(), before);
}

TYPED_TEST_P(JudgeConformance, verdicts_are_by_the_ruleset_that_was_prepared) {
    const auto prepared = this->prepare();
    EXPECT_EQ(this->judge().generation_now().value(), prepared.generation);
    this->environment_.add_rule(80, "drop");
    EXPECT_NE(this->judge().generation_now().value(), prepared.generation) << "so the change can be noticed";
    EXPECT_EQ(this->results_for({80}), std::vector{VerdictResult::Allowed});
    this->prepare();
    EXPECT_EQ(this->results_for({80}), std::vector{VerdictResult::Refused});
}

TYPED_TEST_P(JudgeConformance, any_number_of_flows_has_its_verdicts_in_order) {
    this->environment_.add_rule(22, "drop");
    this->prepare();
    EXPECT_TRUE(this->judge().judge({}).value().empty());
    std::vector<std::uint16_t> ports;
    std::vector<VerdictResult> expected;
    for (std::size_t i = 0; i < 5000; ++i) {
        ports.push_back(i % 3 == 0 ? 22 : 80);
        expected.push_back(i % 3 == 0 ? VerdictResult::Refused : VerdictResult::Allowed);
    }
    EXPECT_EQ(this->results_for(ports), expected);
}

REGISTER_TYPED_TEST_SUITE_P(JudgeConformance, without_rules_all_flows_are_allowed, a_refused_flow_names_the_rule,
                            the_policy_of_a_chain_refuses_without_a_rule,
                            a_candidate_is_judged_on_top_of_what_is_in_force_and_is_not_put_in_force,
                            a_candidate_that_does_not_load_is_an_error_and_changes_nothing,
                            verdicts_are_by_the_ruleset_that_was_prepared,
                            any_number_of_flows_has_its_verdicts_in_order);

}  // namespace headgate::testing
