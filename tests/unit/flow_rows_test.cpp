// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/flow_rows.h"

#include <gtest/gtest.h>

#include "support/stored_operations.h"

namespace headgate::operations {
namespace flow_rows_test {

using namespace headgate::testing;

FlowBlock block_of(const std::vector<FlowRow>& flows) {
    FlowBlock block;
    for (const auto& each : flows)
        block.add(each);
    return block;
}

TEST(FlowRows, come_back_with_every_field) {
    auto block = block_of(flows_of_every_kind());
    const auto flows = unpack(block.rows(), block.outcomes());
    ASSERT_TRUE(flows.has_value()) << flows.error().message;
    EXPECT_EQ(*flows, flows_of_every_kind());
}

TEST(FlowRows, come_back_with_their_verdicts) {
    auto block = block_of(judged_flows());
    EXPECT_EQ(unpack(block.rows()).value(), judged_flows());
    EXPECT_EQ(unpack_from({7, 12, block.rows(), {}}, 12, 1).value().front().verdict, judged_flows()[5].verdict)
        << "it is the second one with this verdict";
}

TEST(FlowRows, share_a_verdict_that_takes_little_room) {
    auto flows = numbered_flows(0, 1000);
    const auto without = block_of(flows).rows().size();
    const SharedVerdict verdict{{.result = VerdictResult::Refused,
                                 .kind = RefusalKind::Drop,
                                 .rule = RuleReference{"inet", "filter", "forward", 12, std::string(300, 'x')}}};
    for (auto& each : flows)
        each.verdict = verdict;
    auto block = block_of(flows);
    EXPECT_LE(block.rows().size(), without + 2000);
    const auto read = unpack(block.rows()).value();
    EXPECT_EQ(read.front().verdict.get(), read.back().verdict.get());
}

TEST(FlowRows, whose_verdicts_were_cut_short_or_are_not_there_are_an_error) {
    auto block = block_of(judged_flows());
    const auto bytes = block.rows();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(unpack(std::span{bytes}.first(size)).has_value()) << size;
    auto lone = block_of({judged_flows().front()}).rows();
    constexpr std::size_t kVerdict = 4;  // its number, one octet and the sizes of a list and of a text
    lone[lone.size() - kVerdict] = std::byte{1};
    EXPECT_FALSE(unpack(lone).has_value()) << "there is no verdict before it";
}

TEST(FlowRows, endings_bring_the_flow_up_to_date) {
    auto block = block_of(flows_of_every_kind());
    const auto endings = endings_of(flows_of_every_kind());
    const auto flows = unpack(block.rows(), pack_endings(endings)).value();
    for (std::size_t i = 0; i < endings.size(); ++i)
        EXPECT_EQ(flows[i], endings[i]);
}

TEST(FlowRows, are_read_some_at_a_time) {
    const auto flows = numbered_flows(0, 1000);
    auto packed = block_of(flows);
    const PackedFlows block{50, 1000, packed.rows(), packed.outcomes()};
    std::vector<FlowRow> read;
    ASSERT_TRUE(for_each_from(block, 53, [&](std::span<const FlowRow> some) -> Result<void> {
        EXPECT_LE(some.size(), 256U);
        read.insert(read.end(), some.begin(), some.end());
        return {};
    }));
    EXPECT_EQ(read, (std::vector<FlowRow>{flows.begin() + 3, flows.end()}));
    EXPECT_EQ(unpack_from(block, 1048, 10).value(), (std::vector<FlowRow>{flows.begin() + 998, flows.end()}));
}

TEST(FlowRows, of_another_number_than_in_the_store_are_an_error) {
    auto packed = block_of(numbered_flows(0, 3));
    const PackedFlows block{0, 4, packed.rows(), {}};
    EXPECT_EQ(unpack_from(block, 3, 1).error().message, "a block of 4 flows has 3 rows");
    EXPECT_EQ(unpack_from(block, 3, 1).error().kind, ErrorKind::Damaged);
}

TEST(FlowRows, take_little_room) {
    EXPECT_LE(block_of(numbered_flows(0, 1000)).rows().size(), 50'000U);
    EXPECT_LE(pack_endings(endings_of(numbered_flows(0, 1000))).size(), 40'000U);
}

TEST(FlowRows, an_empty_block_has_none) {
    FlowBlock block;
    EXPECT_TRUE(unpack(block.rows()).value().empty());
    EXPECT_FALSE(block.has_outcomes());
}

TEST(FlowRows, that_were_cut_short_or_go_on_are_an_error) {
    auto block = block_of(flows_of_every_kind());
    auto bytes = block.rows();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(unpack(std::span{bytes}.first(size)).has_value()) << size;
    bytes.push_back(std::byte{0});
    EXPECT_EQ(unpack(bytes).error().message, "a block of 8 flows has 1 bytes too many");
}

TEST(FlowRows, of_another_version_are_an_error) {
    auto bytes = block_of(numbered_flows(0, 1)).rows();
    bytes[0] = std::byte{2};
    EXPECT_EQ(unpack(bytes).error().message, "a block of flows has format 2, and 1 is known");
}

TEST(FlowRows, more_than_there_is_room_for_are_not_believed) {
    auto bytes = block_of(numbered_flows(0, 1)).rows();
    bytes[3] = std::byte{0xFF};
    EXPECT_NE(unpack(bytes).error().message.find("damaged"), std::string::npos);
}

TEST(FlowRows, outcomes_of_another_block_are_an_error) {
    auto block = block_of(numbered_flows(0, 3));
    EXPECT_EQ(unpack(block.rows(), pack_endings(endings_of(numbered_flows(0, 2)))).error().message,
              "a block of 3 flows has 2 outcomes");
}

}  // namespace flow_rows_test
}  // namespace headgate::operations
