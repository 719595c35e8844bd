// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/flow_spool.h"

#include <gtest/gtest.h>

#include "support/stored_operations.h"

namespace headgate::operations {
namespace flow_spool_test {

using namespace headgate::testing;

/// What the spool gives back, and the size of each block.
struct Contents {
    std::vector<FlowRow> rows;
    std::vector<std::size_t> blocks;
};

Contents contents_of(FlowSpool& spool) {
    Contents contents;
    const auto done = spool.for_each_block([&](std::span<const FlowRow> rows) -> Result<void> {
        contents.rows.insert(contents.rows.end(), rows.begin(), rows.end());
        contents.blocks.push_back(rows.size());
        return {};
    });
    EXPECT_TRUE(done.has_value()) << done.error().message;
    return contents;
}

TEST(FlowSpool, gives_the_rows_back_in_order_from_memory_and_from_its_file) {
    FlowSpool spool{::testing::TempDir()};
    const auto rows = rows_of(numbered_flows(0, 10'000));
    for (std::span<const FlowRow> rest{rows}; !rest.empty(); rest = rest.subspan(250))
        ASSERT_TRUE(spool.append(rest.first(250)).has_value());
    ASSERT_TRUE(spool.seal().has_value());
    EXPECT_EQ(spool.size(), 10'000U);
    for (int time = 0; time < 2; ++time) {
        const auto contents = contents_of(spool);
        EXPECT_EQ(contents.rows, rows);
        EXPECT_EQ(contents.blocks, (std::vector<std::size_t>{4096, 4096, 1808}));
    }
}

TEST(FlowSpool, keeps_every_kind_of_flow) {
    FlowSpool spool{::testing::TempDir()};
    auto rows = rows_of(numbered_flows(0, 4096));
    const auto more = rows_of(flows_of_every_kind());
    rows.insert(rows.end(), more.begin(), more.end());
    ASSERT_TRUE(spool.append(rows).has_value());
    EXPECT_EQ(contents_of(spool).rows, rows);
}

TEST(FlowSpool, of_nothing_gives_nothing) {
    FlowSpool spool{::testing::TempDir()};
    ASSERT_TRUE(spool.seal().has_value());
    EXPECT_TRUE(contents_of(spool).blocks.empty());
}

}  // namespace flow_spool_test
}  // namespace headgate::operations
