// SPDX-License-Identifier: GPL-2.0-or-later
// Recently ended flows, as returned to clients.
#include <gtest/gtest.h>

#include "headgate/clock.h"

#include "flow/json_reader.h"
#include "gateway/ended_flow_feed.h"
#include "support/flow_builder.h"

namespace headgate::gateway {
namespace ended_flows_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

flowlog::RecentFlowBuffer::Batch ended(std::uint32_t first, std::uint32_t count, EndReason reason = EndReason::Closed) {
    const auto endpoint = std::make_shared<const Endpoint>(Endpoint{"edge", "a", ""});
    flowlog::RecentFlowBuffer::Batch flows(count);
    for (auto& each : flows) {
        each.flow = tcp_flow().with_id(first++);
        each.reason = reason;
        each.endpoint = endpoint;
    }
    return flows;
}

class EndedFlows : public ::testing::Test {
  protected:
    /// The number of records returned; expects success.
    std::size_t told(const EndedFlowQuery& query) {
        std::size_t records = 0;
        EXPECT_TRUE(EndedFlowFeed{recent_}.for_each_ended(query, [&](std::string_view) -> Result<void> {
            ++records;
            return {};
        }));
        return records;
    }

    flowlog::RecentFlowBuffer recent_;
};

TEST_F(EndedFlows, are_the_last_of_those_that_are_asked_for) {
    recent_.add(ended(1, 30, EndReason::Timeout));
    recent_.add(ended(31, 30));
    recent_.add(ended(61, 30, EndReason::Timeout));
    EndedFlowQuery query;
    EXPECT_EQ(told(query), 90U);
    query.reasons = {EndReason::Closed};
    EXPECT_EQ(told(query), 30U);
    query.latest = 7;
    EXPECT_EQ(told(query), 7U);
    query.latest = 0;
    EXPECT_EQ(told(query), 0U);
}

TEST_F(EndedFlows, stop_at_those_that_existed_when_the_client_asked) {
    recent_.add(ended(1, 200));
    std::size_t records = 0;
    EXPECT_TRUE(EndedFlowFeed{recent_}.for_each_ended({}, [&](std::string_view) -> Result<void> {
        ++records;
        recent_.add(ended(1000, 1));
        return {};
    }));
    EXPECT_EQ(records, 200U);
}

TEST_F(EndedFlows, are_not_kept_for_a_reader_that_stops_reading) {
    recent_.add(ended(1, 4000));
    const auto batch = recent_.from(0, 0ms).batch;
    std::size_t records = 0;
    EXPECT_TRUE(EndedFlowFeed{recent_}.for_each_ended({}, [&](std::string_view) -> Result<void> {
        ++records;
        EXPECT_EQ(batch.use_count(), 2) << "of the test, and of those that are remembered";
        return {};
    }));
    EXPECT_EQ(records, 1000U);
}

TEST_F(EndedFlows, are_followed_up_to_the_time_that_the_client_gives) {
    recent_.add(ended(1, 3));
    EndedFlowQuery query;
    query.follow = true;
    query.until = kSystemClock.now() - 1h;
    EXPECT_EQ(told(query), 3U);
    query.until = kSystemClock.now() + 100ms;
    EXPECT_EQ(told(query), 3U);
    EXPECT_GT(kSystemClock.now(), *query.until);
}

TEST_F(EndedFlows, that_a_slow_reader_missed_are_counted) {
    recent_.add(ended(1, 1000));
    std::vector<std::string> records;
    EXPECT_TRUE(EndedFlowFeed{recent_}.for_each_ended({}, [&](std::string_view record) -> Result<void> {
        if (records.empty())
            for (int i = 0; i < 3; ++i)
                recent_.add(ended(5000, 2500));
        records.emplace_back(record);
        return {};
    }));
    ASSERT_LT(records.size(), 1000U);
    EXPECT_NE(records.back().find("the reader was too slow"), std::string::npos) << records.back();
}

}  // namespace ended_flows_test
}  // namespace headgate::gateway
