// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/operation_flows.h"

#include <gtest/gtest.h>

#include "support/flow_builder.h"
#include "support/packed_flows.h"

namespace headgate::testing {
namespace operation_flows_test {

std::vector<FlowRow> rows(std::uint16_t count) {
    std::vector<FlowRow> all;
    for (std::uint16_t port = 1; port <= count; ++port)
        all.push_back({tcp_flow().from_port(port), {}});
    return all;
}

/// An operation in progress, whose only block has grown each time that it is read.
class Growing final : public OperationFlows {
  public:
    Result<void> for_each_block(std::string_view /*id*/, std::uint64_t first, const PackedFlowsSink& sink) override {
        for (const std::uint16_t count : {std::uint16_t{2}, std::uint16_t{3}, std::uint16_t{7}})
            if (count > first) RETURN_IF_ERROR(sink(packed(0, rows(count))));
        return {};
    }
};

TEST(OperationFlows, of_a_block_that_grows_are_passed_on_once) {
    for (const std::uint64_t first : {0U, 1U, 2U, 5U}) {
        std::vector<std::uint16_t> ports;
        ASSERT_TRUE(Growing{}.for_each_flow("id", first, [&](std::span<const FlowRow> flows) -> Result<void> {
            for (const auto& each : flows)
                ports.push_back(each.flow.original.source_port);
            return {};
        }));
        std::vector<std::uint16_t> expected;
        for (auto port = static_cast<std::uint16_t>(first + 1); port <= 7; ++port)
            expected.push_back(port);
        EXPECT_EQ(ports, expected) << first;
        EXPECT_EQ(Growing{}.flows("id", first, 2)->size(), 2U);
    }
}

}  // namespace operation_flows_test
}  // namespace headgate::testing
