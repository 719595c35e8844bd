// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/instrumentation.h"

#include <gtest/gtest.h>

#include "rematch/expressions.h"
#include "support/bytecode_builder.h"

namespace headgate::testing {
namespace instrumentation_test {

using rematch::Expression;
using rematch::Treatment;

constexpr std::uint8_t kSsh[] = {0, 22};

rematch::InstrumentedRuleset instrumented(std::vector<Expression> expressions) {
    rematch::RulesetBytecode ruleset;
    ruleset.rules = {rule(std::move(expressions))};
    return rematch::instrument(ruleset, false);
}

std::vector<Expression> traced(std::vector<Expression> conditions) {
    rematch::append_trace(conditions);
    return conditions;
}

const auto kPort = load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
const auto kIsSsh = rematch::compare(NFT_CMP_EQ, NFT_REG_1, kSsh);
const auto kDrop = rematch::verdict(NF_DROP);
const auto kRandom = expression("numgen", {{NFTA_NG_DREG, NFT_REG_1}});
const auto kIsNone = rematch::compare(NFT_CMP_EQ, NFT_REG_1, kSsh);

TEST(Instrumentation, an_exact_rule_is_copied_without_what_only_records) {
    const auto result = instrumented({kPort, kIsSsh, expression("counter"), kDrop});
    ASSERT_EQ(result.rules.size(), 1U);
    EXPECT_EQ(result.rules[0].expressions, (std::vector{kPort, kIsSsh, kDrop}));
    EXPECT_TRUE(result.tripwires.empty());
}

TEST(Instrumentation, a_rejection_is_a_drop_in_the_copy) {
    EXPECT_EQ(instrumented({kPort, kIsSsh, expression("reject")}).rules[0].expressions,
              (std::vector{kPort, kIsSsh, kDrop}));
}

TEST(Instrumentation, a_rule_that_decides_nothing_is_left_out) {
    EXPECT_TRUE(instrumented({kPort, kIsSsh, expression("counter")}).rules.empty());
    EXPECT_TRUE(instrumented({kRandom, kIsNone, expression("log")}).rules.empty()) << "whatever it depends on";
    EXPECT_TRUE(instrumented({expression("limit"), expression("counter")}).rules.empty());
}

TEST(Instrumentation, a_tripwire_has_all_conditions_that_can_be_decided_on_either_side) {
    const auto result = instrumented({kRandom, kIsNone, kPort, kIsSsh, kDrop});
    ASSERT_EQ(result.rules.size(), 1U) << "the rule itself is left out";
    EXPECT_EQ(result.rules[0].tripwire, 0U);
    EXPECT_EQ(result.rules[0].expressions, traced({kPort, kIsSsh}));
    EXPECT_EQ(result.tripwires[0].expression.treatment, Treatment::Undecidable);
}

TEST(Instrumentation, a_condition_behind_one_that_acts_is_none_of_the_tripwires) {
    const auto mark = rematch::set_meta(NFT_META_MARK, NFT_REG_1);
    const auto result = instrumented({kPort, kIsSsh, mark, kPort, kIsSsh, kRandom, kIsNone, kDrop});
    ASSERT_EQ(result.rules.size(), 1U);
    EXPECT_EQ(result.rules[0].expressions, traced({kPort, kIsSsh})) << "the mark is set whatever follows";
}

TEST(Instrumentation, a_condition_on_what_an_undecidable_expression_loaded_is_undecidable) {
    const auto dscp = load_payload(NFT_PAYLOAD_NETWORK_HEADER, 1, 1);
    const std::uint8_t bits[] = {0xfc};
    const auto result = instrumented({dscp, rematch::mask(NFT_REG_1, bits), kIsNone, kPort, kIsSsh, kDrop});
    ASSERT_EQ(result.rules.size(), 1U);
    EXPECT_EQ(result.rules[0].expressions, traced({kPort, kIsSsh}));
}

TEST(Instrumentation, a_limit_is_left_out_and_noted) {
    const auto result = instrumented({kPort, kIsSsh, expression("limit"), kDrop});
    ASSERT_EQ(result.rules.size(), 2U);
    EXPECT_EQ(result.rules[0].expressions, traced({kPort, kIsSsh}));
    EXPECT_EQ(result.rules[1].expressions, (std::vector{kPort, kIsSsh, kDrop}));
    EXPECT_EQ(result.tripwires[0].expression.treatment, Treatment::Limit);
}

TEST(Instrumentation, a_rule_above_a_limit_is_noted_and_left_out) {
    const auto result = instrumented({kPort, kIsSsh, expression("limit", {{NFTA_LIMIT_FLAGS, 1}}), kDrop});
    ASSERT_EQ(result.rules.size(), 1U);
    EXPECT_EQ(result.tripwires[0].expression.treatment, Treatment::OverLimit);
}

TEST(Instrumentation, a_mark_trips_only_where_it_is_read_as_none) {
    const auto mark = rematch::load_ct(NFT_CT_MARK, NFT_REG_1);
    const auto result = instrumented({kPort, kIsSsh, mark, kIsNone, kDrop});
    ASSERT_EQ(result.rules.size(), 2U);
    const std::uint8_t none[4] = {};
    EXPECT_EQ(result.rules[0].expressions,
              traced({kPort, kIsSsh, mark, rematch::compare(NFT_CMP_EQ, NFT_REG_1, none)}));
    EXPECT_EQ(result.rules[1].expressions.size(), 5U);
}

TEST(Instrumentation, an_expression_of_unknown_registers_taints_all) {
    const auto result = instrumented({kPort, expression("made-up-tomorrow"), kIsSsh, kDrop});
    ASSERT_EQ(result.rules.size(), 1U);
    EXPECT_EQ(result.rules[0].expressions, traced({kPort})) << "it acts, for all that is known";
}

TEST(Instrumentation, source_ports_are_read_by_what_loads_them) {
    const auto reads = [](const Expression& single) { return instrumented({single}).reads_source_ports; };
    const auto transport = [](std::uint32_t offset, std::uint32_t length) {
        return load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset, length);
    };
    EXPECT_FALSE(reads(kPort));
    EXPECT_TRUE(reads(transport(0, 2)));
    EXPECT_TRUE(reads(transport(0, 4)));
    EXPECT_TRUE(reads(transport(0, 1)));
    EXPECT_TRUE(reads(transport(4, 2))) << "ICMP's identifier, unless the protocol is known";
    EXPECT_FALSE(reads(load_payload(NFT_PAYLOAD_NETWORK_HEADER, 12, 4)));
    EXPECT_TRUE(reads(rematch::load_ct(NFT_CT_PROTO_SRC, NFT_REG_1)));
    EXPECT_FALSE(reads(rematch::load_ct(NFT_CT_PROTO_DST, NFT_REG_1)));
    EXPECT_TRUE(reads(named_expression("match", 1, "multiport")));
    EXPECT_FALSE(reads(named_expression("match", 1, "comment")));
}

}  // namespace instrumentation_test
}  // namespace headgate::testing
