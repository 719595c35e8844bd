// SPDX-License-Identifier: GPL-2.0-or-later
// Concurrent requests for the statistics of a table share one scan.
#include "gateway/coalesced_count.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

namespace headgate::gateway {
namespace coalesced_count_test {

TEST(CoalescedCount, who_asks_meanwhile_gets_the_same) {
    CoalescedCount shared;
    std::latch begun{1};
    std::latch may_end{1};
    std::atomic<int> counts = 0;
    const auto count = [&]() -> Result<TableStatistics> {
        ++counts;
        begun.count_down();
        may_end.wait();
        return TableStatistics{{7, 10, 3}, {}, {}};
    };
    std::jthread first{[&] { EXPECT_EQ(shared.run(count)->usage.in_use, 7U); }};
    begun.wait();
    std::jthread second{[&] { EXPECT_EQ(shared.run(count)->usage.in_use, 7U); }};
    may_end.count_down();
    first.join();
    second.join();
    EXPECT_LE(counts, 2) << "the second may have come when the first was done";
}

TEST(CoalescedCount, the_next_one_is_taken_anew) {
    CoalescedCount shared;
    int counts = 0;
    const auto fail = [&]() -> Result<TableStatistics> {
        ++counts;
        return failed("the table is gone");
    };
    EXPECT_FALSE(shared.run(fail));
    EXPECT_FALSE(shared.run(fail));
    EXPECT_EQ(counts, 2);
}

}  // namespace coalesced_count_test
}  // namespace headgate::gateway
