// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/flow_blocks.h"

#include <gtest/gtest.h>

#include "support/packed_flows.h"
#include "support/stored_operations.h"

namespace headgate::http {
namespace flow_blocks_test {

using namespace headgate::testing;

std::vector<PackedFlows> some_blocks() {
    return {packed(7, numbered_flows(7, 300)), packed(307, flows_of_every_kind()), packed(315, numbered_flows(0, 1))};
}

std::string body_of(const std::vector<PackedFlows>& blocks) {
    std::string body;
    for (const auto& block : blocks) {
        const auto sent = send_block(block, [&](std::string_view piece) -> Result<void> {
            body += piece;
            return {};
        });
        EXPECT_TRUE(sent);
    }
    return body;
}

/// Reads a body, and keeps what it is given before an error.
struct Reading {
    std::vector<PackedFlows> blocks;
    Result<void> read;

    explicit Reading(std::string_view body, std::size_t piece = SIZE_MAX) {
        const PackedFlowsSink keep = [&](const PackedFlows& block) -> Result<void> {
            blocks.push_back(block);
            return {};
        };
        FlowBlocks reader{keep};
        while (read && !body.empty()) {
            read = reader.feed(body.substr(0, piece));
            body.remove_prefix(std::min(piece, body.size()));
        }
        if (read) read = reader.finish();
    }
};

void expect_equal(const std::vector<PackedFlows>& blocks, const std::vector<PackedFlows>& expected) {
    ASSERT_EQ(blocks.size(), expected.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        EXPECT_EQ(blocks[i].first, expected[i].first);
        EXPECT_EQ(blocks[i].count, expected[i].count);
        EXPECT_EQ(blocks[i].rows, expected[i].rows);
        EXPECT_EQ(blocks[i].outcomes, expected[i].outcomes);
    }
}

TEST(FlowBlocks, arrive_as_they_were_sent_whatever_the_pieces) {
    const auto blocks = some_blocks();
    const auto body = body_of(blocks);
    for (const std::size_t piece : {SIZE_MAX, std::size_t{1}, std::size_t{23}, std::size_t{24}, std::size_t{1000}}) {
        const Reading reading{body, piece};
        EXPECT_TRUE(reading.read) << reading.read.error().message;
        expect_equal(reading.blocks, blocks);
    }
    EXPECT_TRUE(Reading{""}.read) << "no flows are no block";
}

TEST(FlowBlocks, are_passed_on_whole_or_not_at_all) {
    const auto blocks = some_blocks();
    const auto body = body_of(blocks);
    const auto first = body_of({blocks[0]}).size();
    for (const auto size :
         {first + 1, first + 23, first + 24, first + 100, body_of({blocks[0], blocks[1]}).size() - 1}) {
        const Reading reading{std::string_view{body}.substr(0, size)};
        ASSERT_FALSE(reading.read) << size;
        EXPECT_EQ(reading.read.error().message, "the agent's answer ends in the middle of a block of flows");
        expect_equal(reading.blocks, {blocks[0]});
    }
}

TEST(FlowBlocks, of_no_flows_or_of_any_length_are_refused_before_they_take_memory) {
    std::string head(24, '\0');
    EXPECT_EQ(Reading{head}.read.error().message, "the agent's answer has a block without flows");
    head[8] = '\x01';
    head[20] = '\x7f';
    head[16] = '\x01';
    head[23] = '\x7f';
    EXPECT_EQ(Reading{head}.read.error().message, "the agent's answer has a block of more than 16777216 bytes");
}

TEST(FlowBlocks, end_with_the_first_error_of_who_gets_them) {
    int calls = 0;
    const PackedFlowsSink refuse = [&](const PackedFlows&) -> Result<void> {
        ++calls;
        return failed("enough");
    };
    FlowBlocks reader{refuse};
    EXPECT_EQ(reader.feed(body_of(some_blocks())).error().message, "enough");
    EXPECT_EQ(calls, 1);
}

}  // namespace flow_blocks_test
}  // namespace headgate::http
