// SPDX-License-Identifier: GPL-2.0-or-later
// Watchers receive the flows that ended, and never delay the recording of flows.
#include "flowlog/recent_flow_buffer.h"

#include <gtest/gtest.h>

#include <thread>

#include "support/flow_builder.h"

namespace headgate::flowlog {
namespace recent_flow_buffer_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

std::vector<EndedFlow> ended(std::uint32_t first, std::uint32_t count) {
    std::vector<EndedFlow> flows;
    for (auto id = first; id < first + count; ++id)
        flows.emplace_back().flow = tcp_flow().with_id(id);
    return flows;
}

/// All parts from a position to the end.
std::vector<RecentFlowBuffer::Part> all_from(const RecentFlowBuffer& recent, std::uint64_t position) {
    std::vector<RecentFlowBuffer::Part> parts{recent.from(position, 0ms)};
    while (parts.back().next() != recent.end())
        parts.push_back(recent.from(parts.back().next(), 0ms));
    return parts;
}

std::size_t count(const std::vector<RecentFlowBuffer::Part>& parts) {
    std::size_t flows = 0;
    for (const auto& each : parts)
        flows += each.flows.size();
    return flows;
}

TEST(RecentFlowBuffer, come_in_their_order_from_where_one_looks) {
    RecentFlowBuffer recent;
    recent.add(ended(1, 3));
    const auto all = recent.from(0, 0ms);
    ASSERT_EQ(all.flows.size(), 3U);
    EXPECT_EQ(all.flows.front().flow.id, 1U);
    recent.add(ended(4, 2));
    const auto rest = recent.from(all.next(), 0ms);
    ASSERT_EQ(rest.flows.size(), 2U);
    EXPECT_EQ(rest.flows.front().flow.id, 4U);
    EXPECT_EQ(rest.missed, 0U);
    EXPECT_EQ(recent.from(2, 0ms).flows.front().flow.id, 3U) << "in the middle of what was added together";
    EXPECT_TRUE(recent.from(recent.end(), 0ms).flows.empty());
    EXPECT_EQ(recent.from(recent.end(), 0ms).next(), 5U);
}

TEST(RecentFlowBuffer, are_no_more_than_are_kept_and_a_slow_reader_learns_what_it_missed) {
    RecentFlowBuffer recent;
    recent.add(ended(1, 5));
    recent.add(ended(6, RecentFlowBuffer::kKept + 100));
    const auto part = recent.from(5, 0ms);
    EXPECT_EQ(part.flows.size(), RecentFlowBuffer::kKept);
    EXPECT_EQ(part.missed, 100U);
    EXPECT_EQ(part.flows.front().flow.id, 106U);
    EXPECT_EQ(part.next(), RecentFlowBuffer::kKept + 105);
}

TEST(RecentFlowBuffer, that_came_little_by_little_are_kept_as_long) {
    RecentFlowBuffer recent;
    for (std::uint32_t id = 1; id <= 9000; id += 3)
        recent.add(ended(id, 3));
    const auto parts = all_from(recent, 0);
    EXPECT_GE(count(parts), RecentFlowBuffer::kKept);
    EXPECT_LE(count(parts), RecentFlowBuffer::kKept + 2);
    EXPECT_EQ(count(parts) + parts.front().missed, 9000U);
    EXPECT_EQ(parts.back().flows.back().flow.id, 9000U);
}

TEST(RecentFlowBuffer, are_shared_by_all_who_look_on) {
    RecentFlowBuffer recent;
    recent.add(ended(1, 1000));
    EXPECT_EQ(recent.from(0, 0ms).batch, recent.from(500, 0ms).batch);
}

TEST(RecentFlowBuffer, wake_one_who_waits) {
    RecentFlowBuffer recent;
    std::jthread later{[&] {
        std::this_thread::sleep_for(20ms);
        recent.add(ended(1, 1));
    }};
    EXPECT_EQ(recent.from(0, 10s).flows.size(), 1U);
}

TEST(RecentFlowBuffer, let_go_of_those_who_wait_when_no_more_come) {
    RecentFlowBuffer recent;
    std::jthread later{[&] { recent.close(); }};
    EXPECT_TRUE(recent.from(0, 1min).flows.empty());
    EXPECT_TRUE(recent.is_closed());
}

}  // namespace recent_flow_buffer_test
}  // namespace headgate::flowlog
